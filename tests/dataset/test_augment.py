"""Both sides of a pair go through one geometry; expected pixels are read off pictures painted with coordinates."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from i2i.data.augment import Augmentation, Augmenter
from i2i.data.sampler import rng
from i2i.errors import I2IError
from i2i.images.card import Pixels

Paint = Callable[[int, int], np.ndarray]
RGB, GRAY, RGBA = Pixels(), Pixels(colour="gray"), Pixels(colour="rgba")
LABELS = Pixels(colour="labels", palette=((0, 0, 0), (255, 0, 0), (0, 0, 255)))


def augmenter(source_pixels: Pixels = RGB, target_pixels: Pixels = RGB, **settings: Any) -> Augmenter:
    return Augmenter(Augmentation(**settings), source_pixels=source_pixels, target_pixels=target_pixels)


def inverted(picture: np.ndarray) -> np.ndarray:
    return 255 - picture


def test_a_crop_is_a_window_of_both_sides_at_one_place(coordinates: Paint) -> None:
    source = coordinates(40, 60)
    cut = augmenter(mode="crop", size=(8, 12), flips=())
    for position in range(50):
        ours, theirs = cut(source, inverted(source), rng(1, position))
        top, left = int(ours[0, 0, 0]), int(ours[0, 0, 1])
        assert np.array_equal(ours, source[top : top + 8, left : left + 12])
        assert np.array_equal(theirs, inverted(ours))


def test_crops_reach_every_place_up_to_the_last_row_and_column(coordinates: Paint) -> None:
    source = coordinates(7, 9)
    cut = augmenter(mode="crop", size=(4, 5), flips=())
    corners = {tuple(cut(source, source, rng(0, position))[0][0, 0, :2].tolist()) for position in range(400)}
    assert corners == {(top, left) for top in range(7 - 4 + 1) for left in range(9 - 5 + 1)}


# What each flip may do to a square picture, written with numpy alone.
SYMMETRIES: dict[tuple[str, ...], list[Callable[[np.ndarray], np.ndarray]]] = {
    (): [lambda p: p],
    ("horizontal",): [lambda p: p, lambda p: p[:, ::-1]],
    ("vertical",): [lambda p: p, lambda p: p[::-1]],
    ("horizontal", "vertical"): [lambda p: p, lambda p: p[:, ::-1], lambda p: p[::-1], lambda p: p[::-1, ::-1]],
    ("rot90",): [lambda p, k=k: np.rot90(p, k) for k in range(4)],
    ("horizontal", "rot90"): [lambda p, k=k, s=s: np.rot90(p[:, ::s], k) for k in range(4) for s in (1, -1)],
}


@pytest.mark.parametrize("flips", SYMMETRIES, ids="-".join)
def test_flips_keep_the_pair_aligned_and_give_exactly_the_symmetries_asked_for(
    flips: tuple[str, ...], coordinates: Paint
) -> None:
    source = coordinates(6, 6)
    expected = {np.ascontiguousarray(symmetry(source)).tobytes() for symmetry in SYMMETRIES[flips]}
    turn = augmenter(mode="crop", size=6, flips=flips)
    seen: dict[bytes, int] = {}
    for position in range(400):
        ours, theirs = turn(source, inverted(source), rng(2, position))
        assert np.array_equal(theirs, inverted(ours))
        seen[ours.tobytes()] = seen.get(ours.tobytes(), 0) + 1
    assert seen.keys() == expected
    # Each is as likely as the others: five standard deviations of a binomial count of 400 draws.
    share = 1 / len(expected)
    assert all(abs(count - 400 * share) <= 5 * (400 * share * (1 - share)) ** 0.5 for count in seen.values())


def test_jitter_resizes_by_286_to_256_and_then_cuts(coordinates: Paint) -> None:
    source = coordinates(32, 32)
    jitter = augmenter(mode="jitter", size=256, flips=())
    prepared, _ = jitter.prepare(source, source)
    assert prepared.shape == (286, 286, 3)
    places = set()
    for position in range(60):
        ours, theirs = jitter(prepared, inverted(prepared), rng(0, position))
        assert ours.shape == (256, 256, 3)
        assert np.array_equal(theirs, inverted(ours))
        places.add(ours.tobytes())
    assert len(places) > 50  # of 31 x 31 places
    assert augmenter(mode="jitter", size=(128, 64), flips=()).augmentation.resized == (143, 72)  # 143.0, 71.5 to even


@pytest.mark.parametrize("mode", ["crop", "resize"])
def test_a_turn_and_a_zoom_are_those_of_both_sides_and_as_far_as_asked_for(coordinates: Paint, mode: str) -> None:
    source = coordinates(200, 200)
    moved = augmenter(mode=mode, size=100, flips=(), turn=20, zoom=0.5)
    rows, columns = np.mgrid[35:65, 35:65].reshape(2, -1)
    inner = np.stack([rows, columns, np.ones_like(rows)], 1)
    turns, zooms = [], []
    for position in range(100):
        prepared = moved.prepare(source, inverted(source))
        ours, theirs = moved(*prepared, rng(0, position))
        assert ours.shape == (100, 100, 3)
        assert int(np.abs(theirs.astype(int) - inverted(ours)).max()) <= 1
        # Where each pixel comes from: the picture is painted with its coordinates.
        found, *_ = np.linalg.lstsq(inner, ours[35:65, 35:65, :2].reshape(-1, 2).astype(float), rcond=None)
        assert np.abs(inner @ found - ours[35:65, 35:65, :2].reshape(-1, 2)).max() < 2
        jacobian = found[:2] / (2 if mode == "resize" else 1)
        zooms += (1 / np.linalg.svd(jacobian, compute_uv=False)).tolist()
        turns.append(np.degrees(np.arctan2(jacobian[1, 0], jacobian[0, 0])))
    assert 1 / 1.5 - 0.02 < min(zooms) < 0.75
    assert 1.35 < max(zooms) < 1.52
    assert max(map(abs, turns)) < 40
    assert np.std(turns) > 8


def test_what_is_turned_stays_sharp_where_its_picture_is_larger() -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, np.arange(512) // 12 % 2 == 1] = 255  # of a pixel and a half at 64 px
    turned = augmenter(mode="resize", size=64, flips=(), turn=30)
    prepared = turned.prepare(stripes, stripes)
    contrast = [turned(*prepared, rng(0, position))[0][16:48, 16:48].std() for position in range(20)]
    assert np.mean(contrast) > 85  # interpolated at its own size: 74


def test_pictures_are_looked_at_upright() -> None:
    given = Augmentation(mode="resize", size=16, flips=("vertical",), turn=30, zoom=0.5)
    assert given.upright == Augmentation(mode="resize", size=16, flips=("vertical",))


def test_turned_label_maps_hold_their_palettes_colours_only() -> None:
    labels = np.array(LABELS.palette, np.uint8)[np.random.default_rng(0).integers(0, 3, (40, 40))]
    change = augmenter(RGB, LABELS, mode="resize", size=32, flips=(), turn=30, zoom=0.3)
    _, made = change(*change.prepare(labels, labels), rng(0, 0))
    assert {tuple(colour) for colour in made.reshape(-1, 3).tolist()} <= set(LABELS.palette)


@pytest.mark.parametrize("wrong", [{"turn": -1.0}, {"turn": 181.0}, {"zoom": -0.1}])
def test_a_turn_or_a_zoom_of_less_than_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(I2IError, match="a turn is 0 to 180 degrees, a zoom 0 or more"):
        augmenter(**wrong)


@pytest.mark.parametrize("shape", [(64, 64), (4, 4), (64, 4), (16, 16)])
def test_resize_takes_the_whole_object(shape: tuple[int, int]) -> None:
    source = np.zeros((*shape, 3), np.uint8)
    source[:, : shape[1] // 2] = 200
    whole = augmenter(mode="resize", size=16, flips=())
    ours, theirs = whole(*whole.prepare(source, inverted(source)), rng(0, 0))
    assert ours.shape == theirs.shape == (16, 16, 3)
    assert (ours[:, :4] == 200).all()
    assert (ours[:, 12:] == 0).all()
    assert (theirs[:, :4] == 55).all()


def test_shrinking_averages_the_area_and_does_not_pick_single_pixels() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::4] = 200
    whole = augmenter(mode="resize", size=16, flips=())
    assert np.unique(whole.prepare(stripes, stripes)[0]).tolist() == [50]


@pytest.mark.parametrize("mode", ["jitter", "resize"])
@pytest.mark.parametrize("shape", [(50, 40), (9, 300), (5, 7)])
def test_label_maps_hold_their_palettes_colours_only_after_resizing(mode: str, shape: tuple[int, int]) -> None:
    labels = np.array(LABELS.palette, np.uint8)[np.random.default_rng(0).integers(0, 3, shape)]
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    for sides in ((LABELS, RGB), (RGB, LABELS), (LABELS, LABELS)):
        change = augmenter(*sides, mode=mode, size=32, flips=("horizontal", "vertical", "rot90"))
        given = tuple(labels if side is LABELS else picture for side in sides)
        for made, side in zip(change(*change.prepare(*given), rng(0, 3)), sides, strict=True):
            if side is LABELS:
                assert {tuple(colour) for colour in made.reshape(-1, 3).tolist()} <= set(LABELS.palette)


@pytest.mark.parametrize("mode", ["crop", "jitter", "resize"])
@pytest.mark.parametrize("sides", [(GRAY, RGB), (RGB, GRAY), (RGBA, GRAY), (GRAY, LABELS), (RGBA, RGBA)])
def test_every_channel_count_goes_through_every_mode(mode: str, sides: tuple[Pixels, Pixels]) -> None:
    change = augmenter(*sides, mode=mode, size=16, flips=("horizontal", "vertical", "rot90"))
    given = tuple(np.zeros((20, 30, side.channels), np.uint8) for side in sides)
    made = change(*change.prepare(*given), rng(0, 0))
    assert [one.shape for one in made] == [(16, 16, side.channels) for side in sides]


def test_photometric_changes_touch_the_source_only(coordinates: Paint) -> None:
    source = coordinates(32, 32) * 4 + 20
    changed = augmenter(mode="crop", size=32, flips=(), photometric=True)
    results = [changed(source, source, rng(0, position)) for position in range(10)]
    assert all(np.array_equal(theirs, source) for _, theirs in results)
    assert len({ours.tobytes() for ours, _ in results}) == 10
    assert all(np.abs(ours.astype(int) - source).mean() < 60 for ours, _ in results)


@pytest.mark.parametrize("pixels", [GRAY, RGBA, LABELS], ids=lambda pixels: pixels.colour)
def test_photometric_changes_of_other_colours_are_refused_when_built(pixels: Pixels) -> None:
    with pytest.raises(I2IError, match=f"needs an rgb source, this one is {pixels.colour}") as caught:
        augmenter(pixels, RGB, photometric=True)
    assert caught.value.code == "E_RECIPE"
    augmenter(RGB, pixels, photometric=True)


def test_a_sample_depends_on_its_position_alone_and_not_on_earlier_ones(coordinates: Paint) -> None:
    source = coordinates(60, 60)
    settings: dict[str, Any] = {"mode": "crop", "size": 16, "flips": ("horizontal", "rot90"), "photometric": True}
    forwards, backwards = augmenter(**settings), augmenter(**settings)
    first = [forwards(source, source, rng(9, position)) for position in range(20)]
    second = [backwards(source, source, rng(9, position)) for position in reversed(range(20))][::-1]
    assert all(np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=True))


def test_no_global_generator_is_drawn_from_or_seeded(coordinates: Paint) -> None:
    change = augmenter(mode="jitter", size=16, flips=("horizontal", "vertical", "rot90"), photometric=True)
    source = coordinates(20, 20)
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    change(*change.prepare(source, source), rng(0, 0))
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before


def test_results_are_new_arrays_even_when_nothing_had_to_be_changed(coordinates: Paint) -> None:
    source, target = coordinates(8, 8), coordinates(8, 8)
    ours, theirs = augmenter(mode="crop", size=8, flips=())(source, target, rng(0, 0))
    ours[:] = 0
    theirs[:] = 0
    assert np.array_equal(source, coordinates(8, 8))
    assert np.array_equal(target, coordinates(8, 8))


def test_a_pair_smaller_than_the_crop_is_refused_with_the_remedy(coordinates: Paint) -> None:
    small = coordinates(10, 50)
    with pytest.raises(
        I2IError, match=r"50x10 pixels, smaller than the crop of 16x16.*augmentation.mode resize"
    ) as caught:
        augmenter(mode="crop", size=16)(small, small, rng(0, 0))
    assert caught.value.code == "E_PAIR_SIZE"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mode": "cropp"}, "mode 'cropp'; known: crop, jitter, resize"),
        ({"flips": ("diagonal",)}, "flip 'diagonal'; known: horizontal, vertical, rot90"),
        ({"size": 0}, "size 0x0; both sides are at least 1"),
        ({"size": (16, 32), "flips": ("rot90",)}, "square size, not 16x32"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(I2IError, match=message) as caught:
        Augmentation(**settings)
    assert caught.value.code == "E_RECIPE"


def test_the_smallest_usable_picture_is_the_crop_or_one_pixel() -> None:
    assert Augmentation(mode="crop", size=(8, 9)).minimum_size == (8, 9)
    assert (
        Augmentation(mode="jitter", size=8).minimum_size == Augmentation(mode="resize", size=8).minimum_size == (1, 1)
    )
