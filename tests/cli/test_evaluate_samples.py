"""`i2i evaluate` of generators from noise: small untrained networks on made-up pictures."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import i2i
from i2i.cli.main import main
from i2i.evaluation.grids import GAP, HEADER
from i2i.images.card import Condition, ImageCard, NetworkSpec, Sizing
from i2i.metrics.gradient import Gradient
from i2i.networks.mlp import MLP
from i2i.runtime.sampler import noise
from i2i.weights.store import save_model

SIDE = 8


def save(folder: Path, condition: Condition | None = None) -> Path:
    """A run folder with an untrained generator in it."""
    torch.manual_seed(0)
    width = 4 + (0 if condition is None else len(condition.names))
    arguments = {"in_channels": width, "out_channels": 3, "channels": 8, "size": SIDE}
    card = ImageCard(
        name="tiny",
        latent=4,
        condition=condition,
        sizing=Sizing(rule="fixed", width=SIDE, height=SIDE),
        network=NetworkSpec(type="mlp", arguments=arguments),
        method="gan",
    )
    save_model(folder / "model", MLP(**arguments), card)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Pictures of noise in train/ and test/, there in two folders that may be domains."""
    random = np.random.default_rng(0)
    for split, names in (("train", "abcde"), ("test", "pqr")):
        for number, name in enumerate(names):
            path = tmp_path / "data" / split / ("even", "odd")[number % 2] / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(path)
    return tmp_path / "data"


def evaluate(*words: object) -> int:
    return main(["evaluate", *map(str, words)])


def pictures(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.rglob("*.png"))])


@pytest.mark.parametrize("domains", [None, ("odd", "even")])
def test_as_many_samples_as_pictures_are_compared_with_them(
    data: Path, tmp_path: Path, capsys, domains: tuple[str, ...] | None
) -> None:
    condition = Condition(kind="domains", names=domains) if domains else None
    run, out = save(tmp_path / "run", condition), tmp_path / "scores.json"
    assert evaluate(run, "--data", data, "--metrics", "gradient", "--json", out) == 0
    # the files of a folder come in the order of their names: p and r are even, q is odd
    made = i2i.load(run)(noise(3, 4, seed=0), domain=["even", "even", "odd"] if domains else None)
    metric = Gradient()
    metric.update(torch.from_numpy(made), torch.from_numpy(pictures(data / "test")))
    scores = json.loads(out.read_text())
    assert list(scores) == ["n", "gradient", "images"]
    assert (scores["n"], scores["images"]) == (3, [])
    assert scores["gradient"] == pytest.approx(metric.compute()["gradient"])
    assert "3 pictures of test" in capsys.readouterr().out


def test_the_neighbours_are_drawn_and_their_distances_told(data: Path, tmp_path: Path, capsys) -> None:
    run, out, sheet = save(tmp_path / "run"), tmp_path / "scores.json", tmp_path / "sheet.png"
    options = ["--metrics", "gradient", "--json", out, "--neighbours", sheet]
    assert evaluate(run, "--data", data, *options) == 0
    made, train, test = i2i.load(run)(noise(3, 4, seed=0)), pictures(data / "train"), pictures(data / "test")

    def away(rows: np.ndarray) -> np.ndarray:
        return np.sqrt(((rows[:, None].astype(float) - train) ** 2).mean((2, 3, 4)))

    expected = {"samples": statistics.median(away(made).min(1)), "pictures": statistics.median(away(test).min(1))}
    assert json.loads(out.read_text())["neighbours"] == pytest.approx(expected)
    assert f"{expected['samples']:.1f} levels of 255 from a sample" in capsys.readouterr().out
    shown = np.asarray(Image.open(sheet))[HEADER + GAP :]
    for number, nearest in enumerate(away(made).argmin(1)):
        left = GAP + 2 * number * (SIDE + GAP)
        assert np.array_equal(shown[:SIDE, left : left + SIDE], made[number])
        assert np.array_equal(shown[:SIDE, left + SIDE + GAP : left + 2 * SIDE + GAP], train[nearest])


def test_a_recipe_beside_a_model_may_leave_the_rest_to_its_preset(data: Path, tmp_path: Path, capsys) -> None:
    run = save(tmp_path / "run")
    short = f"preset: dcgan\ndata: {{augmentation: {{size: {SIDE}, mode: resize}}}}\n"
    (run / "recipe.yaml").write_text(short)
    assert main(["evaluate", str(run), "--data", str(data), "--metrics", "gradient"]) == 0
    assert "gradient" in capsys.readouterr().out


def test_a_run_knows_its_data_and_how_they_were_cut(data: Path, tmp_path: Path, capsys) -> None:
    run = save(tmp_path / "run")
    (run / "recipe.yaml").write_text(
        f"""
method: gan
generator: {{type: mlp, size: {SIDE}}}
discriminator: {{type: mlp_critic, size: {SIDE}}}
objective: hinge
data: {{type: images, root: {data}, augmentation: {{size: {SIDE}, mode: crop}}}}
"""
    )
    assert evaluate(run, "--metrics", "gradient", "--split", "train") == 0
    assert "5 pictures of train" in capsys.readouterr().out
    assert evaluate(run, "--metrics", "gradient", "--data", tmp_path / "elsewhere") == 3
    assert "elsewhere" in capsys.readouterr().err


def test_a_broken_picture_is_told_before_anything_is_made(data: Path, tmp_path: Path, capsys) -> None:
    (data / "test/odd/q.png").write_bytes(b"")
    sheet = tmp_path / "sheet.png"
    assert evaluate(save(tmp_path / "run"), "--data", data, "--metrics", "gradient", "--neighbours", sheet) == 3
    assert "q.png" in capsys.readouterr().err
    assert not sheet.exists()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--metrics", "psnr"], 2, "psnr compares a picture with its answer"),
        (["--metrics", "gradient", "--split", "val"], 3, "there is no split 'val'"),
        (["--domain", "odd"], 2, "--domain is about translators"),
        (["--data.source", "A"], 2, "--data.source is about translators"),
        (["--baselines"], 2, "--baselines is about translators"),
        (["--report", "page.html"], 2, "--report is about translators"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(data: Path, tmp_path: Path, capsys, options, code, said) -> None:
    assert evaluate(save(tmp_path / "run"), "--data", data, *options) == code
    printed = capsys.readouterr().err
    assert said in printed
    assert "Traceback" not in printed


def test_without_the_feature_network_it_is_said_what_to_install(
    data: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr("i2i.evaluation.generated.installed", lambda: False)
    assert evaluate(save(tmp_path / "run"), "--data", data) == 2
    assert 'pip install "i2i[metrics]"' in capsys.readouterr().err


def test_neighbours_of_a_translator_and_a_model_without_data_are_refused(make_model, tmp_path: Path, capsys) -> None:
    assert evaluate(make_model(), "--data", tmp_path, "--neighbours", "x.png") == 2
    assert "--neighbours is about generators from noise" in capsys.readouterr().err
    assert evaluate(make_model(), "--data", tmp_path, "--test-characters", "3") == 2
    assert "--characters and --test-characters are about fonts" in capsys.readouterr().err
    assert evaluate(save(tmp_path / "run"), "--metrics", "gradient") == 2
    assert "--data DIR is needed" in capsys.readouterr().err
