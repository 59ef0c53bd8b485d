"""README.md of the folder: what it holds, what each program needs and how it is run."""

from __future__ import annotations

from collections.abc import Sequence

from i2i.embedding.onnxruntime_web import VERSION
from i2i.images.card import ImageCard


def readme(cards: Sequence[ImageCard], *, page: bool) -> str:
    """The page for these models; `page` tells whether there is a web page among the files."""
    parts = [_of_one(cards[0]) if len(cards) == 1 else _of_several(cards)]
    if page:
        parts.append(_PAGE.format(version=VERSION))
    if len(cards) == 1:
        parts.append(_programs(cards[0]))
    parts.append("`embedded.json` lists these files for `i2i embed --overwrite`; no program needs it.")
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _of_one(card: ImageCard) -> str:
    return f"# {card.name}\n\n{_facts(card)}\n\n{_GRAPH.format(ports=_ports(card))}"


def _of_several(cards: Sequence[ImageCard]) -> str:
    listed = "\n".join(f"* `models/{number}/`: {card.name}. {_facts(card)}" for number, card in enumerate(cards, 1))
    return f"# {len(cards)} models on one page\n\n{listed}\n\n`i2i embed NAME OUT` writes programs for one of them."


def _facts(card: ImageCard) -> str:
    trained = f" Trained on {card.training_data}." if card.training_data else ""
    licence = f" Licence of the model: {card.licence}." if card.licence else ""
    return f"A model made with i2i ({card.method}).{trained}{licence}"


def _ports(card: ImageCard) -> str:
    size = "H, W" if card.sizing.rule != "fixed" else f"{card.sizing.height}, {card.sizing.width}"
    first = (
        f"`latent` float32 [N, {card.latent}]" if card.latent else f"`image` uint8 [N, {size}, {card.source.channels}]"
    )
    told = ""
    if card.condition is not None:
        names = ", ".join(card.condition.names)
        kind = "`domain` int64 [N]" if card.condition.port == "domain" else "`condition` float32 [N, K]"
        told = f" and {kind} ({names})"
    enlarged = f", {card.scale} times as high and wide" if card.scale > 1 else ""
    return f"{first}{told} in, `image_out` uint8 [N, H, W, {card.target.channels}] out{enlarged}"


def _programs(card: ImageCard) -> str:
    given = "OUTPUT" if card.latent else "INPUT OUTPUT"
    png = "OUTPUT.png 7" if card.latent else "INPUT.png OUTPUT.png"
    words, numbers = _told(card)
    more = " --seed 7" if card.latent else ""
    return _PROGRAMS.format(words=f"{given}{more}{words}", numbers=f"{png}{numbers}")


def _told(card: ImageCard) -> tuple[str, str]:
    """What is said behind the files: by name, and as the numbers of C++ and C#."""
    if card.condition is None:
        return "", ""
    first = card.condition.names[0]
    if card.condition.port == "domain":
        return f' --domain "{first}"', " 0"
    count = len(card.condition.names)
    if card.condition.kind == "domains":
        return f' --domain "{first}"', " 1" + " 0" * (count - 1)
    return f' --set "{first}=1"', " 1" + (" 0" if card.latent else " nan") * (count - 1)


_GRAPH = """`model.onnx` is all there is to it: {ports}.
Pictures are red first, 0 to 255; sizing and scaling are inside. `card.json`, which is also in the file's metadata under
`i2i.card`, says the rest. `reference-input.png` (where the model takes a picture), what is asked of it
(`reference.json`) and `reference-output.png` are what each program's self-test compares with: at most one level of 255
apart."""

_PAGE = """## The page

`index.html` runs the model in the browser with onnxruntime-web ({version} unless another was given), which lies in
`onnxruntime-web/`. Nothing is asked of any other server, and no picture leaves the browser. Any server of static files
will do; opened as a file the page does not start. It needs a browser of 2023 or later.

To use several threads, a page has to be cross-origin isolated: the server sends two headers,
`Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`. `serve.py` does (it needs
Python alone); without them the page runs on one thread. `?threads=1` behind the address sets their number.

```shell
python serve.py 8000
```

Self-test: "About this model", "Check this browser"."""

_PROGRAMS = """## Python

Needs `translate.py`, `card.json` and `model.onnx` (for the self-test the reference, too), and Python 3.11 or later:

```shell
pip install numpy pillow onnxruntime
python translate.py {words}
python translate.py --self-test
```

## Node

Needs `translate.mjs`, `model.js`, `package.json`, `card.json` and `model.onnx`, and Node 20.9 or later:

```shell
npm install --ignore-scripts
node translate.mjs {words}
node translate.mjs --self-test
```

## C++

Needs `translate.cpp` and `model.onnx`, a C++17 compiler, libpng (`apt-get install g++ libpng-dev`) and a release of
onnxruntime 1.21 or later, whose unpacked folder is `$ONNXRUNTIME` (its headers in `include`, its library in `lib`):

```shell
g++ -std=c++17 -O2 translate.cpp -I"$ONNXRUNTIME/include" -L"$ONNXRUNTIME/lib" -lonnxruntime -lpng -o translate
export LD_LIBRARY_PATH="$ONNXRUNTIME/lib"
./translate {numbers}
./translate --self-test
```

## C#

Needs `Translate.cs`, `Translate.csproj` and `model.onnx`, and the .NET SDK 8 or later, which fetches the packages
Microsoft.ML.OnnxRuntime and SkiaSharp:

```shell
dotnet run -- {numbers}
dotnet run -- --self-test
```"""
