"""The recipe: everything that decides a training, as one immutable model, and its YAML."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, create_model, model_validator

from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.stabilisers import STABILISERS
from i2i.data import DATASETS
from i2i.errors import I2IError
from i2i.images.card import NetworkSpec
from i2i.methods import METHODS
from i2i.metrics import METRICS
from i2i.networks import NETWORKS
from i2i.recipes.parts import Strict, settings_model, union
from i2i.tables import unknown
from i2i.training.engine import Order
from i2i.training.optimisers import OptimiserName
from i2i.training.schedules import ScheduleName

# Options that change nothing about the weights: a resumed run may have other ones.
NEUTRAL = (
    "training.steps",
    "training.workers",
    "training.log_every",
    "training.sample_every",
    "training.evaluate_every",
    "training.checkpoint_every",
    "training.keep_checkpoints",
    "training.keep_best",
    "training.metrics",
    "training.monitored_pictures",
    "training.health_every",
    "training.tensorboard",
    "data.cache_megabytes",
    "data.root",
    "name",
    "licence",
    "training_data",
)
# `auto` stands for whatever the run began with.
MEASURED = ("training.precision", "training.threads", "training.device")


class Optimiser(Strict):
    """Which steps players take and in which order (`i2i.training.optimisers`, `i2i.training.engine.Engine`).

    Adam is Kingma and Ba 2015, arXiv 1412.6980. `rates` overrides the learning rate of single players by name: two time
    scales (Heusel et al. 2017, arXiv 1706.08500).
    """

    type: OptimiserName = "adam"
    order: Order = "alternating"
    learning_rate: float = Field(default=2e-4, gt=0)
    rates: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    beta1: float = Field(default=0.5, ge=0, lt=1)
    beta2: float = Field(default=0.999, ge=0, lt=1)
    fused: bool = True


class SizingChoice(Strict):
    """How the finished model meets pictures of other sizes than it was trained on (`i2i.images.card.Sizing`).

    `pad` for pictures that may be cut anywhere, `resize` for objects such as glyphs and faces, `fixed` to refuse.
    `auto` is what the training saw: `pad` after the augmentation mode `crop`, `resize` after `jitter` and `resize`.
    """

    rule: Literal["auto", "pad", "resize", "fixed"] = "auto"


class Training(Strict):
    """How long, how fast, how often; all `*_every` in steps, 0 for never. `batch_size` is for all processes together.

    `precision: auto` measures a few steps of fp32 and bf16 (and fp16 on a GPU) before step 0 and takes the fastest.
    `threads`: of the processor, 0 for torch's own choice. `keep_best` names the metric by which `model/` is chosen;
    without it `model/` is the newest state.
    """

    steps: int = Field(default=20000, ge=1)
    batch_size: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16", "fp16", "fp64"] = "auto"
    channels_last: bool = True
    threads: int = Field(default=0, ge=0)
    workers: int = Field(default=0, ge=0)
    accumulate_steps: int = Field(default=1, ge=1)
    clip_norm: float | None = Field(default=None, gt=0)
    schedule: ScheduleName = "linear_decay"
    constant_share: float = Field(default=0.5, ge=0, le=1)
    warmup_steps: int = Field(default=0, ge=0)
    average_decay: float = Field(default=0.999, ge=0, lt=1)
    log_every: int = Field(default=50, ge=0)
    sample_every: int = Field(default=500, ge=0)
    evaluate_every: int = Field(default=500, ge=0)
    checkpoint_every: int = Field(default=500, ge=0)
    keep_checkpoints: int = Field(default=2, ge=1)
    keep_best: str = ""
    metrics: tuple[str, ...] = ()
    monitored_pictures: int = Field(default=16, ge=1)
    health_every: int = Field(default=50, ge=0)
    tensorboard: bool = True

    @model_validator(mode="after")
    def _metrics_are_known(self) -> Training:
        for name in (*self.metrics, *([self.keep_best] if self.keep_best else [])):
            if name not in METRICS:
                raise ValueError(unknown("metric", name, METRICS))
        if self.keep_best and self.metrics and self.keep_best not in self.metrics:
            raise ValueError(f"keep_best '{self.keep_best}' is not among the metrics {', '.join(self.metrics)}")
        return self


@cache
def recipe_model() -> type[Strict]:
    """The model of a recipe, with the union of every table's parts; made once, since it imports all of them."""
    networks = union(NETWORKS)
    stabiliser: Any = union(STABILISERS)
    stabilisers: Any = tuple[stabiliser, ...]
    return create_model(
        "Recipe",
        __base__=Strict,
        __doc__="A complete training.",
        preset=(str, ""),
        name=(str, ""),
        licence=(str, ""),
        training_data=(str, ""),
        method=(union(METHODS), ...),
        generator=(networks, ...),
        discriminator=(networks, ...),
        objective=(union(OBJECTIVES), ...),
        stabilisers=(stabilisers, ()),
        data=(union(DATASETS), ...),
        sizing=(SizingChoice, SizingChoice()),
        optimiser=(Optimiser, Optimiser()),
        training=(Training, Training()),
    )


def validate(values: dict[str, Any]) -> Any:
    """The recipe that plain values describe.

    Raises `I2IError` (E_RECIPE) that names every wrong entry, what was expected there, and the nearest known name.
    """
    try:
        return recipe_model().model_validate(values)
    except ValidationError as error:
        raise I2IError("E_RECIPE", "\n".join(_complaint(entry, values) for entry in error.errors())) from None


def digest(recipe: Any) -> str:
    """SHA-256 of a recipe, as hexadecimal; the place of the data does not count, their contents are checked apart."""
    values = recipe.model_dump(mode="json")
    values["data"].pop("root", None)
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a resumed run may not change but would, one line each: `training.seed: was 0, now 1`."""
    before, after = leaves(old), leaves(new)
    lines = []
    for path in sorted(before.keys() | after.keys()):
        was, now = before.get(path), after.get(path)
        if was == now or path in NEUTRAL or (path in MEASURED and now in ("auto", 0)):
            continue
        lines.append(f"{path}: was {was!r}, now {now!r}")
    return lines


def leaves(values: Any, prefix: str = "") -> dict[str, Any]:
    """The entries of nested mappings by their dotted path; lists count as entries."""
    if not isinstance(values, dict) or not values:
        return {prefix.rstrip("."): values}
    return {path: leaf for key, value in values.items() for path, leaf in leaves(value, f"{prefix}{key}.").items()}


def network_spec(settings: Any, **supplied: int) -> NetworkSpec:
    """What the card says of a network: its name and every argument, supplied ones included."""
    values = settings.model_dump(mode="json")
    return NetworkSpec(type=values.pop("type"), arguments={**values, **supplied})


_TABLES = {
    "method": METHODS,
    "generator": NETWORKS,
    "discriminator": NETWORKS,
    "objective": OBJECTIVES,
    "stabilisers": STABILISERS,
    "data": DATASETS,
}


def _complaint(entry: Any, values: dict[str, Any]) -> str:
    """One line on one wrong entry: where it stands, what is wrong, what is known or came."""
    place = [str(part) for part in entry["loc"]]
    table = _TABLES.get(place[0])
    depth = 2 if place[0] == "stabilisers" else 1  # the words that lead to the part
    chosen = _chosen_type(place[:depth], values)
    if table is not None and len(place) <= depth + 1 and entry["type"] in _WRONG_TYPE and chosen not in table:
        missing = f"which {table.kind}? known: {', '.join(table)}"
        return f"{'.'.join(place[:depth])}.type: {missing if chosen is None else unknown(table.kind, chosen, table)}"
    if table is not None and len(place) > depth and place[depth] == chosen:
        del place[depth]  # the union's tag is not a word of the recipe
    where = ".".join(place)
    if entry["type"] == "extra_forbidden":
        return f"{where}: {unknown('option', place[-1], _options(place[:-1], chosen, depth))}"
    if entry["type"] in ("model_type", "model_attributes_type"):
        return f"{where}: {entry['input']!r} stands where options belong: {', '.join(_options(place, chosen, depth))}"
    if entry["type"] == "value_error":  # ours, which say what came
        return f"{where}: {entry['ctx']['error']}"
    came = "" if entry["type"] == "missing" else f" (got {entry['input']!r})"
    return f"{where}: {entry['msg']}{came}"


_WRONG_TYPE = ("union_tag_invalid", "union_tag_not_found", "literal_error", "model_type", "model_attributes_type")


def _chosen_type(place: list[str], values: Any) -> str | None:
    """The type of the part at a place of the values, spelled out or as one word."""
    for step in place:
        if isinstance(values, list | tuple):
            values = values[int(step)]
        elif isinstance(values, dict):
            values = values.get(step)
    kind = values.get("type") if isinstance(values, dict) else values
    return None if kind is None else str(kind)


def _options(place: list[str], chosen: str | None, depth: int) -> list[str]:
    """The names of the options that stand at a place of the model."""
    model: Any = recipe_model()
    if not place:
        return list(model.model_fields)
    table = _TABLES.get(place[0])
    if table is None:
        model, rest = model.model_fields[place[0]].annotation, place[1:]
    else:
        model, rest = settings_model(chosen, table[chosen]) if chosen and chosen in table else None, place[depth:]
    for step in rest:
        field = getattr(model, "model_fields", {}).get(step)
        model = None if field is None else field.annotation
    return list(getattr(model, "model_fields", {}))
