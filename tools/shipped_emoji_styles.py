"""How `pretrained/emoji-styles` comes about: see `train_pretrained.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runs import python
from shipped_targets import examples, scores, table

PRESET = "stargan"
STEP = None
METRICS = (*("accuracy", "real_accuracy", "kid", "top1", "identity_top1", "top5", "identity_top5", "cycle_psnr"),)


def build(data: Path) -> None:
    """Draw the training set."""
    python("tools/emoji.py", str(data), "fluent", "noto", "twemoji")


def measured(folder: Path, data: Path) -> dict[str, Any]:
    """Every metric of the translations to each style, on code points never seen."""
    return scores(folder, data)


def picture(out: Path, data: Path) -> None:
    """examples.png: an emoji, and what model.onnx makes of it in each style."""
    examples(out, data, rows=12)


def page(card: Any, metrics: dict[str, Any]) -> str:
    """What the model is and how good, as Markdown."""
    return f"""
Emoji from any of three styles to any other: StarGAN (Choi et al. 2018) at 64 px with conditional instance norms,
{card.step} steps of batch 4, learnt without pairs. Pictures of any size go in; the model sees them at 64 px.

![an emoji, and what it becomes in each style](examples.png)

```
i2i convert {card.name} EMOJI restyled --domain all
```

On {metrics["n"]} pictures of code points that training has not seen, translated to the styles that they are not of:

{table(metrics["domains"], METRICS)}

accuracy: read by a classifier as the style asked for, beside its accuracy on real pictures; kid with EfficientNet-Lite0
features; top1 and top5: the share of translations whose own subject is among the nearest of all real pictures of the
style, and the same of the untranslated pictures (identity); cycle_psnr: there and back, dB. Printed by `i2i evaluate
{card.name} --data runs/emoji-styles-data --metrics all`.
"""
