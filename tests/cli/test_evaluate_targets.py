"""`i2i evaluate` of translators between domains: every picture to every domain, as a table, as JSON and as a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from i2i.cli.main import main
from tests.runtime.folders import picture

DOMAINS = ("same", "inverse")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for domain in DOMAINS:
        picture(tmp_path / f"data/train/{domain}/0.png", 99, (8, 6))
    for number in range(3):
        picture(tmp_path / f"data/test/same/{number}.png", 10 + number, (8, 6))
        picture(tmp_path / f"data/test/inverse/{number}.png", 240 - number, (8, 6))
    return tmp_path / "data"


def evaluate(*arguments: object) -> int:
    return main(["evaluate", *map(str, arguments)])


def test_every_picture_goes_to_every_domain_and_back(make_model, data, tmp_path, capsys):
    model, out = make_model(domains=DOMAINS), tmp_path / "out.json"
    page = tmp_path / "page.html"
    assert evaluate(model, "--data", data, "--metrics", "cycle_psnr", "--json", out, "--report", page) == 0
    said = capsys.readouterr().out
    assert said.startswith("6 pictures of test")
    assert "same  inverse" in said
    found = json.loads(out.read_text())
    # To `inverse` and back with `same`, which does nothing, gives 255 - x: 235, 233 and 231 levels off; and so the
    # other way round with 240, 239 and 238, which are 225, 223 and 221 levels off.
    assert found["n"] == 6
    assert found["domains"]["inverse"]["cycle_psnr"] == pytest.approx(0.78, abs=0.01)
    assert found["domains"]["same"]["cycle_psnr"] == pytest.approx(1.16, abs=0.01)
    assert found["cycle_psnr"] == pytest.approx(0.97, abs=0.01)
    html = page.read_text()
    assert "tiny on test" in html and html.count("<img") == 1


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--metrics", "ssim"], 2, "unknown metric of translations between domains 'ssim'"),
        (["--baselines"], 2, "--baselines is about other models"),
        (["--split", "val"], 3, "there is no split 'val'"),
        ([], 2, "--data DIR is needed"),
    ],
)
def test_what_does_not_fit_is_refused(make_model, data, capsys, options, code, said):
    where = ["--data", data] if options else []
    assert evaluate(make_model(domains=DOMAINS), *where, *options) == code
    assert said in capsys.readouterr().err


def test_data_of_other_domains_are_refused(make_model, data, capsys):
    assert evaluate(make_model(domains=("same", "inverted")), "--data", data, "--metrics", "cycle_psnr") == 2
    assert "unknown domain 'inverse'; did you mean 'inverted'?" in capsys.readouterr().err
