"""The folder that `i2i embed` writes: models, their examples and reference pairs, programs, and the page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from i2i.embedding.programs import programs, resource
from i2i.embedding.readme import readme
from i2i.embedding.reference import Reference, fitted, is_line_drawing, reference
from i2i.errors import I2IError
from i2i.images import codec
from i2i.images.card import ImageCard
from i2i.loading import ModelPath, open_session
from i2i.runtime.translator import Array

PAGE = ("index.html", "style.css", "app.js", "steering.js", "drawing.js", "compare.js", "worker.js", "model.js")
RUNTIME = "onnxruntime-web"
_EXAMPLES = ("*.png", "*.jpg", "*.webp")


@dataclass(frozen=True)
class Embedded:
    """A model as the folder holds it. `about` is what its page says first; `canvas`, whether it is drawn on."""

    card: ImageCard
    onnx: bytes
    examples: list[Array]
    reference: Reference
    canvas: bool
    about: str = ""
    licences: dict[str, bytes] = field(default_factory=dict)


def embedded(model: ModelPath, *, examples: Sequence[Path] = (), canvas: bool | None = None) -> Embedded:
    """Read a model and what lies beside it: `example-*.png`, README.md, `licences/` (also one folder up).

    `examples` are shown in place of those beside the model. `canvas` None finds out: a model is drawn on when its
    source is a font's characters or a label map, or its examples are line drawings. Raises `I2IError` as `OnnxSession`
    does and, for an example that cannot be read, as `codec.read`.
    """
    session = open_session(model, threads=1)
    card, folder = session.card, model.path.parent
    sources = [] if card.latent else [*examples] or _beside(folder)
    shown = [fitted(codec.read(path, colour=card.source.colour).pixels, card) for path in sources]
    if canvas is None:
        lines = bool(shown) and all(is_line_drawing(picture) for picture in shown)
        canvas = card.latent is None and (card.drawing is not None or card.source.colour == "labels" or lines)
    return Embedded(
        card=card,
        onnx=_read(model.path),
        examples=shown,
        reference=reference(session, shown[0] if shown else None),
        canvas=canvas,
        about=_first_paragraph(folder / "README.md"),
        licences=_licences(folder, card.training_data),
    )


def kit(models: Sequence[Embedded], runtime: dict[str, bytes] | None) -> dict[str, bytes]:
    """The files by their paths. One model gets programs in every language, several a page with a menu and each model a
    folder under `models/`. Without `runtime`, the files of onnxruntime-web, there is no page.

    Raises `I2IError`: E_COLLISION for two models of one name, E_USAGE for several models and no page.
    """
    names = [model.card.name for model in models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise I2IError("E_COLLISION", f"two models are named '{twice[0]}'; a page tells models apart by their names")
    if runtime is None and len(models) > 1:
        raise I2IError("E_USAGE", "several models are for a page; without one, embed each into a folder of its own")
    single = len(models) == 1
    contents: dict[str, bytes] = {}
    for number, model in enumerate(models):
        place = "" if single else f"models/{number + 1}/"
        contents |= {f"{place}{name}": data for name, data in _model_files(model).items()}
        contents |= {f"licences/{name}": data for name, data in model.licences.items()}
    if single:
        contents |= programs(models[0].card, models[0].reference.numbers)
    if runtime is not None:
        contents |= {name: resource(name) for name in PAGE}
        contents |= {f"{RUNTIME}/{name}": data for name, data in runtime.items()}
        contents[f"{RUNTIME}/LICENSE.txt"] = resource("onnxruntime-web.txt")
        contents["models.json"] = _list(models).encode("utf-8")
        contents["serve.py"] = resource("serve.py")
    contents["README.md"] = readme([model.card for model in models], page=runtime is not None).encode("utf-8")
    return contents


def _model_files(model: Embedded) -> dict[str, bytes]:
    made = model.reference
    files = {
        "model.onnx": model.onnx,
        "card.json": f"{model.card.to_json()}\n".encode(),
        "reference.json": f"{json.dumps(made.wanted)}\n".encode(),
        "reference-output.png": codec.encode(made.output, format="png"),
    }
    if made.source is not None:
        files["reference-input.png"] = codec.encode(made.source, format="png")
    for number, picture in enumerate(model.examples, 1):
        files[f"example-{number}.png"] = codec.encode(picture, format="png")
    return files


def _list(models: Sequence[Embedded]) -> str:
    """models.json: what the page has to know before it has a card."""
    entries = [
        {
            "name": model.card.name,
            "path": "" if len(models) == 1 else f"models/{number}/",
            "bytes": len(model.onnx),
            "canvas": model.canvas,
            "noise": model.card.latent is not None,
            "about": model.about,
            "examples": [f"example-{example}.png" for example in range(1, len(model.examples) + 1)],
            "licences": [f"licences/{name}" for name in model.licences],
        }
        for number, model in enumerate(models, 1)
    ]
    return json.dumps({"models": entries}, indent=2, ensure_ascii=False) + "\n"


def _beside(folder: Path) -> list[Path]:
    found = {path for pattern in _EXAMPLES for path in folder.glob(f"example-{pattern}")}
    return sorted(found)


def _first_paragraph(page: Path) -> str:
    """What a model's page says below its heading, on one line; nothing where there is no such page."""
    try:
        paragraphs = page.read_text(encoding="utf-8").split("\n\n")
    except (OSError, UnicodeDecodeError):
        return ""
    plain = [text for text in paragraphs if text.strip() and not text.lstrip().startswith(("#", "!", "|", "```"))]
    return " ".join(plain[0].split()) if plain else ""


def _licences(folder: Path, training_data: str) -> dict[str, bytes]:
    """The licence texts of what a model was made from: those beside it, and of those beside its folder the ones whose
    name ends in something that its training data names (`MIT-Microsoft-fluent-emoji.txt`: fluent emoji).
    """
    own = sorted((folder / "licences").glob("*.txt"))
    common = sorted((folder.resolve().parent / "licences").glob("*.txt"))
    named = [path for path in common if _subject(path.stem) in training_data.lower()]
    return {path.name: _read(path) for path in [*named, *own]}


def _subject(stem: str) -> str:
    """What a licence text is about: the last word of its name, or the last two where the last one is `emoji`."""
    words = stem.lower().split("-")
    return " ".join(words[-2:] if words[-1] == "emoji" else words[-1:])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise I2IError("E_UNREADABLE", f"cannot be read ({error.strerror})", path=path) from error
