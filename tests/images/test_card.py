"""The card says what a model takes and gives, refuses what makes no sense, and travels as JSON."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from i2i.errors import I2IError
from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Precision, Sizing

MINIMAL = {"name": "tiny", "network": {"type": "unet"}, "method": "pix2pix"}


def card(**fields: object) -> ImageCard:
    return ImageCard.model_validate({**MINIMAL, **fields})


def test_a_card_survives_the_way_to_json_and_back() -> None:
    full = card(
        source=Pixels(colour="labels", palette=((0, 0, 0), (255, 0, 0))),
        target=Pixels(colour="rgba"),
        value_range=(0.0, 1.0),
        sizing=Sizing(rule="resize", width=64, height=32),
        scale=2,
        condition=Condition(kind="domains", names=("a", "ü"), exclusive_groups=(("a", "ü"),)),
        latent=16,
        network=NetworkSpec(type="unet", arguments={"depth": 7, "skips": True}),
        metrics={"psnr": 24.5},
        step=1200,
    )
    assert ImageCard.from_json(full.to_json()) == full
    assert ImageCard.from_json(full.to_json().encode()) == full


def test_the_defaults_are_rgb_in_minus_one_to_one_at_any_size() -> None:
    tiny = card()
    assert (tiny.source.colour, tiny.target.colour, tiny.value_range) == ("rgb", "rgb", (-1.0, 1.0))
    assert (tiny.sizing.rule, tiny.sizing.multiple, tiny.sizing.minimum, tiny.scale) == ("pad", 1, 1, 1)


def test_the_ranges_of_attributes_survive_the_way_to_json_and_back() -> None:
    steered = card(condition=Condition(kind="attributes", names=("a", "b"), ranges=((0, 1), (-1, 1.5))))
    again = ImageCard.from_json(steered.to_json())
    assert again == steered
    assert again.condition is not None
    assert again.condition.ranges == ((0.0, 1.0), (-1.0, 1.5))


@pytest.mark.parametrize(
    ("pixels", "channels", "planes"),
    [
        (Pixels(colour="gray"), 1, 1),
        (Pixels(colour="rgb"), 3, 3),
        (Pixels(colour="rgba"), 4, 4),
        (Pixels(colour="labels", palette=((0, 0, 0), (9, 9, 9))), 3, 2),
    ],
)
def test_channels_are_those_of_the_file_and_planes_those_of_the_network(
    pixels: Pixels, channels: int, planes: int
) -> None:
    assert (pixels.channels, pixels.planes) == (channels, planes)


@pytest.mark.parametrize(
    "fields",
    [
        {"colour": "labels"},
        {"colour": "rgb", "palette": ((0, 0, 0),)},
        {"colour": "labels", "palette": ((0, 0, 0), (0, 0, 0))},
        {"colour": "labels", "palette": ((0, 0, 256),)},
        {"colour": "bgr"},
    ],
)
def test_a_palette_belongs_to_labels_and_names_each_colour_once(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Pixels.model_validate(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"rule": "pad", "width": 8, "height": 8},
        {"rule": "resize"},
        {"rule": "fixed", "width": 8},
        {"rule": "pad", "multiple": 0},
        {"rule": "crop"},
    ],
)
def test_a_size_belongs_to_the_rules_that_need_one(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Sizing.model_validate(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"value_range": (1, -1)},
        {"scale": 0},
        {"latent": 0},
        {"condition": {"kind": "domains", "names": ()}},
        {"condition": {"kind": "domains", "names": ("a",), "ranges": ((0, 1),)}},
        {"condition": {"kind": "attributes", "names": ("a", "b"), "ranges": ((0, 1),)}},
        {"condition": {"kind": "attributes", "names": ("a",), "ranges": ((1, 1),)}},
        {"condition": {"kind": "attributes", "names": ("a",), "ranges": ((0, float("inf")),)}},
        {"condition": {"kind": "attributes", "names": ("a",), "mixed": True}},
        {"condition": {"kind": "domains", "names": ("a", "b", "a")}},
        {"condition": {"kind": "attributes", "names": ("a", "b"), "exclusive_groups": (("a", "c"),)}},
        {"drawing": {"font": "x", "file": "/fonts/x.ttf"}},
        {"drawing": {"font": "x", "file": "../x.ttf"}},
        {"drawing": {"font": "x", "file": "..\\x.ttf"}},
        {"drawing": {"font": "x", "file": ".."}},
        {"nam": "x"},
    ],
)
def test_a_card_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        card(**fields)
    with pytest.raises(I2IError) as caught:
        ImageCard.from_json(json.dumps({**MINIMAL, **fields}), path="x/card.json")
    assert caught.value.code == "E_CKPT_MISMATCH"
    assert next(iter(fields)) in str(caught.value)
    assert "card.json" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", b"\xff\xfe", '{"format": "x"}', '{"name": 1}'])
def test_what_is_no_card_is_refused_with_one_code(text: str | bytes) -> None:
    with pytest.raises(I2IError) as caught:
        ImageCard.from_json(text)
    assert caught.value.code == "E_CKPT_MISMATCH"


def test_a_card_of_a_later_format_asks_for_an_upgrade() -> None:
    with pytest.raises(I2IError, match="upgrade") as caught:
        ImageCard.from_json(json.dumps({**MINIMAL, "format": 3, "unheard": "of"}))
    assert caught.value.code == "E_CKPT_NEWER"


def test_only_a_card_with_a_precision_has_the_format_that_knows_it() -> None:
    plain, int8 = card(), card(precision=Precision(arithmetic="int8", weights="int8", psnr=41.5))
    first, second = json.loads(plain.to_json()), json.loads(int8.to_json())
    assert (first["format"], "precision" in first) == (1, False)
    assert (second["format"], second["precision"]["arithmetic"]) == (2, "int8")
    again = ImageCard.from_json(int8.to_json())
    assert again.precision == int8.precision
    assert again.to_json() == int8.to_json()
    assert again.model_copy(update={"precision": None}).to_json() == plain.to_json()


def test_a_card_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        card().scale = 2  # type: ignore[misc]


def test_domains_keep_their_order_through_json() -> None:
    names = ("z", "a", "m")
    again = ImageCard.from_json(card(condition={"kind": "domains", "names": names}).to_json())
    assert again.condition is not None
    assert again.condition.names == names


@pytest.mark.parametrize(
    ("fields", "port"),
    [
        ({"kind": "domains"}, "domain"),
        ({"kind": "domains", "mixed": True}, "condition"),
        ({"kind": "attributes"}, "condition"),
    ],
)
def test_one_domain_has_a_number_and_mixtures_and_attributes_have_a_number_a_name(
    fields: dict[str, object], port: str
) -> None:
    assert Condition.model_validate({"names": ("a", "b"), **fields}).port == port
