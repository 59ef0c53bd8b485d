"""The closed list of codes, the one-line messages, and errors that cross process borders."""

from __future__ import annotations

import ast
import os
import pickle
from pathlib import Path

import pytest

from i2i.errors import CODES, Exit, I2IError, missing_package, printable

PACKAGE = Path(__file__).parent.parent / "i2i"


def test_the_exit_codes_are_those_that_scripts_rely_on() -> None:
    expected = {"DONE": 0, "ITEMS_FAILED": 1, "USAGE": 2, "REFUSED": 3, "ENVIRONMENT": 4, "NUMBERS": 5}
    assert {name: int(value) for name, value in Exit.__members__.items()} == expected | {"SIGINT": 130, "SIGTERM": 143}


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        *(("E_USAGE", 2), ("E_MISSING_PACKAGE", 2), ("E_TRUNCATED", 3), ("E_CORRUPT", 3), ("E_EXISTS", 3)),
        *(("E_ONNX_PARITY", 3), ("E_NOSPACE", 4), ("E_OOM", 4), ("E_IO", 4), ("E_LOCKED", 4), ("E_NONFINITE", 5)),
    ],
)
def test_a_code_belongs_to_one_exit_code(code: str, exit_code: int) -> None:
    assert I2IError(code, "text").exit_code == exit_code


def test_a_code_that_is_not_listed_is_our_bug() -> None:
    with pytest.raises(KeyError):
        I2IError("E_NEW", "text")


def test_every_code_that_the_package_names_is_on_the_list() -> None:
    named = {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("E_")
    }
    assert named >= {"E_TRUNCATED", "E_EXISTS"}
    assert named <= set(CODES)


def test_the_message_starts_with_the_path_on_one_line() -> None:
    assert str(I2IError("E_IO", "cannot be written")) == "cannot be written"
    error = I2IError("E_IO", "cannot be written", path="a\nb\x1b[2J.png")
    assert str(error) == "a\\nb\\x1b[2J.png: cannot be written"
    assert error.path == Path("a\nb\x1b[2J.png")


@pytest.mark.parametrize("path", [None, Path("x/a.png")])
def test_an_error_survives_the_way_to_another_process(path: Path | None) -> None:
    error = pickle.loads(pickle.dumps(I2IError("E_EMPTY", "the file is empty", path=path)))
    assert (error.code, error.message, error.path, error.exit_code) == ("E_EMPTY", "the file is empty", path, 3)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain name.png", "plain name.png"),
        ("猫\U0001f431é.png", "猫\U0001f431é.png"),
        ("tab\there\r\n.png", "tab\\there\\r\\n.png"),
        (os.fsdecode(b"caf\xe9.png"), "caf\\udce9.png"),
        ("left\u202eright\u2028.png", "left\\u202eright\\u2028.png"),
    ],
)
def test_a_name_is_shown_on_one_line_that_any_terminal_can_print(name: str, shown: str) -> None:
    assert printable(name) == shown
    assert printable(Path(name)) == shown
    assert shown.encode("utf-8")


def test_a_missing_package_comes_with_the_command_that_installs_it() -> None:
    error = missing_package("onnxruntime", "onnx")
    assert error.code == "E_MISSING_PACKAGE"
    assert 'pip install "i2i[onnx]"' in str(error)
