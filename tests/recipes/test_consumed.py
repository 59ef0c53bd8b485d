"""Every option of a recipe is read by a training: an option that nobody reads is a promise that nobody keeps."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.stabilisers import STABILISERS
from i2i.data import DATASETS
from i2i.data.augment import Augmentation
from i2i.data.conditioned import ConditionedBatch
from i2i.data.glyphs import StyledBatch
from i2i.data.images import ImageBatch
from i2i.data.unpaired import UnpairedBatch
from i2i.errors import Exit
from i2i.methods import METHODS
from i2i.networks import NETWORKS
from i2i.recipes.parts import SUPPLIED, Strict
from i2i.recipes.recipe import Optimiser, SizingChoice, Training, recipe_model
from i2i.recipes.run import train
from i2i.tables import Table
from i2i.training.loop import LoopOptions
from tests.training.conftest import pairs, recipe

__all__ = ["pairs"]

TABLES = (NETWORKS, OBJECTIVES, STABILISERS, METHODS, DATASETS)
PARTS = [pytest.param(table, name, id=f"{table.kind}-{name}") for table in TABLES for name in table]
# Code that copies, compares or checks values does not use them.
NO_USE = {"__init__", "__post_init__", "__eq__", "__hash__", "__repr__", "__setattr__", "_metrics_are_known"}

Reads = dict[type[Any], set[str]]


@contextmanager
def recorded(kinds: list[type[Any]]) -> Iterator[Reads]:
    """Which attributes of the classes' instances are read inside the block, other than by `NO_USE`."""
    reads: Reads = defaultdict(set)
    before = {kind: kind.__dict__.get("__getattribute__") for kind in kinds}

    def watch(kind: type[Any]) -> Callable[[Any, str], Any]:
        plain = kind.__getattribute__

        def get(self: Any, name: str) -> Any:
            if not name.startswith("__") and not _in_no_use(self):
                reads[kind].add(name)
            return plain(self, name)

        return get

    for kind in kinds:
        kind.__getattribute__ = watch(kind)  # type: ignore[method-assign, assignment]
    try:
        yield reads
    finally:
        for kind, method in before.items():
            if method is None:
                del kind.__getattribute__
            else:
                kind.__getattribute__ = method  # type: ignore[method-assign]


def _in_no_use(instance: Any) -> bool:
    """Whether the instance itself reads, for a check or a copy; its properties count for whoever asks them."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_locals.get("self") is instance:
        if frame.f_code.co_name in NO_USE:
            return True
        frame = frame.f_back
    return False


def trained(root: Path, run: Path, *changes: dict[str, Any], resume: bool = False) -> None:
    given = recipe(root, *changes)
    assert train(given, run, resume=resume, init=None, say=lambda line: None) is Exit.DONE


# What a plain training does not come to.
LOOK = {"training": {"sample_every": 2, "evaluate_every": 2, "metrics": ["l1"], "steps": 2, "warmup_steps": 1}}


def unread(reads: Reads, kind: type[Any], fields: set[str]) -> set[str]:
    return fields - reads[kind]


def test_every_option_outside_the_parts_is_read_by_a_training(pairs: Path, tmp_path: Path) -> None:
    groups: dict[type[Any], set[str]] = {
        kind: set(kind.model_fields) for kind in (recipe_model(), Training, Optimiser, SizingChoice)
    }
    with recorded([*groups, LoopOptions]) as reads:
        trained(pairs, tmp_path / "run", LOOK)
    # The loop's options are handed over as a whole, so it is the loop that must read them.
    reads[Training] |= reads[LoopOptions]
    assert unread(reads, LoopOptions, set(LoopOptions.__dataclass_fields__)) == set()
    missing = {kind.__name__: unread(reads, kind, fields) for kind, fields in groups.items()}
    # `preset` is read from the file when a run is resumed: tests/cli/test_train.py
    assert missing == {"Recipe": {"preset"}, "Training": set(), "Optimiser": set(), "SizingChoice": set()}


def test_an_option_that_nobody_reads_is_found() -> None:
    class Idle(Strict):
        steps: int = 1
        forgotten: int = 1

    with recorded([Idle]) as reads:
        idle = Idle()
        assert idle.steps == 1
        assert idle == Idle(steps=1)
    assert unread(reads, Idle, set(Idle.model_fields)) == {"forgotten"}


@pytest.mark.parametrize(("table", "name"), PARTS)
def test_a_part_uses_every_argument_of_its_constructor(table: Table, name: str) -> None:
    assert unused_arguments(table[name]) == set()


def test_an_argument_that_is_not_used_is_found() -> None:
    class Part:
        def __init__(self, *, width: int = 1, depth: int = 2) -> None:
            self.width = width

    assert unused_arguments(Part) == {"depth"}


def unused_arguments(part: Any) -> set[str]:
    """The arguments of a constructor that its body does not mention."""
    if part.__init__ is object.__init__:
        return set()
    body = ast.parse(textwrap.dedent(inspect.getsource(part.__init__))).body[0]
    used = {node.id for node in ast.walk(body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return set(inspect.signature(part.__init__).parameters) - used - {"self"}


def kept(part: Any) -> set[str]:
    """The arguments that a constructor keeps under their own names, to be used later."""
    if part.__init__ is object.__init__:
        return set()
    body = ast.parse(textwrap.dedent(inspect.getsource(part.__init__)))
    stored = {
        node.attr for node in ast.walk(body) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    return (set(inspect.signature(part.__init__).parameters) & stored) - SUPPLIED - {"self"}


# A tiny training of a generator from noise, on the pictures of both sides.
NOISE: dict[str, Any] = {
    "method": {"type": "gan", "latent_channels": 4},
    "generator": {"type": "mlp", "size": 16, "channels": 4},
    "discriminator": {"type": "mlp_critic", "size": 16, "channels": 4},
    "data": {"type": "images"},
}

# The same, told what to make; each side is a domain.
CONDITIONED: dict[str, Any] = {**NOISE, "method": {"type": "cgan", "latent_channels": 4}, "data": {"type": "domains"}}

# The two sides without their pairs.
UNPAIRED: dict[str, Any] = {"method": {"type": "cyclegan"}, "data": {"type": "unpaired"}}

# The same pictures, translated from one side to the other by a single network.
TRANSLATED: dict[str, Any] = {
    "method": {"type": "stargan"},
    "generator": {"type": "stargan", "channels": 4, "blocks": 1},
    "discriminator": {"type": "stargan_critic", "size": 16, "channels": 4, "layers": 1},
    "objective": {"type": "wasserstein"},
    "data": {"type": "domains"},
}

# One font written as others, which lie elsewhere.
STYLED: dict[str, Any] = {
    "method": {"type": "zi2zi"},
    "generator": {"type": "zi2zi", "channels": 4, "depth": 3},
    "discriminator": {"type": "zi2zi_critic", "size": 16, "channels": 4},
    "data": {
        "type": "fonts",
        "root": str(Path(__file__).parents[1] / "data" / "fonts"),
        "source": "NotoSansSC.otf",
        "characters": "壕侣亲惨寞端",
        "test_characters": 1,
        "augmentation": {"size": 16, "mode": "resize", "flips": []},
    },
}

BY_BATCH: dict[type[Any], dict[str, Any]] = {
    ImageBatch: NOISE,
    ConditionedBatch: CONDITIONED,
    UnpairedBatch: UNPAIRED,
    StyledBatch: STYLED,
}

# What a part needs beside itself: a critic that it accepts, a batch of another size ...
BESIDE: dict[str, dict[str, Any]] = {
    "began": {"discriminator": {"type": "autoencoder", "channels": 4, "depth": 2, "code": 2}},
    # Penalties on single samples refuse a critic that mixes them.
    "gradient_penalty": {"discriminator": {"norm": "instance"}},
    "dragan": {"discriminator": {"norm": "instance"}},
    "r1": {"discriminator": {"norm": "instance"}},
    "r2": {"discriminator": {"norm": "instance"}},
    "unrolled": {"discriminator": {"norm": "instance"}},
    "stargan": {name: part for name, part in TRANSLATED.items() if name not in ("method", "data")},
    # The sides as domains, and the same pictures with a list of which side each is of.
    "joint": {
        **TRANSLATED,
        "data": {"type": "joint", "sets": [{"folder": "train"}, {"folder": ".", "attributes": ["source"]}]},
    },
    "lapgan": {
        "generator": {"type": "lapgan", "size": 16, "levels": 2, "channels": 4, "kernel": 3},
        "discriminator": {"type": "patchgan", "channels": 4, "layers": 1},
    },
}


def change_for(table: Table, name: str) -> dict[str, Any]:
    """A tiny training in which the part takes part."""
    if table is STABILISERS:
        return {"stabilisers": [name], **BESIDE.get(name, {})}
    if table in (METHODS, DATASETS) and table[name].batch_type in BY_BATCH:
        if table[name].batch_type is StyledBatch:
            return STYLED
        changed = {"method" if table is METHODS else "data": {"type": name}, **BESIDE.get(name, {})}
        return {**BY_BATCH[table[name].batch_type], **changed}
    if table is NETWORKS and name in (part["type"] for part in TRANSLATED.values()):
        return TRANSLATED
    if table is NETWORKS and name in (STYLED["generator"]["type"], STYLED["discriminator"]["type"]):
        return STYLED
    if table is not NETWORKS:
        return {table.kind.replace("dataset", "data"): {"type": name}, **BESIDE.get(name, {})}
    options = inspect.signature(NETWORKS[name]).parameters
    role = "generator" if "out_channels" in options else "discriminator"
    tiny = {"channels": 4, "depth": 3, "layers": 1, "size": 16, "blocks": 1}
    beside = NOISE if role == "generator" and "size" in options else {}
    return {**beside, role: {"type": name, **{key: value for key, value in tiny.items() if key in options}}}


@pytest.fixture
def listed_pairs(pairs: Path) -> Path:
    """The pairs, and a list that says which side a picture is of."""
    names = sorted(path.relative_to(pairs).as_posix() for path in pairs.rglob("*.png"))
    rows = [f"{name} {1 if '/A/' in name else -1}" for name in names]
    (pairs / "list_attr.txt").write_text("\n".join([str(len(rows)), "source", *rows]))
    return pairs


# A dataset may leave all options to the one that it extends; it is trained from all the same.
TRAINED = [p for p in PARTS if p.values[0] is DATASETS or kept(p.values[0][p.values[1]])]


@pytest.mark.parametrize(("table", "name"), TRAINED)
def test_what_a_part_keeps_of_its_settings_is_read_by_a_training(
    listed_pairs: Path, tmp_path: Path, table: Table, name: str
) -> None:
    part = table[name]
    with recorded([part]) as reads:
        trained(listed_pairs, tmp_path / "run", {"training": {"steps": 1}}, change_for(table, name))
    assert unread(reads, part, kept(part)) == set()


def test_every_choice_of_the_augmentation_is_read_by_a_training(pairs: Path, tmp_path: Path) -> None:
    with recorded([Augmentation]) as reads:
        trained(pairs, tmp_path / "run", {"training": {"steps": 1}})
    assert unread(reads, Augmentation, set(Augmentation.__dataclass_fields__)) == set()
