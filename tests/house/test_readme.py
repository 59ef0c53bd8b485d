"""What the README says: its commands run as written, its files exist, its tables agree with the code.

A fenced block whose info string holds `run` is run, in order, in a scratch folder that shows the checkout's folders;
`run slow` blocks only in the slow test, in their places among the others.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

BLOCK = re.compile(r"^```(\w+) run( slow)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:)([^)#]+)")
PLACE = re.compile(r"`((?:i2i|pretrained|tools|tests)/[\w./-]*)`")
TABLE_LINE = re.compile(r"^\| \w+ \| `([\w/]+)` \| `([A-Z]+)`", re.MULTILINE)


class Block(NamedTuple):
    """A piece of the README to run."""

    language: str
    slow: bool
    text: str

    def command(self) -> list[str]:
        """How to run it: shell blocks stop at the first command that fails."""
        runner = {"shell": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
        return [*runner[self.language], self.text]


def blocks(text: str) -> list[Block]:
    return [Block(language, bool(slow), body) for language, slow, body in BLOCK.findall(text)]


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text()


@pytest.fixture
def scratch(root: Path, tmp_path: Path) -> Path:
    """A folder in which paths of the checkout can be read and nothing of it is written."""
    for name in ("pretrained", "tests", "tools"):
        (tmp_path / name).symlink_to(root / name)
    return tmp_path


def run_all(chosen: list[Block], scratch: Path, environment: dict[str, str]) -> None:
    for block in chosen:
        run = subprocess.run(block.command(), cwd=scratch, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"{block.text}\n{run.stdout}\n{run.stderr}"


def test_the_quick_commands_run_as_written(readme: str, scratch: Path, environment: dict[str, str]) -> None:
    chosen = [block for block in blocks(readme) if not block.slow]
    assert {block.language for block in chosen} == {"shell", "python"}
    run_all(chosen, scratch, environment)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_command_runs_as_written(readme: str, scratch: Path, environment: dict[str, str]) -> None:
    chosen = blocks(readme)
    assert any(block.slow for block in chosen)
    run_all(chosen, scratch, environment)


def test_every_file_and_folder_it_names_is_there(root: Path, readme: str) -> None:
    places = {*LINK.findall(readme), *PLACE.findall(readme)}
    assert len(places) > 20
    assert [place for place in sorted(places) if not (root / place).exists()] == []


def test_every_table_of_parts_is_explained(root: Path, readme: str) -> None:
    held = set()
    for path in (root / "i2i").rglob("__init__.py"):
        folder = str(path.parent.relative_to(root)) + "/"
        held |= {(folder, name) for name in re.findall(r"^([A-Z]+) = Table\(", path.read_text(), re.MULTILINE)}
    assert set(TABLE_LINE.findall(readme)) == held


def test_every_target_it_names_is_in_the_makefile(root: Path, readme: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`", readme))
    assert named
    assert named <= targets


def test_a_block_is_found_with_its_language_and_its_speed() -> None:
    text = "```shell run\na\n```\n```shell\nnot run\n```\n```python run slow\nb\nc\n```\n"
    assert blocks(text) == [Block("shell", False, "a\n"), Block("python", True, "b\nc\n")]
