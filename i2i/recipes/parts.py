"""A part's settings are its constructor's keyword arguments: the model that validates them is made from the signature.

So a new network, objective, stabiliser, method or dataset needs no second description of its options.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, create_model, model_validator

from i2i.tables import Table

# What the builder fills in by itself: it follows from the data or from other parts.
SUPPLIED = frozenset({"in_channels", "out_channels", "condition_channels"})

# Which dataclass a generated model stands for.
_DATACLASSES: dict[type[BaseModel], type[Any]] = {}


class Strict(BaseModel):
    """Immutable, and a name it does not know is an error. One word where a list belongs is a list of one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _lists_of_one(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        lists = {name for name, field in cls.model_fields.items() if get_origin(field.annotation) in (tuple, Sequence)}
        return {name: [v] if name in lists and isinstance(v, str) else v for name, v in values.items()}


def settings_model(name: str, part: Any) -> type[Strict]:
    """The pydantic model of one part: `type` and every keyword-only argument, with its default."""
    fields: dict[str, Any] = {"type": (Literal[name], name)}
    hints = get_type_hints(part.__init__)
    for argument in inspect.signature(part.__init__).parameters.values():
        if argument.kind is inspect.Parameter.KEYWORD_ONLY and argument.name not in SUPPLIED:
            fields[argument.name] = _field(hints[argument.name], argument.default)
    return create_model(f"{part.__name__}Settings", __base__=Strict, __doc__=inspect.getdoc(part), **fields)


def union(table: Table) -> Any:
    """The discriminated union of all parts of a table, by `type`; a word stands for the part of that type."""
    models = [settings_model(name, table[name]) for name in table]
    choice = models[0] if len(models) == 1 else Annotated[Union[tuple(models)], Discriminator("type")]  # noqa: UP007
    return Annotated[choice, BeforeValidator(lambda value: {"type": value} if isinstance(value, str) else value)]


def arguments(settings: BaseModel) -> dict[str, Any]:
    """The keyword arguments that the settings stand for; nested ones become their dataclasses again."""
    return {name: _value(value) for name, value in settings if name != "type"}


def _field(annotation: Any, default: Any) -> tuple[Any, Any]:
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        model = _dataclass_model(annotation)
        if default is inspect.Parameter.empty:
            return model, ...
        given = {field.name: getattr(default, field.name) for field in dataclasses.fields(default)}
        # What a mapping leaves open is as this part has it, which may be otherwise than the dataclass does.
        laid = BeforeValidator(lambda value: {**given, **value} if isinstance(value, dict) else value)
        return Annotated[model, laid], Field(default_factory=lambda: model(**given))
    return annotation, ... if default is inspect.Parameter.empty else default


def _dataclass_model(kind: type[Any]) -> type[Strict]:
    hints = get_type_hints(kind)
    fields: dict[str, Any] = {
        field.name: (hints[field.name], ... if field.default is dataclasses.MISSING else field.default)
        for field in dataclasses.fields(kind)
    }
    model = create_model(f"{kind.__name__}Settings", __base__=Strict, __doc__=kind.__doc__, **fields)
    _DATACLASSES[model] = kind
    return model


def _value(value: Any) -> Any:
    kind = _DATACLASSES.get(type(value))
    return value if kind is None else kind(**dict(value))
