"""Building blocks of one HTML file that holds everything: style, pictures (as data), charts. Nothing is fetched.

Each function returns a piece of HTML; `page` puts the pieces together. All text is escaped here.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from i2i.images.codec import encode

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #fff; --panel: #f5f7fa; --rule: #d9dfe7;
  --curve: #2563eb; --best: #b45309 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa6b5; --paper: #14181f; --panel: #1c222c;
  --rule: #333c49; --curve: #7aa7ff; --best: #f0a94b } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1160px; padding: 24px 20px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 26px; margin: 0 0 4px } h2 { font-size: 19px; margin: 36px 0 10px }
p { margin: 6px 0; max-width: 75ch } .soft, figcaption { color: var(--soft) }
table { border-collapse: collapse; font-variant-numeric: tabular-nums } .scroll { overflow-x: auto }
th, td { padding: 4px 14px 4px 0; text-align: left; border-bottom: 1px solid var(--rule); vertical-align: top }
th { font-weight: 600 } td.number, th.number { text-align: right }
pre { background: var(--panel); padding: 12px 14px; overflow-x: auto; border-radius: 6px; font-size: 13px }
figure { margin: 0 0 14px } figure img { display: block; max-width: 100%; height: auto } figcaption { font-size: 13px }
.charts, .pictures { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)) }
.chart { background: var(--panel); border-radius: 6px; width: 100%; height: auto }
.chart text { font: 11px system-ui, sans-serif; fill: var(--soft) }
.chart .heading { font-size: 13px; font-weight: 600; fill: var(--ink) }
.chart path { fill: none; stroke: var(--rule) } .chart .curve { stroke: var(--curve); stroke-width: 1.6 }
.chart .band { fill: var(--curve); opacity: .18; stroke: none } .chart .end { fill: var(--curve) }
.chart .reference { stroke: var(--best); stroke-dasharray: 4 4 }
"""


def page(title: str, *parts: str) -> str:
    """The whole document."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</main></body></html>\n"
    )


def section(heading: str, *parts: str) -> str:
    """A heading and what belongs to it; nothing without parts."""
    content = [part for part in parts if part]
    return f"<section><h2>{escape(heading)}</h2>\n" + "\n".join(content) + "</section>" if content else ""


def paragraph(text: str, *, soft: bool = False) -> str:
    """A paragraph; `soft` for what is less important."""
    return f'<p class="soft">{escape(text)}</p>' if soft else f"<p>{escape(text)}</p>"


def code(text: str) -> str:
    """Text as it is, in a fixed-width font."""
    return f'<pre tabindex="0">{escape(text)}</pre>'


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "") -> str:
    """A table of text; every column but the first is set to the right when all its cells look like numbers."""
    kinds = ["number" if c and all(_numeric(row[c]) for row in rows) else "" for c in range(len(columns))]
    head = "".join(_cell("th", name, kind, ' scope="col"') for name, kind in zip(columns, kinds, strict=True))
    body = "".join(
        "<tr>" + "".join(_cell("td", text, kind) for text, kind in zip(row, kinds, strict=True)) + "</tr>\n"
        for row in rows
    )
    title = f'<caption class="soft">{escape(caption)}</caption>' if caption else ""
    return f'<div class="scroll"><table>{title}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'


def picture(pixels: NDArray[np.uint8], *, alt: str, caption: str = "", lossless: bool = False) -> str:
    """A uint8 H,W,C picture inside the page, as WebP or, `lossless`, as PNG."""
    kind = "png" if lossless or max(pixels.shape[:2]) > 16383 else "webp"  # WebP ends at 16383 pixels
    data = base64.b64encode(encode(pixels, format=kind, quality=88)).decode("ascii")
    height, width = pixels.shape[:2]
    words = escape(alt, quote=True)
    image = f'<img src="data:image/{kind};base64,{data}" width="{width}" height="{height}" alt="{words}">'
    return (
        f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"
        if caption
        else f"<figure>{image}</figure>"
    )


def charts(parts: Sequence[str]) -> str:
    """Charts side by side, as many as fit; nothing without charts."""
    return '<div class="charts">' + "\n".join(parts) + "</div>" if parts else ""


def pictures(parts: Sequence[str]) -> str:
    """Pictures side by side, as many as fit; nothing without pictures."""
    return '<div class="pictures">' + "\n".join(parts) + "</div>" if parts else ""


def _cell(tag: str, text: str, kind: str, more: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f"<{tag}{style}{more}>{escape(text)}</{tag}>"


def _numeric(text: str) -> bool:
    try:
        float(text.replace(",", "").removesuffix("%") or "0")
    except ValueError:
        return text == "-"
    return True
