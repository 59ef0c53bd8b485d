"""The bench of joint training: what its accuracy counts, whom its judge reads, and its table."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.recipes.merging import parse

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import joint

from i2i.images.card import Condition

DOMAINS = Condition(kind="domains", names=("dark", "bright"))
ATTRIBUTES = Condition(kind="attributes", names=("smile", "black", "fair"), exclusive_groups=(("black", "fair"),))


def plain(value: int) -> joint.Picture:
    return np.full((4, 4, 3), value, np.uint8)


def test_a_picture_is_asked_for_every_domain_that_it_is_not_of() -> None:
    test = joint.Pictures([plain(0), plain(0), plain(200)], np.array([[True, False], [True, False], [False, True]]))
    asked: list[tuple[list[int], str, float]] = []

    def translate(given: list[joint.Picture], name: str, value: float) -> list[joint.Picture]:
        asked.append(([int(picture[0, 0, 0]) for picture in given], name, value))
        return [plain(200), given[0]] if name == "bright" else [plain(0)]  # one of the two dark ones stays dark

    def reads(made: list[joint.Picture]) -> joint.NDArray[np.bool_]:
        bright = np.array([picture[0, 0, 0] > 100 for picture in made])
        return np.stack([~bright, bright], 1)

    assert joint.accuracy(translate, test, DOMAINS, reads) == (1.0 + 0.5) / 2
    assert asked == [([200], "dark", 1.0), ([0, 0], "bright", 1.0)]


def test_attributes_are_switched_and_those_of_a_group_only_on() -> None:
    has = np.array([[True, True, False], [False, False, True]])
    asked: list[tuple[str, float]] = []

    def translate(given: list[joint.Picture], name: str, value: float) -> list[joint.Picture]:
        asked.append((name, value))
        return given

    def reads(made: list[joint.Picture]) -> joint.NDArray[np.bool_]:
        return np.ones((len(made), 3), np.bool_)

    found = joint.accuracy(translate, joint.Pictures([plain(0), plain(1)], has), ATTRIBUTES, reads)
    assert asked == [("smile", 1.0), ("smile", 0.0), ("black", 1.0), ("fair", 1.0)]
    assert found == (0.5 + 1.0 + 1.0) / 3


def test_the_pictures_of_a_set_come_at_the_training_size_with_what_they_are(tmp_path: Path) -> None:
    for name, value in {"moods/test/glad/a": 10, "moods/test/sad/b": 20, "moods/train/glad/c": 30}.items():
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(plain(value)).save(path)
    (tmp_path / "moods" / "train" / "sad").mkdir()
    Image.fromarray(plain(40)).save(tmp_path / "moods" / "train" / "sad" / "d.png")
    (tmp_path / "faces" / "train").mkdir(parents=True)
    Image.fromarray(plain(50)).save(tmp_path / "faces" / "train" / "e.png")
    (tmp_path / "faces" / "list_attr.txt").write_text("1\nsmile hat\ne.png 1 -1\n")
    bench = joint.Bench(tmp_path, tmp_path / "runs", steps=1, size=8, channels=4, precision="fp32")
    sources = bench.sources()
    assert list(sources) == ["faces", "moods"]
    test = joint.pictures(sources["moods"], "test")
    assert [(int(picture[0, 0, 0]), picture.shape) for picture in test.pictures] == [(10, (8, 8, 3)), (20, (8, 8, 3))]
    assert test.has.tolist() == [[True, False], [False, True]]
    assert joint.pictures(sources["faces"], "train").has.tolist() == [[True, False]]


def test_the_judge_of_a_set_learns_from_its_training_pictures_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"moods/train/glad/a": 0, "moods/train/sad/b": 255, "moods/test/glad/c": 255, "moods/test/sad/d": 0}
    for name, value in {**values, "signs/train/left/e": 0, "signs/train/right/f": 255}.items():
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(plain(value)).save(path)
    monkeypatch.setattr(joint, "taught", partial(joint.taught, steps=12))
    reads = joint.judge(
        joint.Bench(tmp_path, tmp_path / "runs", steps=1, size=16, channels=4, precision="fp32"), "moods"
    )
    dark, bright = (np.full((16, 16, 3), value, np.uint8) for value in (0, 255))
    assert reads([dark, bright]).tolist() == [[True, False], [False, True]]


def test_a_step_of_the_joint_network_sees_a_batch_of_every_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("moods/train/glad/a", "moods/train/sad/b", "signs/train/left/c", "signs/train/right/d"):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(plain(0)).save(path)
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(joint, "finish", lambda run, preset, *words: told.append(words))
    bench = joint.Bench(tmp_path, tmp_path / "runs", steps=1, size=16, channels=4, precision="fp32")
    for training in (joint.JOINT, "moods"):
        bench.train(training, 0)
    batches = [words[words.index("--training.batch_size") + 1] for words in told]
    assert batches == [str(2 * joint.BATCH), str(joint.BATCH)]


def test_options_of_a_set_are_told_to_both_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("faces", "signs/train/left", "signs/train/right"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "faces" / "list_attr.txt").write_text("1\nfair dark\ne.png 1 -1\n")
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(joint, "finish", lambda run, preset, *words: told.append(words))
    sets = "[{folder: faces, exclusive_groups: [[fair, dark]]}, {folder: signs}]"
    bench = joint.Bench(tmp_path, tmp_path / "runs", steps=1, size=16, channels=4, precision="fp32", sets=sets)
    assert bench.sources()["faces"].condition.exclusive_groups == (("fair", "dark"),)
    for training in (joint.JOINT, "faces", "signs"):
        bench.train(training, 0)
    both, faces, signs = (dict(zip(words[::2], words[1::2], strict=True)) for words in told)
    assert parse(both["--data.sets"], origin="") == parse(sets, origin="")
    assert (faces["--data.exclusive_groups"], signs.get("--data.exclusive_groups")) == ('[["fair", "dark"]]', None)


def test_the_table_compares_the_seeds_that_both_have() -> None:
    values = {("separate", 0): 0.9, ("separate", 1): 0.8, ("separate", 2): 0.1, ("joint", 0): 0.88, ("joint", 1): 0.81}
    lines = [
        {"name": "faces", "training": training, "seed": str(seed), "accuracy": str(value)}
        for (training, seed), value in values.items()
    ]
    assert joint.table(lines).splitlines()[2:] == ["| faces | 85.0 % | 84.5 % | -0.5 (-2.0, +1.0) |"]
