"""The page in headless Chromium: what a person does there, and that its pictures are those that i2i makes.

Screenshots go to the folder that SCREENSHOTS names, if any (`make test-page`).
"""

from __future__ import annotations

import base64
import io
import itertools
import math
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import i2i
from i2i.embedding.contents import embedded, kit
from i2i.embedding.onnxruntime_web import onnxruntime_web
from i2i.files import publish_folder
from i2i.loading import resolve
from tests.embedding.tiny import write_models

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from browser import browser, served, status

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed (apt-get install chromium)"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm, which fetches onnxruntime-web, is not installed"),
]

REAL = ["line2emoji", "satellite2relief", "digits"]
DONE = r"ms on \d"
PLAIN_SERVER = """
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> dict[str, Path]:
    return write_models(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def folder(tiny, tmp_path_factory) -> Path:
    """A page of real models and of tiny ones of every kind."""
    models = [embedded(resolve(name, engine="onnx")) for name in REAL]
    models += [embedded(resolve(path)) for path in tiny.values()]
    place = tmp_path_factory.mktemp("page") / "page"
    publish_folder(place, kit(models, onnxruntime_web()))
    return place


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as found:
        yield found


@pytest.fixture(scope="module")
def context():
    with browser(viewport={"width": 1100, "height": 860}) as made:
        yield made


@pytest.fixture
def page(context, address):
    """A page that may ask nobody but its own server and may not complain."""
    opened, wrong = context.new_page(), []
    opened.on("request", lambda r: r.url.startswith((address, "blob:", "data:")) or wrong.append(r.url))
    opened.on("console", lambda m: m.type in ("error", "warning") and wrong.append(m.text))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    yield opened
    opened.close()
    assert wrong == []


@pytest.fixture
def shot(tmp_path):
    """Keeps a picture of the page under a name."""
    where = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    where.mkdir(parents=True, exist_ok=True)
    return lambda page, name: page.screenshot(path=where / f"{name}.png", full_page=True)


def open_model(page, address, name, said=DONE):
    """Chooses a model and waits until its first result is there (or until it is ready for one)."""
    page.goto(f"{address}?now={name}#{name}")
    page.locator("#name", has_text=name).wait_for()
    status(page, said)


def pixels(page, canvas) -> np.ndarray:
    """What a canvas of the page shows, RGBA."""
    url = page.evaluate("id => document.getElementById(id).toDataURL()", canvas)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA"), np.int16)


def apart(got: np.ndarray, expected) -> int:
    """The largest difference between a canvas and a picture, in levels of 255."""
    return int(np.abs(got - np.asarray(expected.convert("RGBA"), np.int16)).max())


def runs(page) -> int:
    return int(page.evaluate("Number(document.body.dataset.runs ?? 0)"))


def after_a_run(page, act) -> None:
    """Does something and waits until the model has run since and has nothing more to do."""
    before = runs(page)
    act()
    for _ in range(600):
        page.wait_for_timeout(100)
        if runs(page) > before and "ms on" in page.text_content("#status"):
            page.wait_for_timeout(300)
            if "ms on" in page.text_content("#status"):
                return
    raise AssertionError("the model has not run")


def stroke(page, points) -> None:
    """Draws with the mouse through points in shares of the canvas."""
    box = page.locator("#canvas").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def arc(x, y, radius, start=0, end=360):
    angles = [math.radians(angle) for angle in range(start, end + 1, 6)]
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def test_a_drawing_becomes_an_emoji_stroke_by_stroke(page, address, shot):
    open_model(page, address, "line2emoji", "Ready")
    shot(page, "drawing-before")
    assert page.locator("#save").is_disabled()
    for points in (arc(0.5, 0.5, 0.42), arc(0.36, 0.42, 0.02), arc(0.64, 0.42, 0.02), arc(0.5, 0.52, 0.2, 25, 155)):
        after_a_run(page, lambda points=points: stroke(page, points))
    shot(page, "drawing-after")
    drawn = Image.fromarray(pixels(page, "canvas").astype(np.uint8))
    assert apart(pixels(page, "after"), i2i.load("line2emoji")(drawn.convert("RGB"))) <= 1
    assert np.array_equal(pixels(page, "before"), pixels(page, "canvas"))


def test_undo_clear_and_the_eraser_take_ink_away(page, address):
    open_model(page, address, "line2emoji", "Ready")
    ink = [int((pixels(page, "canvas")[:, :, 0] < 128).sum())]
    for act in (
        lambda: stroke(page, [(0.2, 0.5), (0.8, 0.5)]),
        lambda: stroke(page, [(0.5, 0.2), (0.5, 0.8)]),
        lambda: page.keyboard.press("Control+z"),
        lambda: (page.locator("#pens label", has_text="Eraser").click(), stroke(page, [(0.2, 0.5), (0.5, 0.5)])),
        page.locator("#examples button").first.click,
    ):
        after_a_run(page, act)
        ink.append(int((pixels(page, "canvas")[:, :, 0] < 128).sum()))
    page.click("#clear")
    status(page, "Ready")
    empty, line, cross, undone, erased, example = ink
    assert empty == 0
    assert cross > line == undone > erased > 0
    assert example not in (0, erased)
    assert pixels(page, "canvas").min() == 255
    after_a_run(page, lambda: page.click("#undo"))
    assert int((pixels(page, "canvas")[:, :, 0] < 128).sum()) == example


def test_the_keyboard_alone_can_draw(page, address):
    open_model(page, address, "line2emoji", "Ready")
    page.locator("#canvas").focus()

    def line():
        page.keyboard.press("Space")
        for _ in range(8):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")

    after_a_run(page, line)
    rows, columns = np.nonzero(pixels(page, "canvas")[:, :, 0] < 128)
    assert np.ptp(columns) > 48  # eight steps of 6 px, and the round ends
    assert np.ptp(rows) < 20
    page.keyboard.press("z")
    status(page, "Ready")
    assert pixels(page, "canvas").min() == 255


def test_a_picture_is_translated_as_i2i_does_it(page, address, tmp_path, shot):
    open_model(page, address, "satellite2relief")
    tile = Path(__file__).parents[1] / "data/earth/test/satellite/1836_1686.jpg"
    source = Image.open(tile).convert("RGB")
    source.save(tmp_path / "tile.png")
    after_a_run(page, lambda: page.set_input_files("#file", tmp_path / "tile.png"))
    assert apart(pixels(page, "before"), source) == 0
    expected = i2i.load("satellite2relief")(source)
    assert apart(pixels(page, "after"), expected) <= 1
    for cut, name in ((100, "picture-before"), (50, "picture-between"), (0, "picture-after")):
        page.locator("#slider").fill(str(cut))
        shot(page, name)
    with page.expect_download() as download:
        page.keyboard.press("Control+s")
    assert download.value.suggested_filename == "satellite2relief.png"
    download.value.save_as(tmp_path / "saved.png")
    assert apart(np.asarray(Image.open(tmp_path / "saved.png").convert("RGBA"), np.int16), expected) <= 1


def test_the_page_never_waits_for_the_model(page, address, tmp_path):
    open_model(page, address, "satellite2relief")
    noisy = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    Image.fromarray(noisy).save(tmp_path / "large.png")
    page.evaluate("""() => {
      let last = performance.now();
      window.longest = 0;
      setInterval(() => {
        window.longest = Math.max(window.longest, performance.now() - last);
        last = performance.now();
      }, 5);
    }""")
    after_a_run(page, lambda: page.set_input_files("#file", tmp_path / "large.png"))
    took = float(page.text_content("#status").split()[0])
    assert page.evaluate("window.longest") < took / 2


def test_noise_follows_its_seed_and_its_domain(page, address, shot):
    open_model(page, address, "digits")
    seen = [pixels(page, "after")]
    for act in (
        lambda: page.click("#sample"),
        lambda: page.locator("#steering label", has_text="7").click(),
        lambda: page.locator("input[name=seed]").fill("0"),
        lambda: page.locator("#steering label", has_text="0").click(),
    ):
        after_a_run(page, act)
        seen.append(pixels(page, "after"))
    shot(page, "noise")
    assert all(not np.array_equal(a, b) for a, b in itertools.pairwise(seen))
    assert np.array_equal(seen[0], seen[-1])


def test_attributes_are_switched_and_those_of_a_group_exclude_each_other(page, address, tmp_path, tiny, shot):
    open_model(page, address, "faces", "Ready")
    Image.new("RGB", (6, 4), (100, 100, 100)).save(tmp_path / "grey.png")
    after_a_run(page, lambda: page.set_input_files("#file", tmp_path / "grey.png"))
    colours = [pixels(page, "after")[0, 0, :3].tolist()]
    for name in ("black hair", "red hair"):
        after_a_run(page, lambda name=name: page.locator("#steering label", has_text=name).click())
        colours.append(pixels(page, "after")[0, 0, :3].tolist())
    after_a_run(page, lambda: page.locator("[aria-label=smile] label", has_text="on").click())
    colours.append(pixels(page, "after")[0, 0, :3].tolist())
    shot(page, "attributes")
    assert colours == [[75, 75, 75], [100, 50, 75], [50, 100, 75], [50, 100, 100]]


def test_domains_are_picked_by_name_and_mixed(page, address, tmp_path, shot):
    Image.new("RGB", (6, 4), (100, 100, 100)).save(tmp_path / "grey.png")
    open_model(page, address, "mixed", "Ready")
    after_a_run(page, lambda: page.set_input_files("#file", tmp_path / "grey.png"))
    assert pixels(page, "after")[0, 0, :3].tolist() == [100, 50, 50]
    after_a_run(page, lambda: page.locator("#steering label", has_text="drawn").click())
    assert pixels(page, "after")[0, 0, :3].tolist() == [50, 50, 100]
    after_a_run(page, lambda: page.locator("select[name=other]").select_option('the "other"'))
    assert pixels(page, "after")[0, 0, :3].tolist() == [50, 75, 75]
    shot(page, "domains")


def test_alpha_and_scale_come_out(page, address, tmp_path):
    half = np.full((4, 6, 4), 100, np.uint8)
    half[:, :, 3] = [255, 255, 255, 0, 0, 0]
    Image.fromarray(half).save(tmp_path / "half.png")
    open_model(page, address, "twice", "Ready")
    after_a_run(page, lambda: page.set_input_files("#file", tmp_path / "half.png"))
    got = pixels(page, "after")
    assert got.shape == (8, 12, 4)
    assert got[0, 0].tolist() == [50, 50, 50, 255]
    assert got[0, 11, 3] == 0


@pytest.mark.timeout(600)
def test_every_kind_of_model_passes_the_check_of_the_page(page, address, tiny):
    found = {}
    open_model(page, address, REAL[0], "Ready")
    page.click("#more summary")
    for name in [*REAL, *tiny]:
        page.locator("#menu label", has=page.locator(f"input[value='{name}']")).click()
        page.locator("#name", has_text=name).wait_for()
        page.click("#test")
        page.locator("#verdict", has_text="of 255 apart").wait_for()
        found[name] = page.text_content("#verdict")
    assert {name: said for name, said in found.items() if not said.startswith("passed")} == {}


def test_the_menu_changes_models(page, address):
    open_model(page, address, "line2emoji", "Ready")
    tiles = page.locator("#menu label")
    assert tiles.count() == len(REAL) + 10
    page.locator("#menu label", has_text="digits").click()
    page.locator("#name", has_text="digits").wait_for()
    status(page, DONE)
    assert not page.locator("#source").is_visible()
    assert page.url.endswith("#digits")


def test_threads_are_used_where_the_server_allows_them_and_not_needed_elsewhere(page, context, address, folder):
    open_model(page, address, "satellite2relief")
    cores = int(page.evaluate("Math.min(4, navigator.hardwareConcurrency)"))
    assert f"on {cores} thread" in page.text_content("#status")
    isolated = pixels(page, "after")
    with served(folder, [sys.executable, "-c", PLAIN_SERVER]) as plain:
        other = context.new_page()
        open_model(other, plain, "satellite2relief")
        assert "on 1 thread" in other.text_content("#status")
        assert "two headers" in other.text_content("#threads")
        assert np.abs(pixels(other, "after") - isolated).max() <= 1
        other.close()


def test_a_phone_shows_everything_and_every_control_has_a_name(page, address, shot):
    page.set_viewport_size({"width": 360, "height": 740})
    for name in ("line2emoji", "faces", "noise"):
        open_model(page, address, name, f"Ready|{DONE}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360
        shot(page, f"phone-{name}")
        nameless = page.evaluate("""() => [...document.querySelectorAll("button, input, select, canvas, img")]
          .filter((e) => e.checkVisibility() && !e.closest("[aria-hidden=true]"))
          .filter((e) => !(e.tagName === "IMG" && e.alt === ""))
          .filter((e) => !(e.ariaLabel || e.labels?.[0]?.textContent.trim() || e.textContent.trim()))
          .map((e) => e.outerHTML)""")
        assert nameless == []


def test_opened_as_a_file_it_says_what_it_needs(context, folder):
    opened = context.new_page()
    opened.goto((folder / "index.html").as_uri())
    assert "python serve.py" in opened.text_content("#about")
    assert not opened.locator("main").is_visible()
    opened.close()
