"""How `pretrained/noto2fluent` and `fluent2noto` come about, from one run: see `train_pretrained.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runs import python
from shipped_emoji import examples, scores, table

from i2i.weights.store import read_card

PRESET = "cyclegan"
STEP = None
METRICS = ("kid", "top1", "top5", "gradient", "checkerboard")


def build(data: Path) -> None:
    """Draw the training set."""
    python("tools/emoji.py", str(data), "noto", "fluent", "--unpaired")


def measured(folder: Path, data: Path) -> dict[str, Any]:
    """The metrics of the model and of the untranslated pictures, on code points never seen."""
    return scores(folder, data, *_styles(read_card(folder)), METRICS)


def picture(out: Path, data: Path) -> None:
    """examples.png: source | output of model.onnx | the subject in the other style."""
    styles = _styles(read_card(out))
    examples(out, data, styles, (styles[0], "translated", f"real {styles[1]}"), columns=4)


def page(card: Any, metrics: dict[str, Any]) -> str:
    """What the model is and how good, as Markdown."""
    source, target = _styles(card)
    return f"""
{source.title()} emoji in the style of {target.title()}: CycleGAN (Zhu et al. 2017) at 64 px with a U-Net that also
says where the picture stays. Trained without pairs, no code point was seen in both styles; its last training had
{card.step:,} steps of batch 8. Pictures of any size go in; the model sees them at 64 px.

![{source}, translated, the real {target}](examples.png)

On {metrics["n"]} code points that training saw in neither style, beside the untranslated pictures:

{table(card.name, metrics, METRICS)}

kid with EfficientNet-Lite0 features; top1 and top5: the share of outputs whose own subject is among the nearest of all
real {target} pictures; gradient and checkerboard as ratios to the real pictures. Printed by `i2i evaluate {card.name}
--data runs/noto2fluent-data --data.source {source} --data.target {target} --metrics all --baselines`.
"""


def _styles(card: Any) -> tuple[str, str]:
    source, _, target = card.name.partition("2")
    return source, target
