"""How `pretrained/digits` comes about: see `train_pretrained.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from read_back import judged
from runs import ROOT, python

PRESET = "cgan"
STEP = None
# Packages of @fontsource, all under the SIL Open Font License.
FONTS = (ROOT / "pretrained/digits/fonts.txt").read_text().split()
ROWS = 8


def build(data: Path) -> None:
    """Fetch the fonts and draw the training set."""
    fonts = data.parent / "digits-fonts"
    python("tools/fonts.py", str(fonts), *FONTS)
    files = [str(fonts / f"{name}.woff2") for name in FONTS]
    python("tools/digits.py", str(data), "--count", "12000", "--fonts", *files)


def measured(folder: Path, data: Path) -> dict[str, Any]:
    """What its samples are worth to a reader, and real digits beside them."""
    import i2i
    from i2i.runtime.sampler import Sampler

    sampler = i2i.load(folder)
    assert isinstance(sampler, Sampler)
    return judged(sampler, data, count=300, seed=0)


def picture(out: Path, data: Path) -> None:
    """examples.png: what `i2i sample` draws."""
    count = str(ROWS)
    words = ["--domain", "all", "--count", count, "--overwrite"]
    python("-m", "i2i", "sample", str(out / "model.onnx"), str(out / "examples.png"), *words)


def page(card: Any, metrics: dict[str, Any]) -> str:
    """What the model is and how good, as Markdown."""
    return f"""
Digits of 32 px in grey, drawn from noise: a class-conditional DCGAN (Radford et al. 2016; Mirza and Osindero 2014)
with a spectrally normalised critic and hinge loss, {card.step} steps of batch 32, on digits drawn with
{len(FONTS)} open fonts, slanted and thickened.

![a column for each digit; along a row the noise is the same](examples.png)

```
i2i sample {card.name} digits.png --domain all --count {ROWS}
i2i sample {card.name} sevens --domain 7 --count 100 --seed 3
```

| | |
|---|---|
| samples that a classifier taught by real digits reads as asked | {metrics["read"]:.1%} |
| real digits that a classifier taught by samples reads | {metrics["teach"]:.1%} |
| ... taught by real digits | {metrics["real_teach"]:.1%} |
| ... by the mean pictures of the ten digits alone | {metrics["means_teach"]:.1%} |
| distance between samples of one digit, over that between real ones | {metrics["spread"]:.2f} |

Printed by `python tools/read_back.py {card.name} --data runs/digits-data --count 300`; the classifier is a support
vector machine on pixels.
"""
