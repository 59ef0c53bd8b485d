"""The presets: each is a valid recipe; narrowed, those from noise take a step and end in a whole run folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import i2i
from i2i.errors import Exit, I2IError
from i2i.networks import NETWORKS
from i2i.recipes.build import Builder
from i2i.recipes.merging import merge
from i2i.recipes.presets import names, preset, summary
from i2i.recipes.recipe import validate
from i2i.recipes.run import train

# Those that learn from single pictures and do not translate them.
FROM_NOISE = [
    name
    for name in names()
    if preset(name)["data"]["type"] in ("images", "domains") and preset(name)["method"]["type"] != "stargan"
]
NARROW: dict[str, Any] = {
    "generator": {"channels": 4},
    "discriminator": {"channels": 4},
    "training": {
        "steps": 1,
        "batch_size": 2,
        "threads": 1,
        "precision": "fp32",
        "monitored_pictures": 2,
        "tensorboard": False,
    },
}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Five pictures of noise, in two folders that may be domains."""
    rng = np.random.default_rng(0)
    for number in range(5):
        path = tmp_path / "pictures" / f"d{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), np.uint8)).save(path)
    return tmp_path / "pictures"


def recipe(name: str, root: Path, *changes: dict[str, Any]) -> Any:
    values = merge(preset(name), {"data": {"root": str(root)}})
    for change in changes:
        values = merge(values, change)
    return validate(values)


@pytest.fixture
def without_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which the feature network of KID is not installed: loading it takes seconds."""
    monkeypatch.setattr("i2i.evaluation.samples.installed", lambda: False)


@pytest.mark.parametrize("name", names())
def test_a_preset_is_a_valid_recipe(name: str) -> None:
    given = recipe(name, Path("pictures"))
    assert given.preset == name
    assert Builder(given).loop_options().steps == given.training.steps


@pytest.mark.parametrize("name", names())
def test_a_preset_says_which_paper_it_is_from(name: str) -> None:
    assert re.search(r"\b(19|20)\d\d\b.*arXiv \d{4}\.\d{4,5}", summary(name))
    assert not re.search(r"[#{\n]", summary(name))


@pytest.mark.usefixtures("without_features")
@pytest.mark.parametrize("name", FROM_NOISE)
def test_a_preset_from_noise_takes_a_step_and_its_model_makes_pictures(
    pictures: Path, tmp_path: Path, name: str
) -> None:
    few = {"data": {"labelled_per_domain": 1}} if "labelled_per_domain" in preset(name)["data"] else {}
    given = recipe(name, pictures, NARROW, few)
    assert train(given, tmp_path / "run", resume=False, init=None, say=lambda line: None) is Exit.DONE
    size = given.data.augmentation.size
    assert "data:image/" in (tmp_path / "run" / "report.html").read_text()
    sample = i2i.load(tmp_path / "run")
    assert sample.card.latent == Builder(given).method().latent_channels >= given.method.latent_channels
    assert (sample.card.sizing.rule, sample.card.sizing.width) == ("fixed", size)
    told = sample.card.condition is not None and sample.card.condition.kind == "domains"
    assert [picture.size for picture in sample(count=2, domain="d1" if told else None)] == [(size, size)] * 2


@pytest.mark.usefixtures("without_features")
@pytest.mark.parametrize("conditioning", ["norm", "planes"])
def test_the_preset_of_many_domains_takes_a_step_and_its_model_translates_to_each(
    pictures: Path, tmp_path: Path, conditioning: str
) -> None:
    small = {
        "generator": {"blocks": 1, "conditioning": conditioning},
        "discriminator": {"size": 16, "layers": 2},
        "data": {"augmentation": {"size": 16}},
    }
    given = recipe("stargan", pictures, NARROW, small)
    assert train(given, tmp_path / "run", resume=False, init=None, say=lambda line: None) is Exit.DONE
    translate = i2i.load(tmp_path / "run")
    assert translate.card.sizing.rule == ("resize" if conditioning == "norm" else "fixed")
    picture = np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8)
    outputs = [translate(picture, domain=name) for name in ("d0", "d1")]
    assert [output.shape for output in outputs] == [(16, 16, 3)] * 2
    assert (outputs[0] != outputs[1]).any()


@pytest.mark.usefixtures("without_features")
def test_with_attributes_it_ships_a_model_that_changes_those_that_are_named(pictures: Path, tmp_path: Path) -> None:
    names = sorted(path.relative_to(pictures).as_posix() for path in pictures.rglob("*.png"))
    rows = [f"{name} {1 if 'd0' in name else -1} {1 if 'd1' in name else -1} -1" for name in names]
    (pictures / "list_attr.txt").write_text("\n".join([str(len(rows)), "dark fair glasses", *rows]))
    small = {
        "generator": {"blocks": 1},
        "discriminator": {"size": 16, "layers": 2},
        "data": {
            "type": "attributes",
            "root": str(pictures),
            "exclusive_groups": [["dark", "fair"]],
            "augmentation": {"size": 16},
        },
    }
    given = recipe("stargan", pictures, NARROW, small)
    assert train(given, tmp_path / "run", resume=False, init=None, say=lambda line: None) is Exit.DONE
    translate = i2i.load(tmp_path / "run")
    assert translate.card.network.type == "attribute_editor"
    assert translate.card.condition is not None
    assert translate.card.condition.names == ("dark", "fair", "glasses")
    assert translate.card.condition.exclusive_groups == (("dark", "fair"),)
    picture = np.random.default_rng(1).integers(0, 256, (20, 24, 3), np.uint8)
    plain, changed = translate(picture, set={"dark": 1}), translate(picture, set={"fair": 1})
    assert plain.shape == changed.shape == picture.shape
    assert (plain != changed).any()


def test_of_several_sets_of_labels_it_ships_one_model_with_all_the_names(pictures: Path, tmp_path: Path) -> None:
    more = tmp_path / "more" / "train"
    more.mkdir(parents=True)
    Image.new("RGB", (16, 16), "red").save(more / "x.png")
    (more.parent / "list_attr.txt").write_text("1\nglasses\nx.png 1\n")
    small = {
        "generator": {"blocks": 1},
        "discriminator": {"size": 16, "layers": 2},
        "data": {
            "type": "joint",
            "root": str(tmp_path),
            "sets": [{"folder": "pictures"}, {"folder": "more"}],
            "augmentation": {"size": 16},
        },
    }
    builder = Builder(recipe("stargan", tmp_path, NARROW, small))
    method = builder.method()
    card = builder.cards(method, name="x")["a2b"]
    assert card.condition is not None
    assert card.condition.names == ("d0", "d1", "glasses")
    assert card.condition.exclusive_groups == (("d0", "d1"),)
    editor = NETWORKS[card.network.type](**card.network.arguments)
    editor.load_state_dict(method.generators()["a2b"].state_dict(), strict=True)
    assert editor.generator.condition_channels == 3 + 2  # the labels, and the mask
    cgan = {"method": {"type": "cgan"}, "generator": {"type": "mlp"}, "discriminator": {"type": "mlp_critic"}}
    with pytest.raises(I2IError, match="has to know all labels of a picture"):
        Builder(recipe("stargan", tmp_path, NARROW, small, cgan)).method()


def test_the_critic_that_knows_another_size_is_named_also_where_it_is_shipped(pictures: Path) -> None:
    names = sorted(path.relative_to(pictures).as_posix() for path in pictures.rglob("*.png"))
    (pictures / "list_attr.txt").write_text("\n".join([str(len(names)), "hat", *(f"{name} 1" for name in names)]))
    small = {"generator": {"blocks": 1}, "discriminator": {"layers": 2}}
    data = {"data": {"type": "attributes", "root": str(pictures), "augmentation": {"size": 16}}}
    with pytest.raises(I2IError, match="size 16x16 does not fit the discriminator, which knows 128x128 alone"):
        Builder(recipe("stargan", pictures, NARROW, small, data)).method()


def test_label_planes_are_not_padded_to_another_size(pictures: Path) -> None:
    small = {
        "generator": {"conditioning": "planes"},
        "discriminator": {"size": 16, "layers": 2},
        "data": {"augmentation": {"size": 16}},
    }
    builder = Builder(recipe("stargan", pictures, NARROW, small, {"sizing": {"rule": "pad"}}))
    with pytest.raises(I2IError, match="does not give the same at another size than the training's"):
        builder.cards(builder.method(), name="x")
    resized = Builder(recipe("stargan", pictures, NARROW, small, {"sizing": {"rule": "resize"}}))
    assert resized.cards(resized.method(), name="x")["a2b"].sizing.rule == "resize"


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("stargan", {"generator": {"type": "resnet"}}, "'resnet' knows no domains or attributes, .* known: stargan"),
        ("stargan", {"discriminator": {"type": "patchgan"}}, "'patchgan' knows no domains .* known: stargan_critic"),
        ("pix2pix", {"generator": {"type": "stargan"}}, "'stargan' needs domains or attributes, and this method has"),
        ("pix2pix", {"discriminator": {"type": "stargan_critic"}}, "'stargan_critic' needs domains or attributes"),
    ],
)
def test_a_network_is_told_a_condition_where_the_method_has_one(
    pictures: Path, name: str, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(I2IError, match=said) as caught:
        Builder(recipe(name, pictures, NARROW, change)).method()
    assert caught.value.code == "E_RECIPE"


@pytest.mark.usefixtures("without_features")
def test_a_resumed_run_from_noise_equals_an_uninterrupted_one(pictures: Path, tmp_path: Path) -> None:
    def run(name: str, steps: int, *, resume: bool = False) -> None:
        given = recipe("gan", pictures, NARROW, {"training": {"steps": steps, "schedule": "constant"}})
        assert train(given, tmp_path / name, resume=resume, init=None, say=lambda line: None) is Exit.DONE

    run("whole", 4)
    run("parts", 2)
    run("parts", 4, resume=True)
    whole, parts = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all(torch.equal(tensor, parts[name]) for name, tensor in whole.items())


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"generator": {"type": "unet", "channels": 4}}, "E_RECIPE", "'unet' takes pictures; method 'gan' needs a gen"),
        ({"generator": {"size": 16}}, "E_SIZE", "size 32x32 does not fit the generator, which knows 16x16 alone"),
        ({"discriminator": {"size": 64}}, "E_SIZE", "does not fit the discriminator, which knows 64x64 alone"),
        ({"data": {"augmentation": {"size": [32, 16]}}}, "E_SIZE", "size 16x32 does not fit the generator"),
        ({"method": {"type": "pix2pix"}}, "E_RECIPE", "'pix2pix' cannot learn from data of type 'images'"),
        ({"generator": {"type": "mlp_critic"}}, "E_RECIPE", "'mlp_critic' is no generator"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(change: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(I2IError) as caught:
        Builder(recipe("gan", Path("pictures"), change)).method()
    assert caught.value.code == code
    assert said in caught.value.message


def test_a_translator_is_not_given_a_generator_from_noise() -> None:
    generator = {"generator": {"type": "mlp", "size": 256, "channels": 2}, "discriminator": {"channels": 4}}
    with pytest.raises(I2IError, match="'mlp' takes noise; method 'pix2pix' needs a generator from pictures") as caught:
        Builder(recipe("pix2pix", Path("pictures"), generator)).method()
    assert caught.value.code == "E_RECIPE"


def test_of_a_pyramid_the_size_of_the_whole_is_that_of_the_data() -> None:
    whole = {"size": 32, "levels": 2, "channels": 2, "kernel": 3, "coarse": "convolutional", "coarse_channels": 2}
    critic = {"type": "patchgan", "channels": 2, "layers": 1, "norm": "none"}
    fitting = recipe("lapgan", Path("pictures"), {"generator": whole, "discriminator": critic})
    assert Builder(fitting).method().generator.coarse.size == 16  # which knows that size alone
    other = recipe("lapgan", Path("pictures"), {"generator": whole | {"size": 64}, "discriminator": critic})
    with pytest.raises(I2IError, match="size 32x32 does not fit the generator, which knows 64x64 alone"):
        Builder(other).method()


def test_pictures_from_noise_have_one_size() -> None:
    builder = Builder(recipe("gan", Path("pictures"), NARROW, {"sizing": {"rule": "pad"}}))
    with pytest.raises(I2IError, match="pictures from noise have one size") as caught:
        builder.cards(builder.method(), name="x")
    assert caught.value.code == "E_RECIPE"
