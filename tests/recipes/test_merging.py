"""Reading YAML as version 1.2, merging in layers, and the command line's `--a.b value`."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from i2i.errors import I2IError
from i2i.recipes.merging import dump, merge, overrides, parse, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, word) for word in ("no", "on", "off", "yes", "No", "y", "2020-01-01", "1:30", "0x1F", "1_000", "<<")),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("1e-4", 0.0001),
        ("-2E+3", -2000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("+5", 5),
        ("012", 12),
        ("[1, no, 2.5]", [1, "no", 2.5]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
        ('"1e-4"', "1e-4"),
        ("è: ü", {"è": "ü"}),
    ],
)
def test_values_are_what_version_1_2_says(text: str, value: Any) -> None:
    found = parse(text, origin="x")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "line 3, column 1: 'a' stands twice"),
        ("a:\n  b: {c: 1, c: 1}", "line 2, column 13: 'c' stands twice"),
        ("a: 1\n\tb: 2", "line 2, column 1: found character"),
        ("a: [1", "line 1, column 6: "),
        ("a: 1\nb: *c", "line 2, column 4: found undefined alias"),
        ("a: !!python/object:os.getcwd {}", "line 1, column 4: could not determine a constructor"),
        ("a: !!int five", "line 1, column 4: not a number"),
        ("? [a, b]\n: 1", "line 1, column 3: a key is one word"),
        ("a: \x00", "special characters are not allowed"),
    ],
)
def test_bad_yaml_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(I2IError) as caught:
        parse(text, origin="my.yaml")
    assert caught.value.code == "E_RECIPE"
    assert str(caught.value).startswith("my.yaml is not valid YAML: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["1e-4", "089", "012", "no", "on", "~", "null", "true", "1.5", "0x1F", "2020-01-01", "+5", "5.", "", "é", "a: b"],
)
def test_a_text_that_looks_like_something_else_is_written_so_that_every_reader_sees_text(text: str) -> None:
    written = dump({"name": text, "list": [text]})
    assert parse(written, origin="x") == {"name": text, "list": [text]}
    assert yaml.safe_load(written) == {"name": text, "list": [text]}  # version 1.1


@pytest.mark.parametrize("value", [1e-5, 2e-4, 1e20, 0.0, -1.5, 3, True, None, [], {}, [[1, 2]]])
def test_a_value_is_written_so_that_it_comes_back(value: Any) -> None:
    found = parse(dump({"a": value}), origin="x")["a"]
    assert found == value
    assert type(found) is type(value)


def test_a_file_that_is_no_mapping_is_missing_or_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- 1")
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "picture.yaml").write_bytes(b"\x89PNG\xff")
    for name, said in (
        ("list.yaml", "a recipe is a mapping of options, this is list"),
        ("empty.yaml", "a recipe is a mapping of options, this is NoneType"),
        ("picture.yaml", "cannot read this recipe file"),
        ("none.yaml", "cannot read this recipe file"),
    ):
        with pytest.raises(I2IError, match=said) as caught:
            read(tmp_path / name)
        assert (caught.value.code, caught.value.path) == ("E_RECIPE", tmp_path / name)


def test_mappings_are_merged_deeply_and_everything_else_is_replaced() -> None:
    base = {"a": {"b": {"c": 1, "d": 2}, "e": [1, 2]}, "f": 3}
    before = copy.deepcopy(base)
    assert merge(base, {"a": {"b": {"d": 5}, "e": [9]}, "g": {"h": 1}}) == {
        "a": {"b": {"c": 1, "d": 5}, "e": [9]},
        "f": 3,
        "g": {"h": 1},
    }
    assert base == before


def test_a_changed_type_drops_the_options_of_the_old_one() -> None:
    base = {"part": {"type": "old", "width": 3}}
    assert merge(base, {"part": {"type": "new", "depth": 2}}) == {"part": {"type": "new", "depth": 2}}
    assert merge(base, {"part": {"type": "old", "depth": 2}}) == {"part": {"type": "old", "width": 3, "depth": 2}}
    assert merge(base, {"part": {"depth": 2}}) == {"part": {"type": "old", "width": 3, "depth": 2}}


def test_a_word_in_place_of_a_part_is_its_type() -> None:
    base = {"part": {"type": "old", "width": 3}, "name": "x"}
    assert merge(base, {"part": "new"}) == {"part": {"type": "new"}, "name": "x"}
    assert merge(base, {"part": "old"}) == base
    assert merge(base, {"name": "y"})["name"] == "y"


def test_options_of_the_command_line_become_a_mapping() -> None:
    words = ["--a.b", "1e-4", "--a.c=no", "--name", "two words", "--list", "[1, x]", "--text", "a=b", "--a.d=x=y"]
    assert overrides(words) == {
        "a": {"b": 0.0001, "c": "no", "d": "x=y"},
        "name": "two words",
        "list": [1, "x"],
        "text": "a=b",
    }
    assert overrides(["--training.clip-norm", "-1"]) == {"training": {"clip_norm": -1}}
    assert overrides([]) == {}


@pytest.mark.parametrize("part", [["--part", "new"], ["--part.type", "new"], ["--part={type: new}"]])
def test_a_part_and_its_options_may_come_in_any_order(part: list[str]) -> None:
    wanted = {"part": {"type": "new", "width": 3}}
    assert overrides([*part, "--part.width", "3"]) == wanted
    assert overrides(["--part.width", "3", *part]) == wanted
    assert merge({"part": {"type": "old", "width": 1, "depth": 9}}, wanted) == wanted


def test_an_option_given_twice_has_its_last_value() -> None:
    assert overrides(["--a.b", "1", "--a.b", "2"]) == {"a": {"b": 2}}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["steps"], "unexpected 'steps'; options look like --training.batch_size 8"),
        (["--"], "unexpected '--'"),
        (["-x", "1"], "unexpected '-x'"),
        (["--a..b", "1"], "unexpected '--a..b'"),
        (["--a.b", "1", "2"], "unexpected '2'"),
        (["--a.b"], "--a.b needs a value"),
    ],
)
def test_words_that_are_no_options_are_usage_errors(words: list[str], said: str) -> None:
    with pytest.raises(I2IError) as caught:
        overrides(words)
    assert (caught.value.code, caught.value.exit_code) == ("E_USAGE", 2)
    assert said in str(caught.value)


def test_a_value_that_is_no_yaml_names_its_option() -> None:
    with pytest.raises(I2IError, match=r"the value of --a\.b is not valid YAML: line 1"):
        overrides(["--a.b", "[1"])
