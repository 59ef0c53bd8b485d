"""Fonts: what is measured of a translator that writes the real glyphs, and of one that always writes one font."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from i2i.data.augment import Augmentation
from i2i.data.fonts_source import FontsSource
from i2i.data.glyphs import GRAY
from i2i.errors import I2IError
from i2i.evaluation.fonts import (
    FontJudge,
    evaluate_font,
    font_judge,
    mean_glyph,
    means,
    samples_of,
    scored,
)
from i2i.images.card import Condition, ImageCard, NetworkSpec, Sizing
from i2i.metrics.suite import Suite
from i2i.runtime.translator import Translator
from tests.dataset.fonts import FONTS

SIDE = 32
MA, XIAO = "Ma Shan Zheng", "ZCOOL XiaoWei"
# Not tested on the first ten of the cut fonts' characters alone: so few say nothing of a judge.
TEXT = "".join(chr(code) for code in sorted(TTFont(FONTS / "NotoSansSC.otf").getBestCmap()) if code > 0x3000)


@pytest.fixture(scope="module")
def data() -> FontsSource:
    return FontsSource(
        root=FONTS,
        source="NotoSansSC.otf",
        characters=TEXT,
        test_characters=10,
        augmentation=Augmentation(size=SIDE, mode="resize", flips=()),
    )


@pytest.fixture(scope="module")
def judge(data: FontsSource) -> FontJudge:
    return font_judge(data, data.names, steps=80)


class Copies:
    """A session that writes the real glyphs, or those of the one font `always`."""

    lanes = 1

    def __init__(self, data: FontsSource, *, always: str | None = None) -> None:
        self.card = ImageCard(
            name="copies",
            source=GRAY,
            target=GRAY,
            sizing=Sizing(rule="resize", width=SIDE, height=SIDE),
            condition=Condition(kind="domains", names=tuple(data.names)),
            network=NetworkSpec(type="zi2zi"),
            method="zi2zi",
        )
        self.always = None if always is None else data.names.index(always)
        self.real = {
            (data.source_typeface.draw(c).tobytes(), number): face.draw(c)[:, :, None]
            for number, face in enumerate(data.typefaces)
            for c in TEXT
        }

    def run(self, image: np.ndarray, *, domain: Any = None, condition: Any = None) -> np.ndarray:
        numbers = domain if self.always is None else [self.always] * len(image)
        return np.stack([self.real[one.tobytes(), number] for one, number in zip(image, numbers, strict=True)])


def measured(data: FontsSource, session: Copies, font: str, **options: Any) -> dict[str, Any]:
    glyphs = data.glyphs()
    learnt, held = (samples_of(data, glyphs[split], font) for split in ("train", "test"))
    options = {"suite": lambda: Suite(("l1", "ink_iou"), pixels=GRAY), "learnt": learnt, **options}
    return {name: one.metrics for name, one in evaluate_font(Translator(session), held, font, **options).items()}


def test_the_real_glyphs_are_without_fault_and_read_as_the_real_ones_are(data: FontsSource, judge: FontJudge) -> None:
    for font in (MA, XIAO):
        found = measured(data, Copies(data), font, judge=judge)
        assert found["model"]["l1"] == 0 and found["model"]["ink_iou"] == 1
        assert found["model"]["accuracy"] == found["model"]["real_accuracy"] >= 0.9


def test_a_model_that_writes_one_font_is_read_as_that_font_whatever_is_asked(
    data: FontsSource, judge: FontJudge
) -> None:
    always = Copies(data, always=XIAO)
    found = {font: measured(data, always, font, judge=judge)["model"] for font in (MA, XIAO)}
    assert found[MA]["accuracy"] <= 0.1 and found[XIAO]["accuracy"] >= 0.9
    assert found[MA]["real_accuracy"] >= 0.9


def test_the_baselines_are_the_source_glyph_and_the_mean_of_those_learnt(data: FontsSource, judge: FontJudge) -> None:
    found = measured(data, Copies(data), MA, judge=judge)
    glyphs = data.glyphs()
    learnt, held = (samples_of(data, glyphs[split], MA) for split in ("train", "test"))
    mean = np.mean([sample.target for sample in learnt], axis=0)
    for name, drawn in (("source", [one.source for one in held]), ("mean", [np.round(mean)] * len(held))):
        expected = np.mean(
            [np.abs(made * 1.0 - one.target).mean() / 255 for made, one in zip(drawn, held, strict=True)]
        )
        assert found[name]["l1"] == pytest.approx(expected, rel=1e-5)
    assert set(found["source"]) == {"l1", "ink_iou", "accuracy"}
    without = measured(data, Copies(data), MA, learnt=None)
    assert set(without) == {"model"} and set(without["model"]) == {"l1", "ink_iou"}


def test_the_chances_of_a_glyph_are_those_of_its_fonts_and_add_up(data: FontsSource, judge: FontJudge) -> None:
    drawn = [sample.target for sample in samples_of(data, data.glyphs()["test"], MA)]
    one, other = (judge.chances(drawn, font) for font in (MA, XIAO))
    np.testing.assert_allclose(one + other, 1)
    assert one.mean() > 0.8
    assert judge.accuracy(drawn, MA) == pytest.approx((one > other).mean())


def test_one_font_cannot_be_told_apart(data: FontsSource) -> None:
    with pytest.raises(I2IError, match="nothing to tell apart"):
        font_judge(data, [MA])


def test_scores_of_all_glyphs_and_the_overlap_of_each() -> None:
    half, full = np.full((16, 16, 1), 255, np.uint8), np.zeros((16, 16, 1), np.uint8)
    half[:8] = 0
    scores, overlaps = scored([half, full], [full, full])
    assert overlaps == [0.5, 1.0]
    assert scores["l1"] == pytest.approx(0.25) and scores["ink_iou"] == pytest.approx(0.75)
    assert mean_glyph([half, full])[15, 0, 0] == 128 and mean_glyph([half, full])[0, 0, 0] == 0


def test_the_mean_over_fonts_counts_each_font_once(data: FontsSource) -> None:
    glyphs = data.glyphs()["test"]
    found = [
        evaluate_font(
            Translator(Copies(data, always=XIAO)),
            samples_of(data, glyphs, font)[:count],
            font,
            suite=lambda: Suite(("l1",), pixels=GRAY),
        )["model"]
        for font, count in ((MA, 2), (XIAO, 6))
    ]
    assert means(found) == {"l1": pytest.approx(found[0].metrics["l1"] / 2)}
