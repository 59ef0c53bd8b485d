"""Digests, what a resumed run may change, the presets, and the recipe as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from i2i.recipes.build import Builder
from i2i.recipes.merging import dump, merge, read
from i2i.recipes.presets import FOLDER, names, preset
from i2i.recipes.recipe import MEASURED, NEUTRAL, differences, digest, leaves, recipe_model, validate
from tests.recipes.conftest import Resolve, resolved

FONTS = Path(__file__).parents[1] / "data" / "fonts"

# Another valid value of every option that has no fixed partner; others get one from their type below.
OTHER: dict[str, Any] = {
    "training.device": "cuda",
    "training.precision": "fp64",
    "training.schedule": "cosine",
    "training.clip_norm": 1.0,
    "training.constant_share": 0.25,
    "training.average_decay": 0.5,
    "training.keep_best": "psnr",
    "training.metrics": ["psnr"],
    "sizing.rule": "resize",
    "generator.norm": "instance",
    "generator.upsampling": "resize",
    "discriminator.norm": "instance",
    "objective.type": "least_squares",
    "stabilisers": [{"type": "diffaugment"}],
    "optimiser.type": "rmsprop",
    "optimiser.order": "simultaneous",
    "optimiser.rates": {"generator": 1e-3},
    "data.augmentation.mode": "crop",
    "data.augmentation.flips": [],
    "data.source_pixels.colour": "gray",
    "data.target_pixels.colour": "gray",
    "data.source": "photos",
    "data.target": "maps",
    "data.validation_split": "test",
}
# Tables of one entry, and what goes only together with another option.
FIXED = {"method.type", "generator.type", "discriminator.type", "data.type"}
TOGETHER = {"data.source_pixels.palette", "data.target_pixels.palette"}


def other(path: str, value: Any) -> Any:
    """A valid value that is not the present one."""
    if path in OTHER:
        return OTHER[path]
    if isinstance(value, bool):
        return not value
    return {int: lambda v: v + 1, float: lambda v: v / 2 + 0.125, str: lambda v: f"{v}x"}[type(value)](value)


def changed(values: dict[str, Any], path: str) -> dict[str, Any]:
    """The values with one option changed."""
    change: Any = other(path, leaves(values)[path])
    for key in reversed(path.split(".")):
        change = {key: change}
    result = merge(values, change)
    return validate(result).model_dump(mode="json")  # type: ignore[no-any-return]


def options() -> list[str]:
    """Every option of the pix2pix recipe that can be changed by itself."""
    return [path for path in leaves(resolved().model_dump(mode="json")) if path not in FIXED | TOGETHER]


def test_the_neutral_and_measured_options_exist(resolve: Resolve) -> None:
    assert set(NEUTRAL) | set(MEASURED) <= set(options())
    assert not set(NEUTRAL) & set(MEASURED)


@pytest.mark.parametrize("path", options())
def test_a_change_is_refused_on_resuming_unless_it_is_neutral(resolve: Resolve, path: str) -> None:
    old = resolve().model_dump(mode="json")
    new = changed(old, path)
    lines = differences(old, new)
    assert differences(old, old) == []
    assert bool(lines) == (path not in NEUTRAL)
    assert all(line.startswith(path) for line in lines)
    if lines and path not in ("optimiser.rates",):
        assert lines == [f"{path}: was {leaves(old)[path]!r}, now {leaves(new)[path]!r}"]


def test_what_was_measured_may_be_left_open_again_but_not_be_changed(resolve: Resolve) -> None:
    old = resolve("--training.precision", "bf16", "--training.threads", "2", "--training.device", "cpu")
    open_again, fixed = resolve(), resolve("--training.precision", "fp32", "--training.threads", "1")
    assert differences(old.model_dump(mode="json"), open_again.model_dump(mode="json")) == []
    assert differences(old.model_dump(mode="json"), fixed.model_dump(mode="json")) == [
        "training.precision: was 'bf16', now 'fp32'",
        "training.threads: was 2, now 1",
    ]


def test_what_an_augmentation_leaves_open_is_as_its_dataset_has_it(resolve: Resolve) -> None:
    for kind, mode in (("paired", "jitter"), ("attributes", "resize"), ("joint", "resize")):
        words = "--data", f"{{type: {kind}, root: pictures}}"
        partly = resolve(*words, "--data.augmentation.size", "32").data.augmentation
        assert (resolve(*words).data.augmentation.mode, partly.mode, partly.size) == (mode, mode, 32)


def test_a_part_that_changes_its_type_is_told_with_all_its_options(resolve: Resolve) -> None:
    old, new = resolve(), resolve("--discriminator", "pixelgan")
    assert differences(old.model_dump(mode="json"), new.model_dump(mode="json")) == [
        "discriminator.layers: was 3, now None",
        "discriminator.type: was 'patchgan', now 'pixelgan'",
    ]


@pytest.mark.parametrize("path", options())
def test_the_digest_depends_on_every_option_but_the_place_of_the_data(resolve: Resolve, path: str) -> None:
    recipe = resolve()
    new = validate(changed(recipe.model_dump(mode="json"), path))
    assert (digest(new) == digest(recipe)) == (path == "data.root")


def test_the_digest_does_not_depend_on_the_order_in_which_options_were_written(resolve: Resolve) -> None:
    values = resolve().model_dump(mode="json")
    turned = {key: values[key] for key in reversed(values)}
    assert digest(validate(turned)) == digest(resolve())
    assert len(digest(resolve())) == 64


@pytest.mark.parametrize("name", names())
def test_a_preset_is_valid_and_its_networks_can_be_built(
    resolve: Resolve, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for domain in ("cat", "dog"):  # presets that are told domains look for them
        (tmp_path / "pictures" / "train" / domain).mkdir(parents=True)
    for path in FONTS.glob("*.[ot]tf"):  # and those that write look for fonts
        (tmp_path / "pictures" / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    words = ("--data.source", "NotoSansSC.otf") if name == "zi2zi" else ()
    builder = Builder(resolve(*words, name=name))
    with torch.device("meta"):  # no memory, no numbers
        method = builder.method()
    assert set(builder.optimisers(method)) == set(method.players())
    assert {card.name for card in builder.cards(method, name="x").values()} == {"x"}
    assert builder.loop_options().steps == builder.recipe.training.steps


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_preset_says_where_it_comes_from(path: Path) -> None:
    assert "arXiv" in path.read_text().splitlines()[0]
    assert preset(path.stem)["preset"] == path.stem


def test_pix2pix_is_the_paper(resolve: Resolve) -> None:
    """Isola et al. 2017, section 3.3, 4.4 and appendix 6.1-6.2."""
    recipe = resolve()
    assert recipe.method.model_dump() == {
        "type": "pix2pix",
        "l1_weight": 100.0,
        "adversarial_weight": 1.0,
        "discriminator_weight": 0.5,
        "conditional": True,
        "gradient_weight": 0.0,
    }
    assert recipe.generator.model_dump() == {
        "type": "unet",
        "channels": 64,
        "depth": 8,
        "norm": "batch",
        "upsampling": "transposed",
        "skips": True,
        "dropout": 0.5,
        "full_size_channels": 0,
        "masked": False,
        "palette_colours": 0,
    }
    assert recipe.discriminator.model_dump() == {"type": "patchgan", "channels": 64, "layers": 3, "norm": "batch"}
    assert recipe.objective.type == "non_saturating"
    assert recipe.stabilisers == ()
    adam = recipe.optimiser
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.rates) == (2e-4, 0.5, 0.999, {})
    augmentation = recipe.data.augmentation
    assert (augmentation.size, augmentation.mode, augmentation.flips) == (256, "jitter", ("horizontal",))
    assert (recipe.training.batch_size, recipe.training.schedule, recipe.training.constant_share) == (
        1,
        "linear_decay",
        0.5,
    )
    with torch.device("meta"):
        players = Builder(recipe).method().players()
    counts = {name: sum(p.numel() for p in network.parameters()) for name, network in players.items()}
    assert counts == {"generator": 54_413_955, "discriminator": 2_768_705}


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--stabilisers", "diffaugment", "--training.metrics", "[psnr, kid]", "--optimiser.rates.generator", "1e-5"],
        ["--name", "'1e-4'", "--licence", "no", "--training_data", '"a: b\\n- é"', "--data.root", "'089'"],
        [
            "--data.target_pixels",
            "{colour: labels, palette: [[0, 0, 0], [255, 0, 0]]}",
            "--data.augmentation.size=[8, 16]",
        ],
    ],
)
def test_a_recipe_written_to_a_file_and_read_again_is_the_same_recipe(
    resolve: Resolve, tmp_path: Path, words: list[str]
) -> None:
    recipe = resolve(*words)
    (tmp_path / "recipe.yaml").write_text(dump(recipe.model_dump(mode="json")), encoding="utf-8")
    again = validate(read(tmp_path / "recipe.yaml"))
    assert again.model_dump(mode="json") == recipe.model_dump(mode="json")
    assert digest(again) == digest(recipe)
    assert differences(recipe.model_dump(mode="json"), again.model_dump(mode="json")) == []


def test_every_option_stands_in_the_written_recipe(resolve: Resolve) -> None:
    values = resolve().model_dump(mode="json")
    assert set(values) == set(recipe_model().model_fields)
    for part in ("training", "optimiser", "sizing", "generator", "data"):
        assert set(values[part]) == set(type(getattr(resolve(), part)).model_fields)
