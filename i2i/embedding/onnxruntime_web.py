"""onnxruntime-web, which runs the model in a browser: had once by the user's own npm, checked, and kept in a cache.

Three files of the package are enough: the WebAssembly build for the CPU, which runs on one thread where a page may not
use more.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from i2i.errors import I2IError
from i2i.files import publish_bytes

VERSION = "1.30.0"
PACKAGE = f"onnxruntime-web@{VERSION}"
# npm's own integrity hash of the package's archive, and SHA-256 of what is taken out of it.
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
FILES = {
    "ort.wasm.min.mjs": "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b",
    "ort-wasm-simd-threaded.mjs": "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
_SECONDS = 300
_REMEDY = "go online once, name a folder that holds it (--onnxruntime-web DIR), or leave the page out (--no-page)"


def onnxruntime_web(folder: Path | None = None) -> dict[str, bytes]:
    """The files by name: those of `folder` (an unpacked package, its `dist`, or `node_modules`), whatever their
    version; or those of version `VERSION`, from the cache or, the first time, by `npm pack`.

    Raises `I2IError`: E_UNREADABLE when the folder lacks a file, E_MISSING_PACKAGE without
    npm, E_DOWNLOAD when npm cannot fetch the package or fetches another one, E_IO and E_NOSPACE.
    """
    if folder is not None:
        return _given(folder)
    cache = cache_folder() / f"onnxruntime-web-{VERSION}"
    kept = _kept(cache)
    if kept is not None:
        return kept
    found = _fetched()
    for name, data in found.items():
        publish_bytes(cache / name, data, overwrite=True)
    return found


def cache_folder(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where this user's programs keep what they can fetch again, `i2i` in it."""
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local", "i2i", "cache")
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / "i2i"
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache", "i2i")


def _given(folder: Path) -> dict[str, bytes]:
    for place in (folder, folder / "dist", folder / "onnxruntime-web" / "dist"):
        if all((place / name).is_file() for name in FILES):
            return {name: _read(place / name) for name in FILES}
    message = f"holds no onnxruntime-web: expected {', '.join(FILES)} in it or in its dist/ (`npm pack {PACKAGE}`)"
    raise I2IError("E_UNREADABLE", message, path=folder)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise I2IError("E_UNREADABLE", f"cannot be read ({error.strerror})", path=path) from error


def _kept(cache: Path) -> dict[str, bytes] | None:
    """The files of the cache, or None where one is missing or is not what was kept."""
    found = {name: (cache / name).read_bytes() for name in FILES if (cache / name).is_file()}
    return found if _digests(found) == FILES else None


def _fetched() -> dict[str, bytes]:
    npm = shutil.which("npm")
    if npm is None:
        message = f"npm, which fetches {PACKAGE} for the page, is not installed; install Node.js, or {_REMEDY}"
        raise I2IError("E_MISSING_PACKAGE", message)
    with tempfile.TemporaryDirectory() as scratch:
        # No `--ignore-scripts` is needed: a packed package is not installed. One retry: offline should be told soon.
        words = [npm, "pack", PACKAGE, "--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
        try:
            run = subprocess.run(words, cwd=scratch, capture_output=True, text=True, check=False, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            raise I2IError("E_DOWNLOAD", f"npm took over {_SECONDS} s to fetch {PACKAGE}; {_REMEDY}") from None
        archives = sorted(Path(scratch).glob("*.tgz"))
        if run.returncode or not archives:
            raise I2IError("E_DOWNLOAD", f"npm cannot fetch {PACKAGE} ({_reason(run.stderr)}); {_REMEDY}")
        return _unpacked(archives[0].read_bytes())


def _unpacked(archive: bytes) -> dict[str, bytes]:
    """The files out of the archive. Raises `I2IError` (E_DOWNLOAD) unless it is the very archive that is pinned."""
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode("ascii")
    if digest != INTEGRITY:
        message = f"npm's {PACKAGE} is not the one that i2i knows (its hash is {digest}); nothing of it is used"
        raise I2IError("E_DOWNLOAD", f"{message}. Check npm's registry, or {_REMEDY}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        members = {name: opened.extractfile(f"package/dist/{name}") for name in FILES}
        return {name: member.read() for name, member in members.items() if member is not None}


def _digests(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


def _reason(stderr: str) -> str:
    lines = [line.removeprefix("npm error").strip() for line in stderr.splitlines()]
    told = [line for line in lines if line and not line.startswith(("A complete log", "code ", "errno "))]
    return told[0][:200] if told else "it says nothing"
