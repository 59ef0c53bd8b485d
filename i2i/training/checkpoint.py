"""Checkpoints: all that a run needs to go on, bit for bit, in a folder that is complete or not there.

`checkpoints/step-00001200/` holds `state.safetensors` (tensors), `state.json` (numbers and words) and, written last,
`MANIFEST.json` with the step, the recipe's digest and the size and SHA-256 of each file. The folder is written under a
temporary name and renamed when everything in it is on the disk. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from i2i import files
from i2i.errors import I2IError

CHECKPOINT_FORMAT = 1
_TENSORS, _WORDS, _MANIFEST = "state.safetensors", "state.json", "MANIFEST.json"
_PREFIX = "step-"


def save(folder: Path, state: Mapping[str, Any], *, step: int, digest: str, keep: int = 2) -> Path:
    """Write the state after `step` steps under `folder`, then drop all but the newest `keep` checkpoints.

    `state` is a tree of mappings with string keys whose leaves are tensors or JSON values. Raises `I2IError`:
    E_NONFINITE when a tensor holds NaN or infinity (nothing is written), E_NOSPACE or E_IO from the disk.
    """
    from safetensors.torch import save as to_bytes

    tensors, words = flatten(state)
    _refuse_nonfinite(tensors)
    final = folder / f"{_PREFIX}{step:08d}"
    files.sweep(folder)
    if final.exists():  # left by a run that was stopped right after it
        _drop(final)
    contents = {_TENSORS: to_bytes(tensors), _WORDS: json.dumps(words).encode()}
    listed = {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in contents.items()}
    manifest = {"format": CHECKPOINT_FORMAT, "step": step, "recipe": digest, "files": listed}
    files.publish_folder(final, {**contents, _MANIFEST: json.dumps(manifest, indent=2).encode()})
    # Newer ones are damaged, or this run would not be here: they do not count, and are left for the user to look at.
    for old in sorted(path for path in folder.glob(f"{_PREFIX}*") if path.is_dir() and path.name <= final.name)[:-keep]:
        _drop(old)
    return final


def newest(folder: Path) -> tuple[Path, list[str]]:
    """The newest checkpoint that proves complete, and a line for each newer one that does not.

    Raises `I2IError` (E_CKPT_INCOMPLETE) when there is none: a run never starts over by itself.
    """
    complaints: list[str] = []
    for path in sorted((p for p in folder.glob(f"{_PREFIX}*") if p.is_dir()), reverse=True):
        try:
            verify(path)
        except I2IError as error:
            complaints.append(f"passed over {path.name}: {error.message}")
            continue
        return path, complaints
    found = "; ".join(complaints) or "there is none"
    message = f"no complete checkpoint to resume from ({found}); train into another folder to start anew"
    raise I2IError("E_CKPT_INCOMPLETE", message, path=folder)


def verify(path: Path) -> dict[str, Any]:
    """The manifest of a checkpoint whose files all have the size and digest that it names.

    Raises `I2IError`: E_CKPT_INCOMPLETE, E_CKPT_DIGEST or E_CKPT_NEWER.
    """
    try:
        manifest: dict[str, Any] = json.loads((path / _MANIFEST).read_text())
        listed = {str(name): entry for name, entry in manifest["files"].items()}
        version, _ = int(manifest["format"]), int(manifest["step"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise I2IError("E_CKPT_INCOMPLETE", f"no readable {_MANIFEST}", path=path) from None
    if version > CHECKPOINT_FORMAT:
        raise I2IError("E_CKPT_NEWER", f"written by a later i2i (format {version}); upgrade i2i", path=path)
    for name, entry in listed.items():
        file = path / Path(name).name
        if not file.is_file() or file.stat().st_size != entry["bytes"]:
            raise I2IError("E_CKPT_INCOMPLETE", f"{name} is missing or cut short", path=path)
        if files.sha256(file) != entry["sha256"]:
            raise I2IError("E_CKPT_DIGEST", f"{name} is not what was written", path=path)
    return manifest


def read(path: Path) -> dict[str, Any]:
    """The state of a verified checkpoint, as the tree that was saved."""
    from safetensors.torch import load

    verify(path)
    tensors = load((path / _TENSORS).read_bytes())
    return unflatten({**json.loads((path / _WORDS).read_text()), **tensors})


def digest(state: Mapping[str, Any]) -> str:
    """SHA-256 over every name, shape, type and byte of a state: equal digests mean equal states."""
    tensors, words = flatten(state)
    total = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def flatten(state: Mapping[str, Any], prefix: str = "") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Leaves by their path, `a/b/c`: tensors (contiguous, on the CPU) and JSON values apart."""
    tensors: dict[str, Tensor] = {}
    words: dict[str, Any] = {}
    for key, value in state.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            inner_tensors, inner_words = flatten(value, f"{path}/")
            tensors |= inner_tensors
            words |= inner_words
        elif isinstance(value, Tensor):
            tensors[path] = value.detach().cpu().contiguous()
        else:
            words[path] = value
    return tensors, words


def unflatten(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """The tree whose leaves `flatten` gave."""
    tree: dict[str, Any] = {}
    for path, value in leaves.items():
        *parents, last = path.split("/")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = value
    return tree


def _refuse_nonfinite(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise I2IError("E_NONFINITE", f"{name} holds NaN or infinity")


def _drop(path: Path) -> None:
    """Delete a checkpoint: the manifest first, so that a half-deleted one cannot pass for whole."""
    (path / _MANIFEST).unlink(missing_ok=True)
    for name in (_TENSORS, _WORDS):
        (path / name).unlink(missing_ok=True)
    if not any(path.iterdir()):
        path.rmdir()
