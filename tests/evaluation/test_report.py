"""The report of a made-up run folder."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.evaluation.report import direction, read_log, thinned, write_report


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "first run"
    (folder / "samples").mkdir(parents=True)
    lines = [
        {"step": 50, "time": 1.0, "ms_per_step": 20.5, "losses": {"l1": 9.0}, "learning_rates": {"generator": 2e-4}},
        {"step": 100, "metrics": {"psnr": 17.5, "gradient": 0.25}},
        {"step": 100, "time": 2.0, "ms_per_step": 21.5, "losses": {"l1": 7.0}, "learning_rates": {"generator": 1e-4}},
        {"step": 200, "metrics": {"psnr": 21.25, "gradient": 0.5}},
    ]
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, lines)) + '\n{"step": 250, "loss', encoding="utf-8")
    for step in range(15):
        pixels = np.full((6, 8, 3), 10 * step, np.uint8)
        Image.fromarray(pixels).save(folder / f"samples/{step * 100:08d}.png")
    (folder / "recipe.yaml").write_text("method:\n  type: <pix2pix>\n", encoding="utf-8")
    (folder / "environment.json").write_text(json.dumps({"torch": "2.14.1", "threads": 2}), encoding="utf-8")
    return folder


def test_the_log_becomes_curves_by_name_and_a_torn_last_line_is_passed_over(run):
    log = read_log(run / "log.jsonl")
    assert log.losses == {"l1": [(50, 9.0), (100, 7.0)]}
    assert log.metrics == {"psnr": [(100, 17.5), (200, 21.25)], "gradient": [(100, 0.25), (200, 0.5)]}
    assert log.rates == {"generator": [(50, 2e-4), (100, 1e-4)]}
    assert log.speed == [(50, 20.5), (100, 21.5)]
    assert log.last_step == 200


def test_the_report_holds_curves_final_metrics_recipe_and_environment(run):
    html = write_report(run).read_text(encoding="utf-8")
    assert "<h1>Run first run</h1>" in html
    assert "200 steps, 21.5 ms per step." in html
    # psnr, gradient, l1, speed, learning rate
    assert html.count('<svg class="chart"') == 5
    assert re.search(r'<td>psnr</td><td class="number">21.25</td><td>higher</td>', html)
    assert re.search(r'<td>gradient</td><td class="number">0.5</td><td>nearer 1</td>', html)
    assert "type: &lt;pix2pix&gt;" in html
    assert "<td>torch</td><td>2.14.1</td>" in html


def test_what_was_found_wrong_with_the_training_is_told_with_its_step(run):
    log = run / "log.jsonl"
    assert "Health" not in write_report(run).read_text(encoding="utf-8")
    look = {"diversity": 0.5, "told_apart_discriminator": 0.75, "apart": 30.0}
    torn = "\n"  # the line that was torn ends here
    lines = "".join(json.dumps({"step": step, "health": look}) + "\n" for step in (150, 200))
    log.write_text(log.read_text() + torn + lines, encoding="utf-8")
    html = write_report(run).read_text(encoding="utf-8")
    assert "Nothing to complain about." in html
    assert ">diversity 0.5</text>" in html
    assert ">told apart discriminator 0.75</text>" in html
    assert ">apart 30" not in html
    look["findings"] = [{"name": "outputs_alike", "message": "outputs <have> become alike", "passed": False}]
    log.write_text(log.read_text() + json.dumps({"step": 1200, "health": look}) + "\n", encoding="utf-8")
    html = write_report(run).read_text(encoding="utf-8")
    assert "1,200</td><td>outputs &lt;have&gt; become alike</td>" in html
    assert "Nothing to complain about." not in html


def test_at_most_twelve_grids_are_shown_over_time_and_the_last_one_by_itself(run):
    html = write_report(run).read_text(encoding="utf-8")
    assert html.count("<img ") == 12 + 1
    assert html.count("step 1,400<") == 2
    assert html.count("step 0<") == 1


def test_a_ratio_is_drawn_with_the_line_that_it_should_reach(run):
    html = write_report(run).read_text(encoding="utf-8")
    assert html.count('class="reference" d=') == 1


def test_the_report_goes_where_asked_and_replaces_an_older_one(run, tmp_path):
    out = tmp_path / "pages/report.html"
    assert write_report(run, out=out) == out
    first = out.read_bytes()
    (run / "log.jsonl").unlink()
    write_report(run, out=out)
    assert out.read_bytes() != first
    assert not (run / "report.html").exists()


def test_an_empty_run_folder_still_gives_a_page(tmp_path):
    html = write_report(tmp_path).read_text(encoding="utf-8")
    assert "Nothing has been logged yet." in html
    assert "<h2>" not in html


def test_thinning_keeps_the_first_and_the_last_and_spreads_evenly():
    paths = [Path(str(i)) for i in range(23)]
    kept = [int(path.name) for path in thinned(paths, 12)]
    assert kept == list(range(0, 23, 2))
    assert thinned(paths[:5], 12) == paths[:5]


def test_the_direction_of_a_metric_is_told_in_words():
    assert [direction(name) for name in ("psnr", "kid", "spectrum", "mine")] == ["higher", "lower", "nearer 1", ""]
