"""A model folder: `model.safetensors` (weights, with the card in its metadata) and `card.json` (the card to read).

Nothing in a model file is ever executed: the header is checked, every name, shape and type must be what the card's
network has, and every number must be finite. Pickled checkpoints (.pth, .pt) are refused by content.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load as parse
from safetensors.torch import save as serialise
from torch import Tensor, nn

from i2i.errors import I2IError
from i2i.files import publish_bytes, publish_text
from i2i.images.card import METADATA_KEY, ImageCard
from i2i.networks import NETWORKS

WEIGHTS = "model.safetensors"
CARD = "card.json"
# What decides the pixels: these must be equal in both files. Step, metrics, licence ... may differ for a moment when
# a save is interrupted between the two; then the card inside the weights is the right one.
BINDING = ("source", "target", "value_range", "sizing", "scale", "condition", "latent", "network")

_HEADER_LIMIT = 100_000_000  # bytes; the format's own limit
_SHOWN_NAMES = 4


def save_model(
    folder: str | Path, generator: nn.Module, card: ImageCard, *, half: bool = False, overwrite: bool = False
) -> None:
    """Write the model folder, each file whole or not at all.

    `half` stores floating point numbers in 16 bits (they are 32 again when loaded). Raises `I2IError`: E_NONFINITE for
    weights that are NaN or infinite (also those too large for 16 bits), E_EXISTS without `overwrite`, E_NOSPACE, E_IO.
    """
    folder = Path(folder)
    tensors = {name: _stored(tensor, half=half) for name, tensor in generator.state_dict().items()}
    require_finite(tensors, folder / WEIGHTS)
    if not overwrite:
        _require_absent(folder)
    data = serialise(tensors, metadata={METADATA_KEY: card.to_json()})
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise I2IError("E_IO", f"the model folder cannot be made: {error.strerror}", path=folder) from None
    publish_bytes(folder / WEIGHTS, data, overwrite=overwrite)
    publish_text(folder / CARD, card.to_json() + "\n", overwrite=overwrite)


def read_card(folder: str | Path) -> ImageCard:
    """The card of a model folder, from `card.json`. Raises `I2IError`: E_CKPT_INCOMPLETE, _MISMATCH or _NEWER."""
    path = Path(folder) / CARD
    return ImageCard.from_json(_read(path), path=path)


def load_model(folder: str | Path) -> tuple[nn.Module, ImageCard]:
    """The generator of a model folder, in evaluation mode and float32, and its card.

    Raises `I2IError`: E_CKPT_INCOMPLETE for a missing or cut off file, E_CKPT_UNSAFE for a pickle or a hostile header,
    E_CKPT_MISMATCH when weights and card do not belong together, E_CKPT_NEWER, E_NONFINITE for NaN or infinity.
    """
    outer = read_card(folder)
    path = Path(folder) / WEIGHTS
    data = _read(path)
    header = _header(data, path)
    try:
        tensors = parse(data)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise I2IError("E_CKPT_UNSAFE", f"not a valid safetensors file: {error}", path=path) from None
    card = _card_of(header, outer, path)
    generator = _built(card, tensors, path)
    require_finite(tensors, path)
    generator.load_state_dict(tensors, strict=True)
    return generator.eval(), card


def _stored(tensor: Tensor, *, half: bool) -> Tensor:
    kept = tensor.detach().cpu()
    if kept.is_floating_point():
        kept = kept.to(torch.float16 if half else torch.float32)
    return kept.clone(memory_format=torch.contiguous_format)


def _require_absent(folder: Path) -> None:
    for path in (folder / WEIGHTS, folder / CARD):
        if path.exists():
            raise I2IError("E_EXISTS", "is there already; choose another folder, or ask to overwrite", path=path)


def require_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raise `I2IError` (E_NONFINITE) naming the weights that hold NaN or infinity; `path` is the file they go to."""
    bad = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if bad:
        raise I2IError("E_NONFINITE", f"weights are NaN or infinite: {_shown(bad)}", path=path)


def _read(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise I2IError("E_NOT_REGULAR", "not a regular file", path=path)
        return path.read_bytes()
    except FileNotFoundError:
        message = "missing; a model folder holds model.safetensors and card.json: copy the whole folder"
        raise I2IError("E_CKPT_INCOMPLETE", message, path=path) from None
    except OSError as error:
        raise I2IError("E_IO", f"cannot be read: {error.strerror}", path=path) from None


def _header(data: bytes, path: Path) -> dict[str, object]:
    """The checked JSON header: first what tells a pickle, then the length, then the JSON and the offsets' end."""
    if data[8:9] != b"{" and data[:1] in (b"\x80", b"P"):  # the bytes that pickles and zip files start with
        message = "a pickled checkpoint (.pth, .pt), which can run code when opened; i2i loads safetensors only"
        raise I2IError("E_CKPT_UNSAFE", message, path=path)
    length = int.from_bytes(data[:8], "little")
    if len(data) >= 8 and length > _HEADER_LIMIT:
        raise I2IError("E_CKPT_UNSAFE", f"not a safetensors file: its header would be {length} bytes long", path=path)
    if len(data) < 8 + length or length == 0:
        raise I2IError("E_CKPT_INCOMPLETE", f"cut off after {len(data)} bytes; copy it again", path=path)
    try:
        header = json.loads(data[8 : 8 + length])
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        needed = 8 + length + max(ends, default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise I2IError("E_CKPT_UNSAFE", "not a safetensors file: its header is malformed", path=path) from None
    if len(data) < needed:
        raise I2IError("E_CKPT_INCOMPLETE", f"cut off: {len(data)} of {needed} bytes; copy it again", path=path)
    return dict(header)


def _card_of(header: Mapping[str, object], outer: ImageCard, path: Path) -> ImageCard:
    """The card inside the weights, or the one beside them where there is none; both must describe one translator."""
    metadata = header.get("__metadata__")
    text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        return outer
    inner = ImageCard.from_json(text, path=path)
    differing = [field for field in BINDING if getattr(inner, field) != getattr(outer, field)]
    if differing:
        message = f"its card and {CARD} differ in {', '.join(differing)}; they belong to different models"
        raise I2IError("E_CKPT_MISMATCH", message, path=path)
    return inner


def _built(card: ImageCard, tensors: Mapping[str, Tensor], path: Path) -> nn.Module:
    """The card's network, its weights still random, after its names, shapes and types were found to fit."""
    try:
        with torch.device("meta"):  # nothing is allocated until the file is known to fill it
            _require_fit(NETWORKS[card.network.type](**card.network.arguments).state_dict(), tensors, path)
        with torch.random.fork_rng(devices=[]):
            network = NETWORKS[card.network.type](**card.network.arguments)
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError, OverflowError) as error:
        message = f"the network '{card.network.type}' of the card cannot be built: {error}"
        raise I2IError("E_CKPT_MISMATCH", message, path=path) from None
    except I2IError as error:
        raise I2IError("E_CKPT_MISMATCH", error.message, path=path) from None
    assert isinstance(network, nn.Module)
    return network


def _require_fit(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], path: Path) -> None:
    missing, surplus = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if missing or surplus:
        parts = [f"{word}: {_shown(names)}" for word, names in (("missing", missing), ("unexpected", surplus)) if names]
        raise I2IError("E_CKPT_MISMATCH", f"the weights are not the card's network: {'; '.join(parts)}", path=path)
    for name, tensor in wanted.items():
        other = found[name]
        if tensor.shape != other.shape or tensor.is_floating_point() != other.is_floating_point():
            came, expected = _described(other), _described(tensor)
            message = f"the weights are not the card's network: {name} is {came}, expected {expected}"
            raise I2IError("E_CKPT_MISMATCH", message, path=path)


def _described(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more
