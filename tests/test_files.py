"""Published files are absent or complete, whatever happens; left-overs are found; a folder has one holder."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from i2i import files
from i2i.errors import I2IError

DATA = bytes(range(256)) * 40


def in_child(code: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter; `folder` is its working folder."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def temporaries(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.name.startswith(files.TEMPORARY)]


def refused(code: str) -> pytest.RaisesExc[I2IError]:
    return pytest.raises(I2IError, check=lambda error: error.code == code)


def test_a_published_file_holds_what_was_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    files.publish_bytes(tmp_path / "new" / "a.bin", DATA)
    files.publish_text(str(tmp_path / "b.txt"), "ä\r\n")
    assert (tmp_path / "new" / "a.bin").read_bytes() == DATA
    assert (tmp_path / "b.txt").read_bytes() == b"\xc3\xa4\r\n"
    assert temporaries(tmp_path) == []


def test_an_existing_name_is_kept_unless_overwriting_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with refused("E_EXISTS"):
        files.publish_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    files.publish_bytes(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"
    (tmp_path / "link").symlink_to("nowhere")
    with refused("E_EXISTS"):
        files.publish_bytes(tmp_path / "link", b"new")
    assert temporaries(tmp_path) == []


def test_a_name_taken_while_writing_is_not_clobbered(tmp_path: Path) -> None:
    path = tmp_path / "a"

    def write(file: BinaryIO) -> None:
        file.write(b"ours")
        path.write_bytes(b"theirs")

    with refused("E_EXISTS"):
        files.publish(path, write)
    assert path.read_bytes() == b"theirs"
    assert temporaries(tmp_path) == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_failing_writer_leaves_everything_as_it_was(tmp_path: Path, overwrite: bool) -> None:
    path = tmp_path / "a"
    if overwrite:
        path.write_bytes(b"old")

    def write(file: BinaryIO) -> None:
        file.write(DATA)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        files.publish(path, write, overwrite=overwrite)
    assert [p.name for p in tmp_path.iterdir()] == (["a"] if overwrite else [])
    assert not overwrite or path.read_bytes() == b"old"


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    files.publish_bytes(tmp_path / "a", b"")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_path_below_a_file_or_onto_a_folder_is_an_io_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with refused("E_IO"):
        files.publish_bytes(tmp_path / "folder", b"", overwrite=True)
    with pytest.raises(I2IError):
        files.publish_bytes(tmp_path / "file" / "a", b"")
    assert temporaries(tmp_path) == []


# The names of the system's functions in the order in which publish calls them.
RECORD = """
import sys
from i2i import files
calls = []
def record(frame, event, function):
    if event == "c_call" and function.__name__ in ("fsync", "link", "unlink", "replace", "flush", "write"):
        calls.append(function.__name__)
sys.setprofile(record)
files.publish_bytes("a", b"x" * 9, overwrite=sys.argv[1] == "True")
sys.setprofile(None)
print(*calls)
"""


@pytest.mark.parametrize(
    ("overwrite", "calls"),
    [(False, "write flush fsync link unlink fsync"), (True, "write flush fsync replace unlink fsync")],
)
def test_the_file_is_on_the_disk_before_it_has_its_name_and_the_folder_after(
    tmp_path: Path, overwrite: bool, calls: str
) -> None:
    result = in_child(RECORD, overwrite, folder=tmp_path)
    assert result.stdout.strip() == calls, result.stderr


# Forks a child for each line of i2i/files.py that publishing runs through and kills it there; prints what lies there.
KILL = """
import os, signal, sys
from pathlib import Path
from i2i import files
overwrite = sys.argv[1] == "True"
data = b"n" * 300_000
def write(file):
    for start in range(0, len(data), 100_000):
        file.write(data[start : start + 100_000])
        file.flush()
def child(kill_at):
    left = kill_at
    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename not in (files.__file__, "<string>"):
            return None
        left -= event == "line"
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)
    files.publish("a", write, overwrite=overwrite)
    sys.settrace(None)
    os._exit(0)
for kill_at in range(1, 500):
    Path("a").unlink(missing_ok=True)
    if overwrite:
        Path("a").write_bytes(b"old")
    pid = os.fork()
    if not pid:
        child(kill_at)
    status = os.waitpid(pid, 0)[1]
    names = [name for name in os.listdir() if name != "a"]
    known = {None: "absent", b"old": "old", data: "new"}
    content = Path("a").read_bytes() if Path("a").exists() else None
    print(os.WIFSIGNALED(status), known.get(content, "PARTIAL"), len(names), files.sweep("."), len(os.listdir()))
    if not os.WIFSIGNALED(status):
        break
"""


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_kill_at_any_line_leaves_the_name_absent_or_complete(tmp_path: Path, overwrite: bool) -> None:
    result = in_child(KILL, overwrite, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    before = "old" if overwrite else "absent"
    states = [row[1] for row in rows]
    done = states.index("new")
    assert done > 15  # the kills hit every phase: nothing, temporary file, published, temporary name gone
    assert states == [before] * done + ["new"] * (len(rows) - done)
    assert len(rows) - done > 5
    assert any(row[2] == "1" for row in rows[:done])
    assert rows[-1][0] == "False"
    assert all(row[2] == row[3] for row in rows)  # the sweep finds every left-over
    assert all(int(row[4]) == (row[1] != "absent") for row in rows)


LIMITED = """
import resource, sys
from i2i import files
from i2i.errors import I2IError
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
files.publish_bytes("fits", bytes(10_000))
for overwrite in (False, True):
    try:
        files.publish_bytes("a", bytes(10_001), overwrite=overwrite)
    except I2IError as error:
        print(error.code, int(error.exit_code))
"""


def test_a_file_beyond_the_quota_is_an_error_of_space_and_leaves_nothing(tmp_path: Path) -> None:
    result = in_child(LIMITED, folder=tmp_path)
    assert result.stdout.splitlines() == ["E_NOSPACE 4"] * 2, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["fits"]


FULL = """
import ctypes, os, sys
from pathlib import Path
from i2i import files
from i2i.errors import I2IError
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC_PRIVATE = 0x20000, 0x44000
os.makedirs("small")
if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None):
    sys.exit("no mounts here")
if libc.mount(b"tmpfs", b"small", b"tmpfs", 0, b"size=64k"):
    sys.exit("no mounts here")
files.publish_bytes("small/old", b"old")
for name, overwrite in (("new", False), ("old", True)):
    try:
        files.publish_bytes("small/" + name, bytes(200_000), overwrite=overwrite)
    except I2IError as error:
        print(error.code)
print(sorted(os.listdir("small")), Path("small/old").read_bytes())
"""


def test_a_full_disk_is_an_error_of_space_and_leaves_what_was_there(tmp_path: Path) -> None:
    result = in_child(FULL, folder=tmp_path)
    if "no mounts here" in result.stderr:
        pytest.skip("a small file system cannot be mounted here")
    assert result.stdout.splitlines() == ["E_NOSPACE", "E_NOSPACE", "['old'] b'old'"], result.stderr


# Root may write anywhere, so the child becomes nobody first.
READ_ONLY = """
import fcntl, os, sys
from i2i import files
from i2i.errors import I2IError
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for act in (lambda: files.publish_bytes(sys.argv[1] + "/a", b"x"), lambda: files.lock(sys.argv[1]).__enter__()):
    try:
        act()
    except I2IError as error:
        print(error.code, int(error.exit_code))
print(files.sweep(sys.argv[1]))
"""


def test_a_read_only_folder_is_an_io_error_and_keeps_its_files(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users
        folder = Path(name)
        left_over = folder / f"{files.TEMPORARY}999999999-{files._HOST}-{'0' * 8}-0"
        left_over.touch()
        folder.chmod(0o555)
        result = in_child(READ_ONLY, folder, folder=tmp_path)
        assert result.stdout.split() == ["E_IO", "4", "E_IO", "4", "0"], result.stderr
        assert [path.name for path in folder.iterdir()] == [left_over.name]
        folder.chmod(0o755)


NO_LINKS = """
import errno, os, sys
from pathlib import Path
from i2i import files
from i2i.errors import I2IError
def refuse(event, arguments):
    if event == "os.link":
        raise OSError(errno.EPERM, "Operation not permitted")
sys.addaudithook(refuse)
files.publish_bytes("a", b"one")
def write(file):
    Path("b").write_bytes(b"theirs")
    file.write(b"ours")
try:
    files.publish("b", write)
except I2IError as error:
    print(error.code)
print(Path("a").read_text(), Path("b").read_text(), sorted(os.listdir()))
"""


def test_a_file_system_without_hard_links_is_served_by_renaming(tmp_path: Path) -> None:
    result = in_child(NO_LINKS, folder=tmp_path)
    assert result.stdout.splitlines() == ["E_EXISTS", "one theirs ['a', 'b']"], result.stderr


def test_a_published_folder_appears_whole_and_never_over_another(tmp_path: Path) -> None:
    files.publish_folder(tmp_path / "run" / "one", {"a": DATA, "b": b""})
    assert {path.name: path.read_bytes() for path in (tmp_path / "run" / "one").iterdir()} == {"a": DATA, "b": b""}
    with refused("E_EXISTS"):
        files.publish_folder(tmp_path / "run" / "one", {"c": b""})
    with pytest.raises(I2IError):
        files.publish_folder(tmp_path / "run" / "two", {"a": b"", "a/b": b""})
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["one"]
    files.publish_folder(tmp_path / "deep", {"a": b"", "models/1/card.json": DATA})
    assert (tmp_path / "deep" / "models" / "1" / "card.json").read_bytes() == DATA


def test_the_sweep_removes_only_what_dead_processes_left(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    host, run, other = files._HOST, files._RUN, "0123abcd"
    old = time.time() - 2 * 24 * 3600
    left = {
        f"{dead.pid}-{host}-{other}-0": True,
        f"{os.getpid()}-{host}-{other}-0": True,  # an earlier process with our number, as in a container
        f"{os.getpid()}-{host}-{run}-7": False,  # being written by us
        f"{os.getppid()}-{host}-{other}-0": False,  # alive
        f"{dead.pid}-{'f' * 8}-{other}-0": False,  # another machine's, fresh
        f"{dead.pid}-{'f' * 8}-{other}-1": True,  # another machine's, two days old
        "notes": False,  # not ours
    }
    for name in left:
        path = tmp_path / "x" / (files.TEMPORARY + name)
        path.parent.mkdir(exist_ok=True)
        path.touch()
        if name.endswith(f"{other}-1"):
            os.utime(path, (old, old))
    (tmp_path / "x" / f"{files.TEMPORARY}{dead.pid}-{host}-{other}-9").mkdir()
    (tmp_path / "x" / f"{files.TEMPORARY}{dead.pid}-{host}-{other}-9" / "part").touch()
    (tmp_path / "x" / "kept.png").touch()
    assert files.sweep(tmp_path) == sum(left.values()) + 1
    kept = {path.name for path in (tmp_path / "x").iterdir()}
    assert kept == {"kept.png"} | {files.TEMPORARY + name for name, gone in left.items() if not gone}


def test_a_second_holder_is_refused_and_told_who_holds(tmp_path: Path) -> None:
    with files.lock(tmp_path / "run"):
        result = in_child("from i2i import files\nfiles.lock('run').__enter__()", folder=tmp_path)
        assert f"in use by process {os.getpid()}" in result.stderr
        with refused("E_LOCKED"), files.lock(tmp_path / "run"):
            pass
    with files.lock(tmp_path / "run"):
        pass


# Holds the lock, starts a worker that outlives it, and waits to be killed.
HOLD = """
import os, signal, sys, time
from i2i import files
with files.lock("."):
    worker = os.fork()
    if not worker:
        time.sleep(30)
        os._exit(0)
    print(worker, flush=True)
    time.sleep(30)
"""


def test_a_dead_holders_lock_is_taken_over_although_its_worker_lives(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        worker = int(holder.stdout.readline())
        with refused("E_LOCKED"), files.lock(tmp_path):
            pass
        time.sleep(0.1)  # the worker has begun to run
        holder.kill()
        holder.wait()
        try:
            with files.lock(tmp_path):
                assert (tmp_path / files.LOCK_NAME).read_text() == f"{os.getpid()}\n"
        finally:
            os.kill(worker, signal.SIGKILL)


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    # The example of FIPS 180-2, appendix B.1.
    assert files.sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    (tmp_path / "b").write_bytes(DATA * 300)
    assert files.sha256(tmp_path / "b") == hashlib.sha256(DATA * 300).hexdigest()
    with refused("E_UNREADABLE"):
        files.sha256(tmp_path / "none")


def test_temporary_names_are_hidden_and_say_who_made_them(tmp_path: Path) -> None:
    seen: list[str] = []
    files.publish(tmp_path / "a", lambda file: seen.append(Path(file.name).name))
    assert re.fullmatch(rf"\.i2i-tmp-{os.getpid()}-[0-9a-f]{{8}}-[0-9a-f]{{8}}-\d+", seen[0])
