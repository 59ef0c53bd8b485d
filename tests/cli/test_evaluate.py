"""`i2i evaluate` with a small untrained network on made-up pairs."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import i2i
from i2i.cli.main import main
from i2i.data.paired import Pair
from i2i.data.paired_scan import scan
from i2i.data.paired_source import PairedSource
from i2i.data.scan import Scan
from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.networks import NETWORKS
from i2i.weights.store import save_model

RGB = Pixels()
PALETTE = ((0, 0, 0), (255, 0, 0), (0, 0, 255))


def model(folder: Path, *, target: Pixels = RGB) -> Path:
    """A run folder with an untrained U-Net in it."""
    arguments = {"in_channels": 3, "out_channels": target.planes, "channels": 4, "depth": 2}
    torch.manual_seed(0)
    network = NETWORKS["unet"](**arguments)
    spec = NetworkSpec(type="unet", arguments=arguments)
    sizing = Sizing(rule="pad", multiple=4, minimum=4)
    card = ImageCard(name="tiny", target=target, sizing=sizing, network=spec, method="pix2pix")
    save_model(folder / "model", network.eval(), card)
    return folder


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    noise = np.random.default_rng(0)
    for split, names in (("train", "pq"), ("test", "abc")):
        for name in names:
            source = noise.integers(0, 256, (20, 22, 3), dtype=np.uint8)
            save(root / split / f"photo/{name}.png", source)
            save(root / split / f"map/{name}.png", 255 - source)
    return root


@pytest.fixture
def sides() -> list[str]:
    return ["--data.source", "photo", "--data.target", "map"]


def test_the_json_holds_the_means_of_the_values_of_single_pictures(tmp_path, data, sides, capsys):
    run = model(tmp_path / "run")
    out = tmp_path / "scores.json"
    assert main(["evaluate", str(run), "--data", str(data), *sides, "--json", str(out)]) == 0
    scores = json.loads(out.read_text())
    assert list(scores) == ["n", "psnr", "ssim", "l1", "gradient", "spectrum", "checkerboard", "images"]
    assert scores["n"] == 3
    assert [image["name"] for image in scores["images"]] == ["a", "b", "c"]
    translate = i2i.load(run)
    expected = []
    for name in "abc":
        output = translate(np.asarray(Image.open(data / f"test/photo/{name}.png"))).astype(float)
        error = ((output - np.asarray(Image.open(data / f"test/map/{name}.png"))) ** 2).mean()
        expected.append(10 * math.log10(255**2 / error))
    # the library takes the logarithm of 10 in float32
    assert [image["psnr"] for image in scores["images"]] == pytest.approx(expected, abs=1e-5)
    assert scores["psnr"] == pytest.approx(np.mean(expected), abs=1e-5)
    printed = capsys.readouterr().out
    assert "3 pictures of test" in printed
    assert "higher" in printed


def test_a_run_folder_says_by_its_recipe_where_the_pairs_lie(tmp_path, data, capsys):
    run = model(tmp_path / "run")
    (run / "recipe.yaml").write_text(f"data:\n  type: paired\n  root: {data}\n  source: photo\n  target: map\n")
    assert main(["evaluate", str(run), "--metrics", "l1"]) == 0
    assert "3 pictures of test" in capsys.readouterr().out


def test_options_come_before_the_recipe_and_a_broken_recipe_is_named(tmp_path, data, sides, capsys):
    run = model(tmp_path / "run")
    (run / "recipe.yaml").write_text(f"data:\n  root: {tmp_path / 'gone'}\n  source: x\n  target: y\n")
    assert main(["evaluate", str(run), "--data", str(data), *sides, "--metrics", "l1", "--split", "train"]) == 0
    assert "2 pictures of train" in capsys.readouterr().out
    (run / "recipe.yaml").write_text("[")
    assert main(["evaluate", str(run), "--metrics", "l1"]) == 2
    assert "recipe.yaml: is not a recipe" in capsys.readouterr().err


def test_a_run_on_other_data_than_pairs_is_refused_and_not_measured_as_something_else(tmp_path, data, capsys):
    run = model(tmp_path / "run")
    (run / "recipe.yaml").write_text(f"data:\n  type: unheard_of\n  root: {data}\n")
    assert main(["evaluate", str(run), "--metrics", "l1"]) == 2
    assert "evaluate measures pairs; name a folder of them with --data" in capsys.readouterr().err


class Halves(PairedSource):
    """A dataset of one's own: the left half of a picture below `root`/SPLIT is the source, the right one the target."""

    def scan(self) -> Scan:
        pixels = {"source_pixels": self.source_pixels, "target_pixels": self.target_pixels}
        return scan({split.name: self.pairs(split.name) for split in sorted(self.root.iterdir())}, **pixels)

    def pairs(self, split: str) -> list[Pair]:
        return [Pair(file.stem, file, file, side_by_side=True) for file in sorted((self.root / split).iterdir())]


def test_a_run_on_pairs_of_a_dataset_of_its_own_is_measured_on_those(tmp_path, data, own_dataset, sides):
    own_dataset("halves", Halves)
    joined = tmp_path / "joined"
    for file in data.rglob("photo/*.png"):
        both = np.concatenate(
            [np.asarray(Image.open(file.parents[1] / side / file.name)) for side in ("photo", "map")], 1
        )
        save(joined / file.parents[1].name / file.name, both)
    run, scores = model(tmp_path / "run"), []
    words = ["--metrics", "l1", "--baselines", "--json"]
    (run / "recipe.yaml").write_text(f"preset: pix2pix\ndata:\n  type: halves\n  root: {joined}\n")
    for index, given in enumerate(([], ["--data", str(joined)], ["--split", "train"])):
        out = tmp_path / f"{index}.json"
        assert main(["evaluate", str(run), *given, *words, str(out)]) == 0
        scores.append(json.loads(out.read_text()))
    (run / "recipe.yaml").unlink()
    assert main(["evaluate", str(run), "--data", str(data), *sides, *words, str(tmp_path / "named.json")]) == 0
    named = json.loads((tmp_path / "named.json").read_text())
    assert scores[0] == scores[1] == named
    assert (scores[0]["n"], scores[2]["n"]) == (3, 2)


def test_one_domain_of_a_run_on_domains_is_measured_against_the_pairs_of_another_folder(tmp_path, data, sides):
    run, out = tmp_path / "run", tmp_path / "scores.json"
    arguments = {"in_channels": 3, "out_channels": 3, "condition_channels": 2, "channels": 4, "blocks": 1}
    torch.manual_seed(0)
    condition = Condition(kind="domains", names=("photo", "map"))
    spec = NetworkSpec(type="stargan", arguments=arguments)
    sizing = Sizing(rule="pad", multiple=4, minimum=4)
    card = ImageCard(name="tiny", condition=condition, sizing=sizing, network=spec, method="stargan")
    save_model(run / "model", NETWORKS["stargan"](**arguments).eval(), card)
    (run / "recipe.yaml").write_text("data:\n  type: domains\n  root: elsewhere\n")
    options = ["--data", str(data), *sides, "--metrics", "l1", "--json", str(out)]
    assert main(["evaluate", str(run), "--domain", "map", *options]) == 0
    made = np.asarray(i2i.load(run)(data / "test/photo/a.png", domain="map")).astype(float)
    error = np.abs(made - np.asarray(Image.open(data / "test/map/a.png"))).mean()
    assert json.loads(out.read_text())["images"][0]["l1"] == pytest.approx(error / 255, rel=1e-4)


def test_bad_files_of_both_splits_are_all_listed_before_anything_is_measured(tmp_path, data, sides, capsys):
    (data / "test/map/b.png").write_bytes(b"")
    (data / "train/photo/q.png").write_bytes((data / "train/photo/q.png").read_bytes()[:99])
    save(data / "test/photo/lonely.png", np.zeros((20, 22, 3), np.uint8))
    out = tmp_path / "scores.json"
    assert main(["evaluate", str(model(tmp_path / "run")), "--data", str(data), *sides, "--json", str(out)]) == 3
    printed = capsys.readouterr()
    for name in ("b.png", "q.png", "lonely.png"):
        assert name in printed.err
    assert printed.out == ""
    assert not out.exists()


def test_a_picture_that_is_in_train_and_test_is_warned_about(tmp_path, data, sides, capsys):
    for side in ("photo", "map"):
        (data / f"test/{side}/a.png").write_bytes((data / f"train/{side}/p.png").read_bytes())
    assert main(["evaluate", str(model(tmp_path / "run")), "--data", str(data), *sides, "--metrics", "l1"]) == 0
    assert "warning: 2 files" in capsys.readouterr().err


def test_label_maps_are_scored_by_accuracy_and_mean_iou(tmp_path, capsys):
    noise = np.random.default_rng(0)
    for name in "ab":
        save(tmp_path / f"data/test/A/{name}.png", noise.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        save(tmp_path / f"data/test/B/{name}.png", np.array(PALETTE, np.uint8)[noise.integers(0, 3, (12, 12))])
    run = model(tmp_path / "run", target=Pixels(colour="labels", palette=PALETTE))
    out = tmp_path / "scores.json"
    assert main(["evaluate", str(run), "--data", str(tmp_path / "data"), "--json", str(out)]) == 0
    scores = json.loads(out.read_text())
    assert list(scores) == ["n", "accuracy", "mean_iou", "images"]
    assert 0 <= scores["mean_iou"] <= scores["accuracy"] <= 1
    assert main(["evaluate", str(run), "--data", str(tmp_path / "data"), "--metrics", "psnr"]) == 2
    assert main(["evaluate", str(run), "--data", str(tmp_path / "data"), "--baselines"]) == 2
    assert "do not fit label maps" in capsys.readouterr().err


def test_the_baselines_stand_beside_the_model_or_alone(tmp_path, data, sides, capsys):
    out = tmp_path / "scores.json"
    options = ["--data", str(data), *sides, "--baselines", "--metrics", "l1", "--json", str(out)]
    assert main(["evaluate", str(model(tmp_path / "run")), *options]) == 0
    beside = json.loads(out.read_text())
    # the answers are the negatives of the sources, which a linear map gives exactly
    assert beside["baselines"]["linear map"] == {"l1": 0.0}
    assert list(beside["baselines"]) == ["identity", "mean colour", "linear map", "quadratic map"]
    assert beside["baselines"]["identity"]["l1"] > beside["baselines"]["linear map"]["l1"]
    assert beside["l1"] > 0.1
    assert main(["evaluate", *options]) == 0
    assert json.loads(out.read_text()) == {"n": 3, "baselines": beside["baselines"]}
    assert "quadratic map" in capsys.readouterr().out


def test_without_training_pairs_the_untranslated_pictures_are_the_only_baseline(tmp_path, data, sides):
    shutil.copytree(data, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "train")
    out = tmp_path / "scores.json"
    options = ["--data", str(tmp_path / "copy"), *sides, "--baselines", "--metrics", "l1", "--json", str(out)]
    assert main(["evaluate", *options]) == 0
    assert list(json.loads(out.read_text())["baselines"]) == ["identity"]


def test_the_page_shows_as_many_worst_pictures_as_asked(tmp_path, data, sides):
    out = tmp_path / "page.html"
    run = model(tmp_path / "run")
    assert main(["evaluate", str(run), "--data", str(data), *sides, "--worst", "2", "--report", str(out)]) == 0
    html = out.read_text(encoding="utf-8")
    assert html.count("<img ") == 2
    assert "tiny on test" in html


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--metrics", "psnrr"], 2, "did you mean 'psnr'"),
        (["--metrics", "mean_iou"], 2, "scores label maps"),
        (["--split", "val"], 3, "val"),
        (["--domain", "x"], 2, "takes no domain"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path, data, sides, capsys, options, code, words):
    assert main(["evaluate", str(model(tmp_path / "run")), "--data", str(data), *sides, *options]) == code
    printed = capsys.readouterr().err
    assert words in printed
    assert "Traceback" not in printed


def test_a_missing_model_or_folder_is_told(tmp_path, capsys):
    assert main(["evaluate", "no-such-model", "--data", str(tmp_path)]) == 2
    assert main(["evaluate", str(model(tmp_path / "run"))]) == 2
    assert "--data DIR is needed" in capsys.readouterr().err
    with pytest.raises(SystemExit) as left:
        main(["evaluate", "--data", str(tmp_path)])
    assert left.value.code == 2
