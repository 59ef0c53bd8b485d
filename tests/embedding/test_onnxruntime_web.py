"""Where onnxruntime-web comes from: a folder, the cache, npm; and what is said when it does not."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from i2i.embedding.onnxruntime_web import FILES, PACKAGE, VERSION, cache_folder, onnxruntime_web
from i2i.errors import I2IError
from tests.embedding.tiny import FAKE

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache folder of this user's, and an empty one of npm's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setattr("sys.platform", "linux")
    return tmp_path / "cache" / "i2i" / f"onnxruntime-web-{VERSION}"


@pytest.fixture
def registry(monkeypatch) -> Iterator[None]:
    """A registry on this machine whose onnxruntime-web is an archive of other files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in {"package.json": b"{}", **{f"dist/{name}": data for name, data in FAKE.items()}}.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    data = buffer.getvalue()

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self):
            body = data if self.path.endswith(".tgz") else json.dumps(described(self.server.server_port, data)).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/")
    yield
    server.shutdown()
    server.server_close()


def described(port: int, data: bytes) -> dict[str, object]:
    """What a registry says of a package: its own hash of its own archive."""
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    dist = {"tarball": f"http://127.0.0.1:{port}/o.tgz", "integrity": integrity}
    version = {"name": "onnxruntime-web", "version": VERSION, "dist": dist}
    return {"name": "onnxruntime-web", "dist-tags": {"latest": VERSION}, "versions": {VERSION: version}}


@pytest.mark.parametrize("place", ["", "dist", "onnxruntime-web/dist"])
def test_a_folder_is_taken_as_it_is(place, tmp_path):
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    for name, data in FAKE.items():
        (tmp_path / place / name).write_bytes(data)
    assert onnxruntime_web(tmp_path) == FAKE


def test_a_folder_without_it_says_what_is_expected(tmp_path):
    with pytest.raises(I2IError, match=f"expected ort.wasm.min.mjs.*npm pack {PACKAGE}") as caught:
        onnxruntime_web(tmp_path)
    assert caught.value.code == "E_UNREADABLE"


def test_without_npm_the_ways_out_are_named(cache, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(I2IError, match=r"install Node.js.*--onnxruntime-web DIR.*--no-page") as caught:
        onnxruntime_web()
    assert caught.value.code == "E_MISSING_PACKAGE"


@needs_npm
def test_offline_the_ways_out_are_named(cache, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")  # nobody listens there
    with pytest.raises(I2IError, match=r"cannot fetch.*go online once.*--no-page") as caught:
        onnxruntime_web()
    assert caught.value.code == "E_DOWNLOAD"
    assert not cache.exists()


@needs_npm
def test_another_archive_under_the_pinned_name_is_refused(cache, registry):
    with pytest.raises(I2IError, match="is not the one that i2i knows") as caught:
        onnxruntime_web()
    assert caught.value.code == "E_DOWNLOAD"
    assert not cache.exists()


def test_a_damaged_cache_is_not_used(cache, monkeypatch):
    cache.mkdir(parents=True)
    for name, data in FAKE.items():
        (cache / name).write_bytes(data)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(I2IError, match="npm, which fetches"):
        onnxruntime_web()


@needs_npm
@pytest.mark.slow
def test_what_npm_brings_is_kept_and_used_again(cache, monkeypatch):
    found = onnxruntime_web()
    assert {name: hashlib.sha256(data).hexdigest() for name, data in found.items()} == FILES
    monkeypatch.setenv("PATH", "")
    assert onnxruntime_web() == found
    assert {path.name for path in cache.iterdir()} == set(FILES)


def test_each_system_has_its_cache_folder():
    assert cache_folder({"XDG_CACHE_HOME": "x"}, "linux") == Path("x/i2i")
    assert cache_folder({"LOCALAPPDATA": "y"}, "win32") == Path("y/i2i/cache")
    assert cache_folder({}, "darwin").parts[-3:] == ("Library", "Caches", "i2i")
