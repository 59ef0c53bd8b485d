"""How `pretrained/emoji-styles` comes about: see `train_pretrained.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from command import markdown
from runs import python
from shipped_targets import examples, scores

PRESET = "stargan"
STEP = None
METRICS = ("accuracy", "real_accuracy", "kid", "top1", "identity_top1", "top5", "identity_top5", "cycle_psnr")


def build(data: Path) -> None:
    """Draw the training set."""
    python("tools/emoji.py", str(data), "fluent", "noto", "twemoji", "--centred")


def measured(folder: Path, data: Path) -> dict[str, Any]:
    """Every metric of the translations to every style, and of the untranslated pictures."""
    return scores(folder, data)


def picture(out: Path, data: Path) -> None:
    """examples.png: an emoji, and what model.onnx makes of it in each style."""
    examples(out, data, rows=8)


def page(card: Any, metrics: dict[str, Any]) -> str:
    """What the model is and how good, as Markdown."""
    return f"""
One generator that redraws an emoji in the manner of Fluent, Noto or Twemoji: StarGAN (Choi et al. 2018) at 64 px,
with conditional instance norms and a critic of patches that classifies and also scores for every style by itself
(StarGAN v2, Choi et al. 2020), trained three times without pairs, the last time {card.step:,} steps of batch 16.

A classifier reads them as the style asked for nearly as often as real emoji (Twemoji ten points less); two thirds to
three quarters of the subjects are among the five nearest, of about four fifths untranslated. Noto's gold and bevels,
Twemoji's paler colours and Fluent's red and violet shades come out. **Some of it is texture**: flat areas get blotches
of a style's colours, eyes and mouths are lost here and there, and by KID the translations are further from real emoji
of a style than those of a model that changes less.

![an emoji, and what it becomes in each style](examples.png)

```
i2i convert {card.name} EMOJI restyled --domain all
i2i convert {card.name} emoji.png noto.png --domain noto
```

Emoji fill their pictures but for a margin of a sixteenth (`tools/emoji.py --centred`). On {metrics["n"]} of code points
that training has not seen, each translated to the styles that it is not of:

{markdown(metrics["domains"], METRICS)}

accuracy: read by a classifier as of the style asked for, beside its accuracy on real emoji; kid with EfficientNet-Lite0
features; top1, top5: the share of translations whose own subject is the nearest, or among the five nearest, of all real
emoji of the style, beside the untranslated pictures; cycle_psnr: there and back, dB. Printed by `i2i evaluate
{card.name} --data runs/emoji-styles-data --metrics all`.
"""
