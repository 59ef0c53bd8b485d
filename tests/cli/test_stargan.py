"""Translators between domains, and of attributes, from the command line: trained, described, used, measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import i2i
from i2i.cli.main import main
from i2i.data.domains_source import DomainsSource
from i2i.evaluation.grids import GAP, HEADER

TINY = [
    *("--generator.channels", "2", "--generator.blocks", "1", "--discriminator.channels", "2"),
    *("--discriminator.layers", "2", "--discriminator.size", "16", "--data.augmentation.size", "16"),
    *("--training.threads", "1", "--training.precision", "fp32", "--training.tensorboard", "false"),
    *("--training.monitored_pictures", "3", "--training.batch_size", "2", "--steps", "2"),
]


@pytest.fixture(autouse=True)
def without_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which the feature network of KID is not installed: loading it takes seconds."""
    monkeypatch.setattr("i2i.evaluation.conditioned.installed", lambda: False)


def noise(path: Path, low: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draws = np.random.default_rng(low)
    Image.fromarray(draws.integers(low, low + 60, (16, 16, 3), np.uint8)).save(path)


def metrics(run: Path) -> set[str]:
    """Of the last step that was measured."""
    logged = [json.loads(line).get("metrics") for line in (run / "log.jsonl").read_text().splitlines()]
    return set([found for found in logged if found][-1])


def test_a_run_between_domains_shows_every_domain_converts_to_all_and_is_measured(tmp_path: Path, capsys) -> None:
    for number, domain in enumerate(("a", "b", "c")):
        for split, names in (("train", "123"), ("test", "45")):
            for name in names:
                noise(tmp_path / f"data/{split}/{domain}/{name}.png", 60 * number + int(name))
    run = tmp_path / "run"
    assert main(["train", "stargan", "--data", str(tmp_path / "data"), "--out", str(run), *TINY]) == 0
    assert metrics(run) == {"cycle_psnr"}
    sheets = sorted((run / "samples").iterdir())
    assert Image.open(sheets[-1]).size == (4 * (16 + GAP) + GAP, HEADER + 3 * (16 + GAP) + GAP)
    assert "cycle_psnr" in (run / "report.html").read_text()

    source, out = tmp_path / "data/test/a", tmp_path / "out"
    assert main(["convert", str(run), str(source), str(out), "--domain", "all", "--threads", "1"]) == 0
    translate = i2i.load(run, threads=1)
    for domain in ("a", "b", "c"):
        made = np.asarray(Image.open(out / domain / "4.png"))
        assert np.array_equal(made, np.asarray(translate(source / "4.png", domain=domain)))
    assert not np.array_equal(made, np.asarray(translate(source / "4.png", domain=0)))

    capsys.readouterr()
    assert main(["evaluate", str(run), "--metrics", "cycle_psnr", "--json", str(tmp_path / "x.json")]) == 0
    assert set(json.loads((tmp_path / "x.json").read_text())["domains"]) == {"a", "b", "c"}
    # A model may stand beside a recipe that leaves the rest to its preset.
    short = "preset: stargan\ndata: {type: domains, augmentation: {size: 16, mode: resize}}\n"
    (run / "model/recipe.yaml").write_text(short)
    options = ["--data", str(tmp_path / "data"), "--metrics", "cycle_psnr", "--json", str(tmp_path / "y.json")]
    assert main(["evaluate", str(run / "model"), *options]) == 0
    assert (tmp_path / "y.json").read_text() == (tmp_path / "x.json").read_text()
    capsys.readouterr()
    assert main(["info", str(run / "model")]) == 0
    assert "condition:     domains: a, b, c" in capsys.readouterr().out


class Marked(DomainsSource):
    """A dataset of one's own that says of single pictures what they are."""


def test_a_run_on_a_labelled_dataset_of_its_own_is_measured_domain_by_domain(tmp_path, own_dataset) -> None:
    own_dataset("marked", Marked)
    for number, domain in enumerate("ab"):
        for split in ("train", "test"):
            for name in "12":
                noise(tmp_path / f"data/{split}/{domain}/{name}.png", 60 * number + int(name))
    run, out = tmp_path / "run", tmp_path / "x.json"
    options = [*TINY, "--data.type", "marked", "--training.evaluate_every", "0"]
    assert main(["train", "stargan", "--data", str(tmp_path / "data"), "--out", str(run), *options]) == 0
    assert main(["evaluate", str(run), "--metrics", "cycle_psnr", "--json", str(out)]) == 0
    assert set(json.loads(out.read_text())["domains"]) == {"a", "b"}


def test_a_run_of_attributes_changes_what_is_set_and_reads_the_rest(tmp_path: Path, capsys) -> None:
    rows = []
    for number in range(6):
        split = "train" if number < 4 else "test"
        noise(tmp_path / f"data/{split}/{number}.png", 30 * number)
        rows.append(f"{split}/{number}.png {2 * (number % 2) - 1} {2 * (number // 3) - 1} {1 - 2 * (number // 3)}")
    (tmp_path / "data/list_attr.txt").write_text("\n".join(["6", "smile dark fair", *rows]) + "\n")
    run = tmp_path / "run"
    groups = ["--data.type", "attributes", "--data.exclusive_groups", "[[dark, fair]]"]
    assert main(["train", "stargan", "--data", str(tmp_path / "data"), "--out", str(run), *TINY, *groups]) == 0
    assert metrics(run) == {"cycle_psnr"}

    source = tmp_path / "data/test/4.png"
    assert main(["convert", str(run), str(source), str(tmp_path / "out.png"), "--set", "fair=1"]) == 0
    translate = i2i.load(run, threads=1)
    made, kept = (np.asarray(translate(source, set=values)) for values in ({"fair": 1}, {}))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), made)
    # What is read is one of the six that can be said.
    said = [{"smile": a, "dark": b, "fair": c} for a in (0, 1) for b, c in ((0, 0), (0, 1), (1, 0))]
    assert sum(np.array_equal(kept, np.asarray(translate(source, set=values))) for values in said) == 1
    group = [
        np.asarray(translate(source, set={"smile": 1, **values})) for values in ({"fair": 1}, {"fair": 1, "dark": 0})
    ]
    assert np.array_equal(*group)

    capsys.readouterr()
    assert main(["convert", str(run), str(source), str(tmp_path / "no.png"), "--set", "fiar=1"]) == 2
    assert "did you mean 'fair'?" in capsys.readouterr().err
    assert main(["info", str(run / "model")]) == 0
    assert "attributes: smile, dark, fair; one of dark, fair" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("extra", "options"), [("unlabelled", []), (None, ["--data.labelled_per_domain", "1", "--steps", "1"])]
)
def test_pictures_without_a_label_are_refused_before_the_first_step(tmp_path: Path, capsys, extra, options) -> None:
    for number, domain in enumerate(("a", "b", *([extra] if extra else []))):
        for name in "12":
            noise(tmp_path / f"data/train/{domain}/{name}.png", 60 * number + int(name))
    run = tmp_path / "run"
    assert main(["train", "stargan", "--data", str(tmp_path / "data"), "--out", str(run), *TINY, *options]) == 3
    assert "'stargan' needs the domain of every picture" in capsys.readouterr().err
    assert not (run / "recipe.yaml").exists()
