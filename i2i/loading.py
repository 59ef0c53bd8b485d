"""From what a user calls a model to a translator or a sampler. An .onnx model needs no torch; weights load it when
needed.

MODEL is a run folder, a model folder, an .onnx file, or the name of a model under `pretrained/`. A run that translates
both ways holds a model for each direction: a2b in `model/`, b2a in `model-b2a/`.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from i2i.errors import I2IError, missing_package
from i2i.files import sha256
from i2i.images.card import ImageCard
from i2i.runtime.onnx import OnnxSession, read_onnx_card
from i2i.runtime.providers import Provider
from i2i.runtime.sampler import Sampler
from i2i.runtime.translator import Session, Translator
from i2i.tables import unknown

Engine = Literal["auto", "onnx", "torch"]
Direction = Literal["a2b", "b2a"]

ONNX = "model.onnx"
WEIGHTS = "model.safetensors"
CARD = "card.json"


@dataclass(frozen=True)
class ModelPath:
    """Where a model is: `path` is the .onnx file or the folder of the weights; `run` is its run folder, if any."""

    kind: Literal["onnx", "weights"]
    path: Path
    run: Path | None = None

    @property
    def file(self) -> Path:
        """The file that decides what the model computes."""
        return self.path if self.kind == "onnx" else self.path / WEIGHTS

    def digest(self) -> str:
        """SHA-256 of that file. Raises `I2IError` (E_UNREADABLE)."""
        return sha256(self.file)

    def card(self) -> ImageCard:
        """The card, read without torch and onnxruntime. Raises `I2IError` as `OnnxSession` and `ImageCard` do."""
        if self.kind == "onnx":
            return read_onnx_card(self.path)
        path = self.path / CARD
        try:
            return ImageCard.from_json(path.read_bytes(), path=path)
        except OSError as error:
            raise I2IError("E_CKPT_INCOMPLETE", f"the card cannot be read ({error.strerror})", path=path) from error


# The union with Any: a caller knows which of the two their model is, and a checker should not ask again.
def load(
    model: str | Path,
    *,
    provider: Provider = "auto",
    threads: int | None = None,
    engine: Engine = "auto",
    direction: Direction = "a2b",
    tile: int | None = None,
) -> Translator | Any:
    """Open a model: a `Translator` of pictures, or the `Sampler` of one that makes pictures from noise.

    `provider` and `threads` are those of `OnnxSession`; with weights, "cuda" puts the network on the GPU, "auto" does
    where torch finds one, and `threads` sets torch's own number for the whole process. `engine`: "auto" takes the .onnx
    file where a folder holds one and onnxruntime is installed, else the weights. `direction`: which way, where a run
    folder translates both. `tile`: the side of the tiles of large pictures, see `Translator`.

    Raises `I2IError`: E_MODEL_NOT_FOUND, E_MISSING_PACKAGE, and those of `OnnxSession`, `load_model`, `Translator`.
    """
    session = open_session(resolve(model, engine=engine, direction=direction), provider=provider, threads=threads)
    if session.card.latent is None:
        return Translator(session, tile=tile)
    if tile is not None:
        raise I2IError("E_USAGE", f"model '{session.card.name}' makes pictures from noise, which have no tiles")
    return Sampler(session)


def open_model(
    model: ModelPath,
    *,
    provider: Provider = "auto",
    threads: int | None = None,
    tile: int | None = None,
    throughput: bool = False,
) -> Translator:
    """The translator of a model that has been found already. Raises as `load`, and E_CONDITION for a sampler."""
    session = open_session(model, provider=provider, threads=threads, throughput=throughput)
    return Translator(session, tile=tile)


def open_session(
    model: ModelPath, *, provider: Provider = "auto", threads: int | None = None, throughput: bool = False
) -> Session:
    """What runs a model that has been found already; `throughput` as `OnnxSession` has it. Raises as `load`."""
    if model.kind == "onnx":
        return OnnxSession(model.path, provider=provider, threads=threads, throughput=throughput)
    if provider not in ("auto", "cpu", "cuda"):
        message = f"weights run on torch, which has no provider {provider}; make an .onnx file of them (`i2i export`)"
        raise I2IError("E_USAGE", message)
    try:
        import torch

        from i2i.weights.session import TorchSession
        from i2i.weights.store import load_model
    except ModuleNotFoundError as error:
        raise missing_package(error.name or "torch", "train") from None
    if threads is not None:
        torch.set_num_threads(threads)
    cuda = provider == "cuda" or (provider == "auto" and torch.cuda.is_available())
    if provider == "cuda" and not torch.cuda.is_available():
        raise I2IError("E_MISSING_PACKAGE", "this torch has no CUDA device; use --provider cpu")
    generator, card = load_model(model.path)
    return TorchSession(generator, card, device="cuda" if cuda else "cpu")


def resolve(model: str | Path, *, engine: Engine = "auto", direction: Direction = "a2b") -> ModelPath:
    """Find a model. A path that is there comes before a name.

    Raises `I2IError` (E_MODEL_NOT_FOUND), which names the models that are there.
    """
    path = Path(model)
    if direction == "b2a":
        return _way_back(path, engine)
    if path.is_file():
        return _file(path, engine)
    found = _folder(path, engine)
    if found is not None:
        return found
    if path.name == str(model):
        for root in pretrained_folders():
            found = _folder(root / path.name, engine)
            if found is not None:
                return found
    raise _not_found(path)


def is_model(folder: Path) -> bool:
    """Whether a folder is a model's, or that of a run with a model."""
    return _has_model(folder) or _has_model(folder / "model")


def pretrained_folders() -> list[Path]:
    """Where names are looked up: `pretrained/` here, then in the checkout that this package runs from."""
    return [Path("pretrained"), Path(__file__).resolve().parent.parent / "pretrained"]


def known_models() -> list[str]:
    """The names of the models under `pretrained/`, sorted."""
    found: set[str] = set()
    for root in pretrained_folders():
        if root.is_dir():
            found.update(path.name for path in root.iterdir() if _has_model(path))
    return sorted(found)


def _way_back(run: Path, engine: Engine) -> ModelPath:
    found = _folder(run / "model-b2a", engine)
    if found is None:
        message = "holds no model-b2a: only the run folder of a training that translates both ways has a direction b2a"
        raise I2IError("E_MODEL_NOT_FOUND", message, path=run)
    return ModelPath(found.kind, found.path, run)


def _file(path: Path, engine: Engine) -> ModelPath:
    if path.name == WEIGHTS and engine != "onnx":
        return ModelPath("weights", path.parent)
    if path.suffix.lower() != ".onnx":
        message = "is not a model: expected an .onnx file, a model folder, a run folder or a name"
        raise I2IError("E_MODEL_NOT_FOUND", message, path=path)
    if engine == "torch":
        raise I2IError("E_USAGE", f"an .onnx file runs on onnxruntime, not on torch; give the folder of {WEIGHTS}")
    return ModelPath("onnx", path)


def _folder(path: Path, engine: Engine) -> ModelPath | None:
    run = None
    if not _has_model(path):
        if not _has_model(path / "model"):
            return None
        path, run = path / "model", path
    has_onnx, has_weights = (path / ONNX).is_file(), (path / WEIGHTS).is_file()
    if engine == "torch" and not has_weights:
        raise I2IError("E_MODEL_NOT_FOUND", f"holds no {WEIGHTS}, which torch needs", path=path)
    if engine == "onnx" and not has_onnx:
        raise I2IError("E_MODEL_NOT_FOUND", f"holds no {ONNX}; make one with `i2i export`", path=path)
    without_runtime = engine == "auto" and has_weights and importlib.util.find_spec("onnxruntime") is None
    if has_onnx and engine != "torch" and not without_runtime:
        return ModelPath("onnx", path / ONNX, run)
    return ModelPath("weights", path, run)


def _has_model(path: Path) -> bool:
    return (path / ONNX).is_file() or (path / WEIGHTS).is_file()


def _not_found(path: Path) -> I2IError:
    if path.exists():
        message = f"no {ONNX} or {WEIGHTS} in it or in its model/; is the training finished?"
        return I2IError("E_MODEL_NOT_FOUND", message, path=path)
    if len(path.parts) > 1 or path.suffix in (".onnx", ".safetensors"):
        return I2IError("E_MODEL_NOT_FOUND", "there is no such file or folder", path=path)
    known = known_models()
    if not known:
        return I2IError("E_MODEL_NOT_FOUND", f"no model '{path}': no such path, and nothing under pretrained/")
    return I2IError("E_MODEL_NOT_FOUND", unknown("model", str(path), known))
