"""How `pretrained/brush` comes about: see `train_pretrained.py`.

Its source font lies in the folder, cut from Debian's package fonts-noto-cjk (1:20220127), whose licence allows that:
  apt-get download fonts-noto-cjk && dpkg-deb -x fonts-noto-cjk_*.deb noto
  python tools/cut_font.py "noto/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc#2" NotoSansSC.otf --charset
    gb2312-1 gb2312-2 "punctuation, digits and Latin letters"
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from runs import ROOT, python

PRESET = "zi2zi"
STEP = None
FOLDER = ROOT / "pretrained/brush"
SOURCE = "NotoSansSC.otf"
# Packages of @fontsource, all under the SIL Open Font License.
FONTS = (FOLDER / "fonts.txt").read_text().split()
HELD = ["--characters", "gb2312-1", "--test-characters", "300"]
COLUMNS = ("l1", "ssim", "ink_iou", "accuracy")
# The beginning of the Preface to the Orchid Pavilion (Wang Xizhi, 353).
TEXT = "永和九年岁在癸丑"
MARGIN, LABEL, LINE = 16, 220, 30  # pixels: around and between, left of the lines, above them


def build(data: Path) -> None:
    """Fetch the fonts; the source font is in the repository."""
    python("tools/fonts.py", str(data), *FONTS, "--subset", "chinese-simplified")
    shutil.copyfile(FOLDER / SOURCE, data / SOURCE)


def measured(folder: Path, data: Path) -> dict[str, Any]:
    """Metrics of the held-out characters font by font, and under `legibility` what a recogniser reads of them."""
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch, name) for name in ("metrics.json", "legibility.json")]
        words = ["--data", str(data), *HELD, "--metrics", ",".join(COLUMNS), "--baselines", "--json", str(files[0])]
        python("-m", "i2i", "evaluate", str(folder), *words)
        words = ["--data", str(data), "--source", SOURCE, *HELD, "--json", str(files[1])]
        python("tools/legibility.py", str(folder), *words)
        result, legibility = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    return {**result, "legibility": legibility}


def picture(out: Path, data: Path) -> None:
    """examples.png: a line of the source font, then for each font the text by model.onnx and in the real font."""
    from i2i.data.fonts_source import FontsSource
    from i2i.data.typeface import Typeface
    from i2i.data.writing import Writer, drawing_of
    from i2i.files import publish_bytes
    from i2i.images.codec import encode
    from i2i.loading import open_model, resolve

    translator = open_model(resolve(out / "model.onnx"), threads=1)
    writer = Writer(translator, out / SOURCE)
    faces = dict(zip(*_named(FontsSource(root=data, source=SOURCE)), strict=True))
    lines = {f"{drawing_of(translator).font} (source)": [np.hstack([writer.face.draw(c) for c in TEXT])]}
    for style in writer.styles:
        real = Typeface(faces[style], size=writer.face.size, placing=writer.face.placing)
        lines[style] = [writer.strip(TEXT, style), np.hstack([real.draw(c) for c in TEXT])]
    publish_bytes(out / "examples.png", encode(labelled(lines), format="png"), overwrite=True)


def _named(fonts: Any) -> tuple[list[str], list[Path]]:
    return fonts.names, [face.path for face in fonts.typefaces]


def labelled(lines: dict[str, list[np.ndarray]]) -> np.ndarray:
    """Lines of text (H, W) under each other, each with its name at the left and the real one at the right."""
    height, width = next(iter(lines.values()))[0].shape
    size = (LABEL + 2 * (width + MARGIN) + MARGIN, LINE + len(lines) * height + MARGIN)
    sheet = Image.new("L", size, 255)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=16)
    for column, head in enumerate(("written by the model", "the real font")):
        draw.text((LABEL + column * (width + MARGIN) + width / 2, LINE / 2), head, fill=60, font=font, anchor="mm")
    for row, (name, pictures) in enumerate(lines.items()):
        top = LINE + row * height
        draw.text((MARGIN, top + height / 2), name.replace(" (", "\n("), fill=60, font=font, anchor="lm")
        for column, pixels in enumerate(pictures):
            sheet.paste(Image.fromarray(pixels), (LABEL + column * (width + MARGIN), top))
    return np.asarray(sheet)[:, :, None]


def page(card: Any, metrics: dict[str, Any]) -> str:
    """What the model is and how good, as Markdown."""
    from i2i.data.charsets import characters, split

    held = [c for c in split(characters("gb2312-1"), test=300, val=0)["test"] if c in TEXT]
    return f"""
One network that writes Noto Sans in {len(card.condition.names)} other fonts: zi2zi (Tian 2017) at 64 px, 6,000
steps of batch 16 (recipe.yaml) and {card.step:,} more (refine.yaml). It takes pictures of characters, or text, and also
writes characters that a font does not have. Fonts can be mixed by weights.

![a line of a classical text in the source font, and in each font by the model and as it really is](examples.png)

*{TEXT}, the beginning of the Preface to the Orchid Pavilion. {_seen(held)}*

```
i2i convert {card.name} --text "{TEXT}" --domain "{card.condition.names[0]}" strip.png
i2i convert {card.name} --text "永" --domain "{card.condition.names[0]}" --towards "{card.condition.names[-1]}" way.gif
```

`{SOURCE}`, from which it starts, lies beside it: Noto Sans CJK SC cut to GB2312, punctuation, digits and Latin letters,
under the SIL Open Font License (`pretrained/licences/OFL-1.1-brush.txt`).

On the 300 held-out characters of level 1 of GB2312, the same for all fonts (accuracy: how many a classifier of real
glyphs reads as the font that was asked for):

{scores(metrics)}

Printed by `i2i evaluate {card.name} --data runs/{card.name}-data {" ".join(HELD)} --metrics {",".join(COLUMNS)}
--baselines`.

What a recogniser (PP-OCRv6 small, of which cursive fonts ask too much) reads of 200 of them, top-1:

{legible(metrics["legibility"])}

Printed by `python tools/legibility.py {card.name} --data runs/{card.name}-data --source {SOURCE}`.
"""


def _seen(held: list[str]) -> str:
    if not held:
        return "All these characters were among those learnt."
    return f"Of these characters {', '.join(held)} were held out from training, the others learnt."


def scores(metrics: dict[str, Any]) -> str:
    """The fonts and their means, the baselines beside, as a Markdown table."""
    found = {font: (each["model"], each) for font, each in metrics["domains"].items()}
    found["mean"] = (metrics, metrics["baselines"])
    heads = [*COLUMNS, "accuracy of the real glyphs", "ink_iou of the source glyph", "of the mean glyph"]
    lines = [f"| | {' | '.join(heads)} |", f"|---{'|---' * len(heads)}|"]
    for font, (model, each) in found.items():
        values = [*(model[name] for name in COLUMNS), model["real_accuracy"]]
        values += [each[baseline]["ink_iou"] for baseline in ("source", "mean")]
        lines.append(f"| {font} | {' | '.join(f'{value:.3f}' for value in values)} |")
    return "\n".join(lines)


def legible(found: dict[str, dict[str, Any]]) -> str:
    """What is read of each font, as a Markdown table."""
    lines = ["| | real glyphs | written | relative | worst by overlap of ink |", "|---|---|---|---|---|"]
    for font, one in found.items():
        relative = "" if one["relative"] is None else f"{one['relative']:.2f}"
        lines.append(f"| {font} | {one['real_top1']:.2f} | {one['top1']:.2f} | {relative} | {one['worst']} |")
    return "\n".join(lines)
