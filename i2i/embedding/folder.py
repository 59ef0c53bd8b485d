"""Where the folder goes: never over a model, and over an earlier one without leaving what that alone had."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from i2i import files
from i2i.errors import I2IError
from i2i.loading import ModelPath, is_model

LIST = "embedded.json"


def listed(contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files, and behind them one that lists them with their digests, by which a later `publish` knows them."""
    return {**contents, LIST: _list({name: [hashlib.sha256(data).hexdigest()] for name, data in contents.items()})}


def refuse_models(output: Path, models: Sequence[ModelPath]) -> None:
    """Raise `I2IError` (E_INOUT_OVERLAP) where files would be written beside a model, whose page they would replace.

    Beside one of these `models`, whether it is a folder of ours or not, above one in a folder of ours, which might be
    cleared of it, and in any model's or run's folder that no `publish` has written.
    """
    several = [output / f"models/{number}" for number, _ in enumerate(models, 1)] if len(models) > 1 else []
    own = {
        folder.resolve()
        for model in models
        for folder in (model.path.parent, model.path.resolve().parent, model.run)
        if folder is not None
    }
    ours = (output / LIST).is_file()
    for place in [output, *several]:
        if place.resolve() in own or (ours and any(folder.is_relative_to(place.resolve()) for folder in own)):
            raise I2IError("E_INOUT_OVERLAP", "holds the model itself; choose another folder", path=place)
    if is_model(output) and not ours:
        message = "is the folder of a model, whose files would be replaced; choose another folder, or remove it first"
        raise I2IError("E_INOUT_OVERLAP", message, path=output)


def publish(output: Path, contents: Mapping[str, bytes], *, overwrite: bool) -> None:
    """Write what `listed` gave: the folder appears complete; one that is there gets file by file, each old or new.

    With `overwrite` the files of an earlier one that are no longer needed are removed, if they are as they were
    written; all others stay. Raises `I2IError`: E_EXISTS without it, E_NOSPACE, E_IO.
    """
    if not overwrite or not output.is_dir():
        files.publish_folder(output, contents)
        return
    earlier, now = _earlier(output), _digests(contents[LIST])
    both = {name: [*earlier.get(name, ()), *now.get(name, ())] for name in [*earlier, *now]}
    files.publish_bytes(output / LIST, _list(both), overwrite=True)  # what lies here if the rest is interrupted
    for name, data in contents.items():
        if name == LIST:  # the last one
            _remove(output, {old: digests for old, digests in earlier.items() if old not in contents})
        files.publish_bytes(output / name, data, overwrite=True)


def _list(digests: Mapping[str, Sequence[str]]) -> bytes:
    return f"{json.dumps({'files': digests}, indent=1)}\n".encode()


def _digests(data: bytes) -> dict[str, list[str]]:
    """The digests that a file may have, by its name in a list."""
    found = json.loads(data)["files"]
    return {name: [digest for digest in digests if isinstance(digest, str)] for name, digests in found.items()}


def _earlier(output: Path) -> dict[str, list[str]]:
    """What lies in a folder by its list; nothing where it has no list that can be read."""
    try:
        return _digests((output / LIST).read_bytes())
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _remove(output: Path, digests: Mapping[str, Sequence[str]]) -> None:
    """Remove files that have one of these digests, and the folders that are empty then.

    A name that leads out of the folder, which we would not have written, is passed over.
    """
    root = output.resolve()
    for name, known in digests.items():
        path = output / name
        try:
            inside = path.parent.resolve().is_relative_to(root)
            if not inside or not stat.S_ISREG(path.lstat().st_mode) or files.sha256(path) not in known:
                continue
            path.unlink()
            for folder in Path(name).parents[:-1]:
                (output / folder).rmdir()
        except (OSError, ValueError, I2IError):  # gone already, not empty, or not to be removed: it stays as it is
            continue
