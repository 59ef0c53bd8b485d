"""Files that are either absent or complete, whatever stops the program: publishing, sweeping, locking, digests.

A file is written under a temporary name in its own folder, flushed to the disk and only then given its final name.
Temporary names look like `.i2i-tmp-<pid>-<host>-<run>-<n>`; what a dead process left behind is found by that.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from i2i.errors import I2IError

TEMPORARY = ".i2i-tmp-"
LOCK_NAME = ".lock"

_NAME = re.compile(r"\.i2i-tmp-(\d+)-([0-9a-f]{8})-([0-9a-f]{8})-\d+")
_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
_RUN = secrets.token_hex(4)
_COUNTER = itertools.count()
_FOREIGN_SECONDS = 24 * 3600.0
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def publish(path: Path | str, write: Callable[[BinaryIO], None], *, overwrite: bool = False) -> None:
    """Let `write` fill a file and give it the name `path` once it is complete and on the disk.

    Missing folders are made. Raises `I2IError`: E_EXISTS when the name is taken and `overwrite` is off, E_NOSPACE when
    the disk or the quota is full, E_IO for everything else the system refuses. After a failure nothing new lies under
    any name; what was there stays. On file systems without hard links the test for an existing file and the renaming
    are two steps, so a file that another program makes in between is replaced.
    """
    path = Path(path)
    if not overwrite and os.path.lexists(path):
        raise _exists(path)
    temporary = _temporary(path.parent)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _fill(temporary, write)
            _rename(temporary, path, overwrite=overwrite)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
        _sync_folder(path.parent)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise _failure(error, path) from error


def publish_bytes(path: Path | str, data: bytes, *, overwrite: bool = False) -> None:
    """`publish` with the whole content at hand."""
    publish(path, lambda file: _write_all(file, data), overwrite=overwrite)


def publish_text(path: Path | str, text: str, *, overwrite: bool = False) -> None:
    """`publish` for text: UTF-8, lines end as they are given."""
    publish_bytes(path, text.encode("utf-8"), overwrite=overwrite)


def publish_folder(path: Path | str, contents: Mapping[str, bytes]) -> None:
    """Make a folder of files that appears under its name all at once, complete and on the disk.

    The files are written in the order given; a name may lead into folders below (`models/1/card.json`). Raises
    `I2IError`: E_EXISTS when the name is taken, E_NOSPACE, E_IO; after a failure nothing lies under the name.
    """
    path = Path(path)
    if os.path.lexists(path):
        raise _exists(path)
    temporary = _temporary(path.parent)
    try:
        temporary.mkdir(parents=True)
        try:
            for name, data in contents.items():
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                _fill(temporary / name, lambda file, data=data: _write_all(file, data))  # type: ignore[misc]
            for folder in {temporary, *((temporary / name).parent for name in contents)}:
                _sync_folder(folder)
            temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise _failure(error, path) from error


def sweep(folder: Path | str) -> int:
    """Remove temporary files and folders of dead processes in `folder` and below; returns how many.

    A file of another machine (the folder may be shared) is left alone until it is a day old. Files that cannot be
    removed are left; links are not followed.
    """
    removed = 0
    for parent, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            if not name.startswith(TEMPORARY):
                continue
            path = Path(parent, name)
            with suppress(OSError):
                if _is_abandoned(path):
                    shutil.rmtree(path) if name in folders else path.unlink()
                    removed += 1
    return removed


@contextmanager
def lock(folder: Path | str) -> Iterator[None]:
    """Hold `folder` (made when missing) against other processes while the block runs.

    The system itself drops the lock when the holder dies, so a dead holder never blocks. Raises `I2IError`: E_LOCKED
    with the process number of a live holder, E_IO when the folder cannot be locked.
    """
    import fcntl

    path = Path(folder) / LOCK_NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise _failure(error, path) from error
    _HELD.add(handle)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            message = f"the folder is in use by process {holder}; wait for it, stop it, or use another folder"
            raise I2IError("E_LOCKED", message, path=folder) from None
        except OSError as error:
            raise _failure(error, path) from error
        yield
    finally:
        _HELD.discard(handle)
        os.close(handle)


def sha256(path: Path | str) -> str:
    """The SHA-256 of the file's bytes in hexadecimal. Raises `I2IError` E_UNREADABLE."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise I2IError("E_UNREADABLE", f"cannot be read: {error.strerror}", path=path) from error


def _temporary(folder: Path) -> Path:
    return folder / f"{TEMPORARY}{os.getpid()}-{_HOST}-{_RUN}-{next(_COUNTER)}"


def _fill(temporary: Path, write: Callable[[BinaryIO], None]) -> None:
    with temporary.open("xb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def _write_all(file: BinaryIO, data: bytes) -> None:
    file.write(data)


def _rename(temporary: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(path)
        return
    try:
        # A hard link refuses a taken name, which no portable rename does.
        path.hardlink_to(temporary)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "exists", str(path)) from None
        temporary.replace(path)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_abandoned(path: Path) -> bool:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return False
    pid, host, run = int(match[1]), match[2], match[3]
    if host != _HOST:
        return time.time() - path.stat(follow_symlinks=False).st_mtime > _FOREIGN_SECONDS
    if pid == os.getpid():
        return run != _RUN  # in a container the restarted program often gets its old number again
    return not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _exists(path: Path) -> I2IError:
    return I2IError("E_EXISTS", "exists already; choose another name or allow overwriting", path=path)


def _failure(error: OSError, path: Path) -> I2IError:
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return I2IError("E_NOSPACE", f"cannot be written: {reason}; free some space and run again", path=path)
    return I2IError("E_IO", f"cannot be written: {reason}", path=path)


# A forked child (a data loader's worker) inherits the lock; it must not keep it when the parent dies.
_HELD: set[int] = set()


def _close_inherited_locks() -> None:
    for handle in _HELD:
        with suppress(OSError):
            os.close(handle)
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited_locks)
