"""Putting a recipe together: preset < files in their order < `--a.b value` on the command line, merged deeply.

YAML is read as version 1.2 means it: `no` and `on` are words, `1e-4` is a number, a key given twice is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from i2i.errors import I2IError


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core schema: true/false, null, integers, floats; everything else is text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is one word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Quotes every text that version 1.1 or 1.2 would read as something else."""


def _number(kind: type[int] | type[float]) -> Any:
    def construct(loader: _Loader, node: yaml.ScalarNode) -> int | float:
        try:
            return kind(str(loader.construct_scalar(node)))
        except ValueError:
            raise yaml.constructor.ConstructorError(None, None, "not a number", node.start_mark) from None

    return construct


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
):
    for _reader in (_Loader, _Dumper):
        _reader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^$"), [""])
_Loader.add_constructor("tag:yaml.org,2002:float", _number(float))
_Loader.add_constructor("tag:yaml.org,2002:int", _number(int))


def parse(text: str, *, origin: str) -> Any:
    """The value of a YAML text. Raises `I2IError` (E_RECIPE) with the line."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise I2IError("E_RECIPE", f"{origin} is not valid YAML: {where}{error.problem}") from None
    except yaml.YAMLError as error:
        raise I2IError("E_RECIPE", f"{origin} is not valid YAML: {error}") from None


def dump(values: Mapping[str, Any]) -> str:
    """Plain values as YAML that `parse` and readers of version 1.1 turn into the same values."""
    return yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def read(path: Path) -> dict[str, Any]:
    """A YAML file that holds a mapping. Raises `I2IError` (E_RECIPE)."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise I2IError("E_RECIPE", f"cannot read this recipe file: {error}", path=path) from None
    value = parse(text, origin=str(path))
    if not isinstance(value, dict):
        raise I2IError("E_RECIPE", f"a recipe is a mapping of options, this is {type(value).__name__}", path=path)
    return value


def merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`change` laid over `base`; mappings are merged, everything else replaced.

    A part whose `type` changes loses the options of the old type. A word in place of a part is its type:
    `objective: least_squares` means `objective: {type: least_squares}`.
    """
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and "type" in old and isinstance(value, str):
            value = {"type": value}  # noqa: PLW2901
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            other = "type" in value and value["type"] != old.get("type")
            merged[key] = merge({} if other else old, value)
        else:
            merged[key] = value
    return merged


def overrides(words: Sequence[str]) -> dict[str, Any]:
    """The mapping that `--a.b value --a.c=value` stand for; values are read as YAML and their order does not count.

    Raises `I2IError` (E_USAGE) for a word that does not fit, (E_RECIPE) for a value that is not YAML.
    """
    result: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, given, value = word[2:].partition("=")
        path = name.replace("-", "_").split(".")
        if not word.startswith("--") or not all(path):
            raise I2IError("E_USAGE", f"unexpected '{word}'; options look like --training.batch_size 8")
        if not given:
            if not rest:
                raise I2IError("E_USAGE", f"--{name} needs a value")
            value = rest.pop(0)
        _insert(result, path, parse(value, origin=f"the value of --{name}"))
    return result


def _insert(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put the value at the path; a part named by a word and its options come together in one mapping."""
    key, *rest = path
    old = tree.get(key)
    if rest:
        branch = old if isinstance(old, dict) else {} if old is None else {"type": old}
        _insert(branch, rest, value)
        tree[key] = branch
    elif isinstance(old, dict) and isinstance(value, dict):
        for name, inner in value.items():
            _insert(old, [name], inner)
    elif isinstance(old, dict) and isinstance(value, str):
        old["type"] = value
    else:
        tree[key] = value
