"""The pieces of a page: valid, escaped, and nothing fetched."""

import base64
import io
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from i2i.evaluation.chart import BUCKETS, chart, number, ticks
from i2i.evaluation.page import charts, code, page, paragraph, picture, pictures, section, table

VOID = {"meta", "img", "circle", "path"}


class Structure(HTMLParser):
    """Raises for a tag that is closed in the wrong place; remembers every address that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(html: str) -> Structure:
    structure = Structure()
    structure.feed(html)
    assert structure.open == []
    assert all(address.startswith("data:") for address in structure.addresses)
    assert "url(" not in html
    assert "@import" not in html
    return structure


def whole() -> str:
    pixels = np.zeros((4, 6, 3), np.uint8)
    return page(
        "A & <b>",
        paragraph("1 < 2"),
        section("Curves", charts([chart("loss <x>", [(0, 1.0), (10, 0.5)], note="lower", reference=0.7)])),
        section("Pictures", pictures([picture(pixels, alt='a "quoted" word', caption="<caption>")])),
        section("Text", code("a: <b>\n"), table(["name", "value"], [["<i>", "1.5"]], caption="c & d")),
    )


def test_a_page_is_well_formed_and_fetches_nothing():
    checked(whole())


def test_all_text_is_escaped():
    html = whole()
    for raw in ("<b>", "<x>", "<i>", "<caption>", '"quoted"'):
        assert raw not in html
    assert "A &amp; &lt;b&gt;" in html


def test_a_section_without_content_disappears():
    assert section("Empty", "") == ""
    assert charts([]) == pictures([]) == ""


@pytest.mark.parametrize(("lossless", "kind"), [(True, "png"), (False, "webp")])
def test_a_picture_is_embedded_with_its_size_and_pixels(lossless, kind):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    html = picture(pixels, alt="noise", lossless=lossless)
    found = re.search(rf'data:image/{kind};base64,([^"]+)" width="7" height="5" alt="noise"', html)
    assert found
    decoded = np.asarray(Image.open(io.BytesIO(base64.b64decode(found.group(1)))))
    assert decoded.shape == (5, 7, 3)
    assert (decoded == pixels).all() == lossless


def test_columns_of_numbers_are_set_to_the_right():
    html = table(["name", "value", "word"], [["1", "1,200", "a"], ["2", "-", "b"]])
    assert html.count('<td class="number">') == 2
    assert html.count('<th class="number"') == 1


def curve_of(svg: str) -> list[tuple[float, float]]:
    data = re.search(r'class="curve" d="M([^"]+)"', svg)
    assert data
    return [tuple(map(float, point.split(","))) for point in data.group(1).split("L")]


def test_a_curve_starts_left_ends_right_and_higher_values_are_higher_up():
    points = curve_of(chart("x", [(0, 0.0), (50, 1.0), (100, 0.5)]))
    assert [x for x, _ in points] == pytest.approx([52, 190, 328])
    low, high, middle = (y for _, y in points)
    assert high < middle < low
    # y runs down: half way in value is half way in pixels, to the rounding of one decimal
    assert middle == pytest.approx((low + high) / 2, abs=0.1)


def test_a_chart_says_in_words_where_the_curve_begins_and_ends():
    svg = chart("loss", [(1, 2.5), (400, 0.125)])
    assert "<title>loss from 2.5 at step 1 to 0.125 at step 400</title>" in svg
    assert 'role="img"' in svg


def test_many_points_are_averaged_into_buckets_with_a_band_of_their_range():
    points = [(float(i), float(i % 2)) for i in range(BUCKETS * 10)]
    svg = chart("x", points)
    assert len(curve_of(svg)) == BUCKETS
    assert len({y for _, y in curve_of(svg)}) == 1
    assert 'class="band"' in svg
    assert 'class="band"' not in chart("x", points[:BUCKETS])


def test_values_that_are_not_finite_are_left_out_and_an_empty_chart_says_so():
    assert len(curve_of(chart("x", [(0, 1.0), (1, math.nan), (2, math.inf), (3, 2.0)]))) == 2
    assert "no values" in chart("x", [(0, math.nan)])


@pytest.mark.parametrize("points", [[(5, 3.0)], [(5, 0.0), (6, 0.0)], [(0, 1e-9), (1, 2e-9)], [(0, -7e8), (1, 1e9)]])
def test_a_chart_of_one_point_of_a_level_line_or_of_extreme_values_stays_inside(points):
    svg = chart("x", points)
    checked(svg)
    assert all(0 <= x <= 340 and 0 <= y <= 190 for x, y in curve_of(svg))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.5, 1.0]),
        (0, 2000, [0, 500, 1000, 1500, 2000]),
        (17.3, 23.6, [18, 20, 22]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_ticks_are_round_numbers_within_the_range(low, high, expected):
    assert ticks(low, high, count=4) == pytest.approx(expected)


def test_numbers_are_short_and_readable():
    shown = {23.4567: "23.46", 0.0123456: "0.01235", 1200.0: "1,200", 123456.7: "123,457", 0: "0", 1.5e-7: "1.5e-07"}
    assert {value: number(value) for value in shown} == shown
