"""A translation measured on samples whose values are known."""

import json

import numpy as np
import pytest

from i2i.errors import I2IError
from i2i.evaluation.evaluate import Evaluation, Sample, evaluate
from i2i.evaluation.scores import scores_page, text_table
from i2i.images.card import Pixels
from i2i.metrics.suite import Suite


def flat(value: int, *, height: int = 12, width: int = 14) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


SAMPLES = [
    Sample("good", flat(0), flat(51)),
    Sample("bad", flat(0), flat(255)),
    Sample("fair", flat(0, height=5), flat(102, height=5)),
]


def black(picture: np.ndarray) -> np.ndarray:
    return np.zeros_like(picture)


def measured(*, worst: int = 0, metrics: tuple[str, ...] = ("l1", "ssim")) -> Evaluation:
    return evaluate(black, SAMPLES, suite=Suite(metrics, pixels=Pixels()), worst=worst)


def test_an_evaluation_holds_the_means_and_the_values_of_every_picture_by_name():
    evaluation = measured()
    assert evaluation.n == 3
    assert evaluation.metrics["l1"] == pytest.approx((0.2 + 1.0 + 0.4) / 3, abs=1e-12)
    assert [(image.name, image.scores["l1"]) for image in evaluation.images] == [
        ("good", pytest.approx(0.2)),
        ("bad", pytest.approx(1.0)),
        ("fair", pytest.approx(0.4)),
    ]


def test_the_json_has_the_values_at_the_top_and_null_for_a_picture_that_cannot_be_scored():
    evaluation = measured()
    document = json.loads(evaluation.to_json())
    assert list(document) == ["n", "l1", "ssim", "images"]
    assert document["n"] == 3
    assert document["l1"] == evaluation.metrics["l1"]
    assert document["images"][2] == {"name": "fair", "l1": pytest.approx(0.4), "ssim": None}


def test_the_worst_pictures_come_first_whichever_way_the_metric_runs():
    assert [entry.name for entry in measured(worst=2).worst] == ["bad", "fair"]
    assert [entry.name for entry in measured(worst=2, metrics=("psnr",)).worst] == ["bad", "fair"]
    assert [entry.name for entry in measured(worst=9).worst] == ["bad", "fair", "good"]
    assert measured().worst == ()


def test_the_worst_pictures_carry_source_output_and_target():
    entry = measured(worst=1).worst[0]
    assert (entry.source == 0).all()
    assert (entry.output == 0).all()
    assert (entry.target == 255).all()


def test_a_picture_without_a_value_is_not_shown_before_those_known_to_be_bad():
    # SSIM cannot score `fair`; of the others `bad` is the worse
    assert measured(worst=1, metrics=("ssim",)).worst[0].name == "bad"


def test_progress_names_every_picture_once():
    names: list[str] = []
    evaluate(black, SAMPLES, suite=Suite(["l1"], pixels=Pixels()), progress=names.append)
    assert names == ["good", "bad", "fair"]


def test_an_output_of_another_shape_than_the_answer_is_refused_by_name():
    with pytest.raises(I2IError, match=r"\(12, 14, 1\) for good, the answer is \(12, 14, 3\)"):
        evaluate(lambda picture: picture[..., :1], SAMPLES, suite=Suite(["l1"], pixels=Pixels()))


def test_no_pictures_at_all_is_an_error():
    with pytest.raises(I2IError, match="no picture") as caught:
        evaluate(black, [], suite=Suite(["l1"], pixels=Pixels()))
    assert caught.value.code == "E_NO_IMAGES"


def test_the_text_table_aligns_the_values_and_says_which_way_is_better():
    table = text_table({"model": measured(), "other": measured(metrics=("l1",))})
    lines = [line.split() for line in table.splitlines()]
    assert lines[0] == ["metric", "model", "other", "better"]
    assert lines[1] == ["l1", "0.5333", "0.5333", "lower"]
    assert lines[2][2:] == ["-", "higher"]


def test_the_page_shows_the_worst_pictures_and_a_row_for_each_picture():
    html = scores_page({"model": measured(worst=2)}, title="model on test")
    assert html.count("<img ") == 2
    assert "The 2 worst pictures" in html
    assert html.index("bad: l1 1") < html.index("fair: l1 0.4")
    assert html.count("<tr><td>good</td>") == 1
