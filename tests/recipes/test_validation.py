"""What is said about a recipe that is not right: where, what came, what is known."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from i2i.errors import I2IError
from i2i.recipes.build import Builder
from i2i.recipes.presets import preset
from i2i.recipes.recipe import validate
from tests.recipes.conftest import Resolve

Refusal = Callable[..., str]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--trainng.steps", "trainng: unknown option 'trainng'; did you mean 'training'? known: preset, name,"),
        ("--training.step", "training.step: unknown option 'step'; did you mean 'steps'? known: steps, batch_size,"),
        ("--optimiser.beta", "optimiser.beta: unknown option 'beta'; did you mean 'beta2'? known: type,"),
        ("--sizing.rul", "sizing.rul: unknown option 'rul'; did you mean 'rule'? known: rule"),
        ("--generator.chanels", "generator.chanels: unknown option 'chanels'; did you mean 'channels'? known: type,"),
        ("--discriminator.layer", "discriminator.layer: unknown option 'layer'; did you mean 'layers'? known: type,"),
        ("--method.l1", "method.l1: unknown option 'l1'; known: type, l1_weight, adversarial_weight,"),
        ("--objective.label", "objective.label: unknown option 'label'; did you mean 'real_label'? known: type"),
        ("--data.source_pixel", "data.source_pixel: unknown option 'source_pixel'; did you mean 'source_pixels'?"),
        ("--data.augmentation.siz", "data.augmentation.siz: unknown option 'siz'; did you mean 'size'? known: size,"),
        ("--data.source_pixels.colr", "data.source_pixels.colr: unknown option 'colr'; did you mean 'colour'? known:"),
    ],
)
def test_an_unknown_option_is_named_with_the_nearest_known_one(refusal: Refusal, option: str, said: str) -> None:
    assert refusal(option, "1").startswith(said)


@pytest.mark.parametrize(
    ("part", "name", "said"),
    [
        ("generator", "unett", "generator.type: unknown network 'unett'; did you mean 'unet'? known: unet, resnet"),
        ("discriminator", "pachgan", "discriminator.type: unknown network 'pachgan'; did you mean 'patchgan'?"),
        ("objective", "least_square", "objective.type: unknown objective 'least_square'; did you mean 'least_squares'"),
        ("method", "pix2pixx", "method.type: unknown method 'pix2pixx'; did you mean 'pix2pix'? known: pix2pix"),
        ("data", "pared", "data.type: unknown dataset 'pared'; did you mean 'paired'? known: attributes, paired"),
    ],
)
def test_an_unknown_type_is_named_with_the_nearest_known_one(refusal: Refusal, part: str, name: str, said: str) -> None:
    assert refusal(f"--{part}", name).startswith(said)
    assert refusal(f"--{part}.type", name).startswith(said)


def test_stabilisers_are_a_list_of_parts_a_word_or_a_list_of_words(resolve: Resolve, refusal: Refusal) -> None:
    whole = resolve("--stabilisers", "[{type: diffaugment}]")
    assert [stabiliser.type for stabiliser in whole.stabilisers] == ["diffaugment"]
    assert resolve("--stabilisers", "diffaugment") == resolve("--stabilisers", "[diffaugment]") == whole
    unknown = "stabilisers.0.type: unknown stabiliser 'difaugment'; did you mean 'diffaugment'? known: diffaugment"
    for text in ("difaugment", "[difaugment]", "[{type: difaugment}]"):
        assert refusal("--stabilisers", text).startswith(unknown)
    said = refusal("--stabilisers", "[diffaugment, {type: diffaugment, polcy: [cutout]}]")
    assert said == "stabilisers.1.polcy: unknown option 'polcy'; did you mean 'policy'? known: type, policy"


def test_one_word_where_a_list_belongs_is_a_list_of_one(resolve: Resolve) -> None:
    recipe = resolve("--training.metrics", "psnr", "--data.augmentation.flips", "vertical")
    assert recipe.training.metrics == ("psnr",)
    assert recipe.data.augmentation.flips == ("vertical",)
    stabilisers = resolve("--stabilisers", "[{type: diffaugment, policy: cutout}]").stabilisers
    assert stabilisers[0].policy == ["cutout"]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("training.steps", "many", "training.steps: Input should be a valid integer, .* \\(got 'many'\\)"),
        ("training.steps", "0", "training.steps: .* greater than or equal to 1 \\(got 0\\)"),
        ("training.precision", "fp8", "training.precision: .*'auto', 'fp32', 'bf16', 'fp16' or 'fp64' \\(got 'fp8'\\)"),
        ("training.channels_last", "perhaps", "training.channels_last: .* boolean.* \\(got 'perhaps'\\)"),
        ("optimiser.rates.generator", "fast", "optimiser.rates.generator: .* number.* \\(got 'fast'\\)"),
        ("sizing.rule", "resiz", "sizing.rule: .*'pad', 'resize' or 'fixed' \\(got 'resiz'\\)"),
        ("data.augmentation.mode", "jiter", "data.augmentation.mode: .*'crop', 'jitter' or 'resize' \\(got 'jiter'\\)"),
        ("training", "5", "training: 5 stands where options belong: steps, batch_size, "),
        ("objective", "3", "objective.type: unknown objective '3'; known: .*non_saturating, least_squares"),
        ("generator", "null", "generator.type: which network\\? known: unet, resnet"),
        ("training.metrics", "[psnrr]", "training: unknown metric 'psnrr'; did you mean 'psnr'\\? known: psnr, ssim,"),
        ("training.keep_best", "ssmi", "training: unknown metric 'ssmi'; did you mean 'ssim'\\?"),
        ("data.target_pixels.colour", "labels", "data.target_pixels: a palette belongs to colour 'labels'"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(refusal: Refusal, option: str, value: str, said: str) -> None:
    assert re.match(said, refusal(f"--{option}", value))


def test_the_metric_that_chooses_must_be_among_those_that_are_measured(resolve: Resolve, refusal: Refusal) -> None:
    said = refusal("--training.keep_best", "ssim", "--training.metrics", "[psnr, l1]")
    assert said == "training: keep_best 'ssim' is not among the metrics psnr, l1"
    assert resolve("--training.keep_best", "ssim").training.keep_best == "ssim"


def test_every_wrong_entry_is_listed_at_once(refusal: Refusal) -> None:
    said = refusal("--training.steps", "0", "--generator.chanels", "4", "--nmae", "x").splitlines()
    assert sorted(line.partition(":")[0] for line in said) == ["generator.chanels", "nmae", "training.steps"]


def test_what_has_no_default_must_be_there() -> None:
    with pytest.raises(I2IError) as caught:
        validate({})
    missing = {line.partition(":")[0] for line in str(caught.value).splitlines()}
    assert missing == {"method", "generator", "discriminator", "objective", "data"}
    with pytest.raises(I2IError, match=r"data\.root: Field required"):
        validate(preset("pix2pix"))
    with pytest.raises(I2IError, match=r"generator.type: which network\? known: unet"):
        validate({**preset("pix2pix"), "generator": {"channels": 4}, "data": {"root": "x"}})


def test_a_recipe_cannot_be_changed(resolve: Resolve) -> None:
    recipe = resolve()
    with pytest.raises(ValueError, match="frozen"):
        recipe.training.steps = 3
    with pytest.raises(ValueError, match="frozen"):
        recipe.generator.channels = 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--generator", "patchgan"], "generator.type: 'patchgan' is no generator; known: unet"),
        (["--discriminator", "unet"], "discriminator.type: 'unet' is no discriminator; known: patchgan, pixelgan"),
        (["--generator.depth", "1"], "network 'unet': a U-Net has a depth of at least 2, got 1"),
        (
            ["--generator.palette_colours", "1"],
            "network 'unet': a palette has at least 2 colours, or 0 for no palette,",
        ),
        (["--discriminator.layers", "0"], "network 'patchgan': PatchGAN has at least one layer, got 0"),
        (
            ["--method.l1_weight", "0", "--method.adversarial_weight", "0"],
            "method 'pix2pix': l1_weight, gradient_weight and",
        ),
        (["--data.augmentation.size", "100"], "data.augmentation.size 100x100 does not fit the generator"),
        (["--data.augmentation.size", "8", "--data.augmentation.flips", "sideways"], "data.augmentation.flips.0: "),
        (["--data.augmentation.size", "[8, 16]", "--data.augmentation.flips", "rot90"], "needs a square size"),
        (["--data.augmentation.size", "0"], "both sides are at least 1 pixel"),
    ],
)
def test_what_a_part_says_against_its_settings_is_a_message_not_a_traceback(
    resolve: Resolve, words: list[str], said: str
) -> None:
    small = ["--generator.channels", "2"] if "generator" not in words[0] else []
    with pytest.raises(I2IError) as caught:
        Builder(resolve(*small, *words)).method()
    assert caught.value.exit_code == 2
    assert said in str(caught.value)


def test_a_rate_for_a_player_that_is_not_there_is_refused_with_the_players(resolve: Resolve) -> None:
    builder = Builder(resolve("--generator.channels", "2", "--optimiser.rates.critic", "1e-4"))
    with pytest.raises(I2IError, match=r"optimiser.rates names 'critic'; the players are generator, discriminator"):
        builder.optimisers(builder.method())


def test_looking_ahead_and_leaving_turns_out_exclude_each_other(resolve: Resolve) -> None:
    words = ["--generator.channels", "2", "--optimiser.order", "extragradient", "--stabilisers", "critic_steps"]
    with pytest.raises(I2IError, match="extragradient needs a turn of both players in every step; take out 'critic_st"):
        Builder(resolve(*words)).method()
