"""`i2i sample`: sheets and folders, seeds, domains, attributes, ways and sums of noise, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import i2i
from i2i.cli.main import main
from i2i.evaluation.grids import GAP, HEADER
from i2i.images.card import Condition, ImageCard, NetworkSpec, Sizing
from i2i.networks.mlp import MLP
from i2i.runtime.arithmetic import neighbours
from i2i.runtime.conditions import drawn
from i2i.runtime.sampler import between, noise
from i2i.weights.store import save_model

NAMES = ("cat", "dog", "a tree")
FACES = Condition(
    kind="attributes",
    names=("dark", "fair", "age"),
    exclusive_groups=(("dark", "fair"),),
    ranges=((0, 1), (0, 1), (10, 90)),
)


def save(folder: Path, condition: Condition | None = None) -> Path:
    """A model folder of a tiny generator from noise, of 4 numbers, that makes pictures of 8x8."""
    torch.manual_seed(0)
    width = 4 + (0 if condition is None else len(condition.names))
    arguments = {"in_channels": width, "out_channels": 3, "channels": 8, "size": 8}
    card = ImageCard(
        name="tiny",
        latent=4,
        condition=condition,
        sizing=Sizing(rule="fixed", width=8, height=8),
        network=NetworkSpec(type="mlp", arguments=arguments),
        method="gan",
    )
    save_model(folder, MLP(**arguments), card)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def animals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with three domains."""
    return save(tmp_path_factory.mktemp("animals"), Condition(kind="domains", names=NAMES))


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with attributes, two of which exclude each other."""
    return save(tmp_path_factory.mktemp("faces"), FACES)


def cells(path: Path, *, top: int = 0) -> np.ndarray:
    """The pictures of 8x8 on a sheet, [rows, columns, 8, 8, 3], below `top` lines of header."""
    pixels, side = np.asarray(Image.open(path))[top:], 8 + GAP
    height, width = ((length - GAP) // side for length in pixels.shape[:2])
    assert pixels.shape == (height * side + GAP, width * side + GAP, 3)
    inner = pixels[GAP:, GAP:].reshape(height, side, width, side, 3)
    return inner.swapaxes(1, 2)[:, :, :8, :8]


def pictures(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))])


def sample(*words: object) -> int:
    return main(["sample", *map(str, words)])


def test_a_folder_gets_one_file_a_picture_the_same_for_the_same_seed(model: Path, tmp_path: Path, capsys) -> None:
    assert sample(model, tmp_path / "out", "--count", 3, "--seed", 5) == 0
    assert capsys.readouterr().out == f"3 pictures of seed 5 -> {tmp_path / 'out'}\n"
    names = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    assert names == ["00000.png", "00001.png", "00002.png"]
    made = i2i.load(model)(noise(3, 4, seed=5))
    for name, pixels in zip(names, made, strict=True):
        assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / name)), pixels)


def test_a_png_gets_all_pictures_as_one_sheet(model: Path, tmp_path: Path) -> None:
    assert sample(model, tmp_path / "deeper" / "sheet.png", "--count", 5) == 0
    pixels = np.asarray(Image.open(tmp_path / "deeper" / "sheet.png"))
    side = 8 + GAP
    assert pixels.shape == (2 * side + GAP, 3 * side + GAP, 3)
    made = i2i.load(model)(noise(5, 4, seed=0))
    assert np.array_equal(pixels[GAP + side : GAP + side + 8, GAP + side : GAP + side + 8], made[4])


def test_interpolating_makes_a_row_from_one_point_to_another(model: Path, tmp_path: Path) -> None:
    assert sample(model, tmp_path / "row.png", "--count", 4, "--interpolate", "--seed", 2) == 0
    pixels = np.asarray(Image.open(tmp_path / "row.png"))
    side = 8 + GAP
    assert pixels.shape == (side + GAP, 4 * side + GAP, 3)
    made = i2i.load(model)(between(*noise(2, 4, seed=2), 4))
    for number, picture in enumerate(made):
        left = GAP + number * side
        assert np.array_equal(pixels[GAP : GAP + 8, left : left + 8], picture)


def test_a_named_domain_is_what_all_pictures_are_of(animals: Path, tmp_path: Path) -> None:
    assert sample(animals, tmp_path / "out", "--count", 3, "--domain", "dog") == 0
    assert np.array_equal(pictures(tmp_path / "out"), i2i.load(animals)(noise(3, 4, seed=0), domain="dog"))
    assert sample(animals, tmp_path / "way.png", "--count", 3, "--domain", "dog", "--interpolate") == 0
    way = i2i.load(animals)(between(*noise(2, 4, seed=0), 3), domain="dog")
    assert np.array_equal(cells(tmp_path / "way.png")[0], way)


def test_all_domains_are_columns_of_a_sheet_with_the_same_noise_along_a_row(animals: Path, tmp_path: Path) -> None:
    assert sample(animals, tmp_path / "all.png", "--count", 2, "--domain", "all") == 0
    header = np.asarray(Image.open(tmp_path / "all.png"))[:HEADER]
    assert header.min() < 100  # the names, as far as the room reaches
    shown = cells(tmp_path / "all.png", top=HEADER)
    assert shown.shape[:2] == (2, 3)
    for column, name in enumerate(NAMES):
        assert np.array_equal(shown[:, column], i2i.load(animals)(noise(2, 4, seed=0), domain=name))


def test_all_domains_are_folders_of_a_folder(animals: Path, tmp_path: Path, capsys) -> None:
    assert sample(animals, tmp_path / "out", "--count", 2, "--seed", 1, "--domain", "all") == 0
    assert capsys.readouterr().out == f"6 pictures of seed 1 -> {tmp_path / 'out'}\n"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a tree", "cat", "dog"]
    for name in NAMES:
        made = i2i.load(animals)(noise(2, 4, seed=1), domain=name)
        assert np.array_equal(pictures(tmp_path / "out" / name), made)
    assert sample(animals, tmp_path / "out", "--count", 3, "--domain", "all") == 3


def test_a_domain_that_no_folder_can_be_named_by_leaves_the_folder_it_is_in_alone(tmp_path: Path, capsys) -> None:
    model = save(tmp_path / "model", Condition(kind="domains", names=("cat", "../up")))
    assert sample(model, tmp_path / "out", "--domain", "all") == 2
    assert "no folder can be named '../up'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert sample(model, tmp_path / "out", "--count", 1, "--domain", "../up") == 0


def test_attributes_are_set_and_the_others_drawn_and_on_a_way_stay_the_same(faces: Path, tmp_path: Path) -> None:
    assert sample(faces, tmp_path / "out", "--count", 3, "--set", "fair=1", "--seed", 2) == 0
    ages = drawn(i2i.load(faces).card, 3, seed=2).condition[:, 2]
    told = np.stack([[0, 1, age] for age in ages]).astype(np.float32)
    assert np.array_equal(pictures(tmp_path / "out"), i2i.load(faces).apply(noise(3, 4, seed=2), condition=told))
    assert sample(faces, tmp_path / "way", "--count", 4, "--set", "fair=1", "--seed", 2, "--interpolate") == 0
    way = between(*noise(2, 4, seed=2), 4)
    assert np.array_equal(pictures(tmp_path / "way"), i2i.load(faces).apply(way, condition=told[[0] * 4]))


@pytest.mark.parametrize("domain", [None, "dog"])
def test_a_sum_of_noise_shows_its_terms_their_means_and_nine_of_the_result(
    model: Path, animals: Path, tmp_path: Path, domain: str | None
) -> None:
    chosen, words = (model, []) if domain is None else (animals, ["--domain", domain])
    words += ["--count", 9, "--seed", 3, "--arithmetic", "0,3,5 - 1 + 7,8"]
    assert sample(chosen, tmp_path / "sum.png", *words) == 0
    made, rows = i2i.load(chosen), noise(9, 4, seed=3)
    shown = cells(tmp_path / "sum.png")
    # term, sign, term, sign, term, sign and 3 of the result; at most 3 pictures of a term and their mean
    assert shown.shape[:2] == (4, 9)
    sheet, blank = made(rows, domain=domain), np.full((8, 8, 3), 255)
    for column, numbers in ((0, [0, 3, 5]), (2, [1]), (4, [7, 8])):
        filled = [*sheet[numbers], *[blank] * (3 - len(numbers))]
        assert np.array_equal(shown[:3, column], filled)
    means = np.stack([rows[[0, 3, 5]].mean(0), rows[1], rows[[7, 8]].mean(0)])
    assert np.array_equal(shown[3, [0, 2, 4]], made(means, domain=domain))
    result = neighbours(means[0] - means[1] + means[2], seed=3)
    block = shown[1:, 6:].reshape(9, 8, 8, 3).astype(int)
    # sums in another order differ by rounding, which may move a value by one level
    assert np.abs(block - made(result, domain=domain)).max() <= 1
    for column in (1, 3, 5):
        assert (shown[:3, column] == 255).all()
        assert shown[3, column].min() < 200  # the sign


def test_a_sum_of_noise_sums_drawn_attributes_and_keeps_them_in_their_ranges(faces: Path, tmp_path: Path) -> None:
    assert sample(faces, tmp_path / "sum.png", "--count", 4, "--arithmetic", "0 + 2 - 1,3") == 0
    shown, load = cells(tmp_path / "sum.png"), i2i.load(faces)
    rows, told = noise(4, 4, seed=0), drawn(load.card, 4, seed=0).condition
    assert told[:, 0].tolist() == [1, 0, 1, 0]
    both = rows[[1, 3]].mean(0)[None], told[[1, 3]].mean(0)[None]
    assert np.array_equal(shown[-1, 4], load.apply(both[0], condition=both[1])[0])
    age = np.clip(told[0, 2] + told[2, 2] - both[1][0, 2], 10, 90)
    result = load.apply(rows[[0]] + rows[[2]] - both[0], condition=np.array([[1, 0, age]], np.float32))
    assert np.abs(shown[-2, 7].astype(int) - result[0]).max() <= 1  # as above


@pytest.mark.parametrize("name", ["sheet.png", "folder"])
def test_what_is_there_is_replaced_only_when_asked(model: Path, tmp_path: Path, capsys, name: str) -> None:
    assert sample(model, tmp_path / name, "--count", 1) == 0
    assert sample(model, tmp_path / name, "--count", 2, "--seed", 1) == 3
    assert "error [E_EXISTS]" in capsys.readouterr().err
    assert sample(model, tmp_path / name, "--count", 2, "--seed", 1, "--overwrite") == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nowhere", "out"], "E_MODEL_NOT_FOUND"),
        (["{model}", "out", "--count", "0"], "E_USAGE"),
        (["{model}", "out", "--count", "1", "--interpolate"], "E_USAGE"),
        (["{model}", "out", "--seed", "-1"], "E_USAGE"),
        (["{model}", "out", "--threads", "0"], "E_USAGE"),
        (["{model}", "taken"], "E_USAGE"),
        (["{model}", "folder.png"], "E_USAGE"),
        (["{model}", "out", "--domain", "cat"], "E_CONDITION"),
        (["{model}", "out", "--set", "age=1"], "E_CONDITION"),
        (["{model}", "out.png", "--arithmetic", "0 - 16"], "E_USAGE"),
        (["{model}", "out.png", "--arithmetic", "cat - dog"], "E_USAGE"),
        (["{model}", "out", "--arithmetic", "0 - 1"], "E_USAGE"),
    ],
)
def test_wrong_usage_exits_with_2_and_writes_nothing(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, words: list[str], code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("precious")
    (tmp_path / "folder.png").mkdir()
    assert sample(*(word.format(model=model) for word in words)) == 2
    assert f"error [{code}]" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "taken"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "needs --domain, one of: cat, dog, a tree; or --domain all"),
        (["--domain", "dgo"], "unknown domain 'dgo'; did you mean 'dog'"),
        (["--domain", "dog", "--set", "age=1"], "takes no attributes"),
        (["--domain", "all", "--arithmetic", "0 - 1"], "name it in place of `all`"),
    ],
)
def test_a_wrong_domain_is_told_which_there_are(animals: Path, tmp_path: Path, capsys, words, said) -> None:
    assert sample(animals, tmp_path / "out.png", *words) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_can_be_asked_for_is_described(animals: Path, faces: Path, capsys) -> None:
    assert main(["info", str(animals)]) == 0
    assert "condition:     domains: cat, dog, a tree\n" in capsys.readouterr().out
    assert main(["info", str(faces)]) == 0
    said = capsys.readouterr().out
    assert "condition:     attributes: dark, fair, age (10 to 90); one of dark, fair\n" in said


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("age", "--set age; expected NAME=NUMBER"),
        ("age=old", "--set age=old; expected NAME=NUMBER"),
        ("=3", "--set =3; expected NAME=NUMBER"),
        ("age=3", "attribute 'age' runs from 10 to 90, got 3"),
        ("height=3", "unknown attribute 'height'"),
    ],
)
def test_a_wrong_attribute_is_told_what_is_right(faces: Path, tmp_path: Path, capsys, setting, said) -> None:
    assert sample(faces, tmp_path / "out", "--set", setting) == 2
    assert said in capsys.readouterr().err
    assert sample(faces, tmp_path / "out", "--domain", "dark") == 2


def test_a_translator_and_a_generator_from_noise_name_each_others_command(
    model: Path, make_model, tmp_path: Path, capsys
) -> None:
    assert sample(make_model(), tmp_path / "out") == 2
    assert "use `i2i convert`" in capsys.readouterr().err
    Image.new("RGB", (8, 8)).save(tmp_path / "in.png")
    assert main(["convert", str(model), str(tmp_path / "in.png"), str(tmp_path / "out.png")]) == 2
    assert "use `i2i sample`" in capsys.readouterr().err


def test_an_exported_model_samples_the_same_and_is_described(model: Path, tmp_path: Path, capsys) -> None:
    assert main(["export", str(model), str(tmp_path / "m.onnx")]) == 0
    assert main(["info", str(tmp_path / "m.onnx")]) == 0
    said = capsys.readouterr().out
    assert "takes:         noise, 4 numbers" in said
    assert "sizes:         8x8 only" in said
    theirs = i2i.load(tmp_path / "m.onnx")(count=7, seed=1)
    ours = i2i.load(model)(count=7, seed=1)
    difference = np.abs(np.stack(ours).astype(int) - np.stack(theirs))
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= 1
