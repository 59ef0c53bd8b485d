"""How `pretrained/line2emoji` comes about: see `train_pretrained.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runs import python
from shipped_emoji import examples, scores, table

PRESET = "pix2pix"
STEP = None
METRICS = ("psnr", "ssim", "kid", "top1", "top5", "gradient", "checkerboard")


def build(data: Path) -> None:
    """Draw the training set."""
    python("tools/emoji.py", str(data), "line", "fluent", "--pairs", "--train-size", "128")


def measured(folder: Path, data: Path) -> dict[str, Any]:
    """Every metric of the model, of the drawings as they are and of the colour maps, on code points never seen."""
    return scores(folder, data, "line", "fluent", METRICS)


def picture(out: Path, data: Path) -> None:
    """examples.png: drawing | output of model.onnx | truth."""
    examples(out, data, ("line", "fluent"), ("drawing", "coloured", "truth"), columns=4)


def page(card: Any, metrics: dict[str, Any]) -> str:
    """What the model is and how good, as Markdown."""
    return f"""
Black line drawing to coloured emoji: pix2pix (Isola et al. 2017) at 64 px with a palette, trained by L1 alone, then
{card.step:,} steps of batch 8 with a critic and the gradient difference. Pictures of any size go in; the model sees
them at 64 px.

![drawing, coloured, truth](examples.png)

On the {metrics["n"]} pairs of the split test (no variant of a training emoji is among them), beside the drawings as
they are and three colour maps fitted on the training pairs:

{table(card.name, metrics, METRICS)}

psnr in dB; kid with EfficientNet-Lite0 features; top1 and top5: the share of outputs whose own truth is among the
nearest of all truths; gradient and checkerboard as ratios to the truth. Printed by `i2i evaluate {card.name} --data
runs/line2emoji-data --data.source line --data.target fluent --metrics all --baselines`. A line does not tell its
colour: keys, faces and plain objects come out well, where many colours are possible the model guesses, and small parts,
such as the eyes of faces, come out faint.
"""
