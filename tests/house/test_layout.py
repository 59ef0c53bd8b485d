"""The shape of the checkout: what stands at the top, how long things are, what is wired up and what no file may say."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from i2i.cli.main import VERBS

TOP = {
    *("i2i", "pretrained", "tools", "tests", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", "setup.cfg"),
    *("pyproject.toml", "ruff.toml", ".ci", ".gitignore", ".pre-commit-config.yaml"),
}
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60
MEDIAN_FUNCTION = 12
# Files that people and tools start by name; nothing imports them.
ENTRY_POINTS = {"i2i", "i2i.__main__", "i2i.cli.main", "i2i.embedding.kit.translate", "i2i.embedding.kit.serve"}
REFERENCE = re.compile(r"i2i(\.\w+)+")
# Written in two pieces so that this file does not contain what it looks for.
FORBIDDEN = [
    re.compile("/" + "work/"),
    re.compile("/" + "root/"),
    re.compile("/" + r"home/\w"),
    re.compile("/" + "Users/"),
]
HOSTS = re.compile("https" + "?://")


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length in lines of every function in a file, its decorators left out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def modules(folder: Path) -> dict[str, Path]:
    """Every module of the package below `folder` by its dotted name; packages by the name of their folder."""
    found = {}
    for path in sorted((folder / "i2i").rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def references(path: Path) -> Iterator[str]:
    """Dotted names that a file imports, and those it holds as text (the tables name their parts so)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and REFERENCE.match(node.value):
            yield node.value.partition(":")[0]


def orphans(folder: Path) -> list[str]:
    """Modules (packages left out) that no other file of the package and no tool imports and no table names."""
    known = modules(folder)
    used = {name for module, path in known.items() for name in references(path) if name != module}
    used |= {name for path in (folder / "tools").glob("*.py") for name in references(path)}
    used |= ENTRY_POINTS | {f"i2i.cli.{verb}" for verb in VERBS}
    return [name for name, path in known.items() if path.name != "__init__.py" and name not in used]


def test_only_what_a_newcomer_expects_stands_at_the_top(tracked: list[Path]) -> None:
    assert {path.parts[0] for path in tracked} <= TOP


def test_the_folders_of_tests_mirror_the_package(root: Path, tracked: list[Path]) -> None:
    packages = {path.parent.name for path in (root / "i2i").glob("*/__init__.py")}
    folders = {path.parts[1] for path in tracked if path.parts[0] == "tests" and len(path.parts) > 2}
    # `tests/data` holds pictures, so the tests of `i2i.data` are in `tests/dataset`.
    assert folders <= packages | {"house", "tools", "dataset"}


def test_a_file_is_short_enough_to_be_one_idea(root: Path, tracked: list[Path]) -> None:
    lengths = {str(path): len((root / path).read_text().splitlines()) for path in tracked if path.suffix == ".py"}
    assert {path: length for path, length in lengths.items() if length > LINES_OF_A_FILE} == {}


def test_a_function_fits_one_screen_and_half_of_them_a_few_lines(root: Path, tracked: list[Path]) -> None:
    ours = [root / path for path in tracked if path.suffix == ".py" and path.parts[0] in {"i2i", "tools"}]
    lengths = dict(entry for path in ours for entry in functions(path))
    assert {name: length for name, length in lengths.items() if length > LINES_OF_A_FUNCTION} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION


def test_every_module_is_used_or_stands_in_a_table(root: Path) -> None:
    assert orphans(root) == []


@pytest.mark.parametrize(
    "part",
    [
        "networks/nobodys_part.py",
        "adversarial/objectives/nobodys_part.py",
        "adversarial/stabilisers/nobodys_part.py",
        "methods/nobodys_part.py",
        "metrics/nobodys_part.py",
        "data/nobodys_part.py",
    ],
)
def test_a_part_without_its_line_in_the_table_is_found(scratch_package: Path, part: str) -> None:
    (scratch_package / "i2i" / part).write_text('"""A part that nobody has put into its table."""\n')
    assert f"i2i.{part[:-3].replace('/', '.')}" in orphans(scratch_package)


def test_no_file_names_a_folder_of_somebodys_machine(root: Path, tracked: list[Path]) -> None:
    found = [(str(path), p.pattern) for path in tracked for p in FORBIDDEN if p.search(_text(root / path))]
    assert found == []


def test_what_installs_names_no_host(root: Path) -> None:
    files = ["Makefile", ".ci/run", "setup.cfg", "pyproject.toml", "tests/constraints.txt", ".pre-commit-config.yaml"]
    assert [name for name in files if HOSTS.search((root / name).read_text())] == []


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
