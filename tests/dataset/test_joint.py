"""Several sets of pictures with labels of their own kind: which is told of which picture, and whose turn it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from i2i.data.augment import Augmentation
from i2i.data.batches import loader
from i2i.data.joint_source import JointSource
from i2i.data.sampler import Draw
from i2i.errors import I2IError
from i2i.images.card import Condition
from i2i.networks.layers.label_sets import LabelSet

Save = Callable[..., Path]
NAN = None  # in expected rows

FACES = """3
Smiling Dark Fair
train/a.png -1  1 -1
train/b.png  1 -1  1
test/c.png  -1 -1 -1
"""


def source(root: Path, **options: Any) -> JointSource:
    return JointSource(root=root, augmentation=Augmentation(size=4, mode="resize", flips=()), **options)


@pytest.fixture
def root(save: Save, tmp_path: Path) -> Path:
    """Faces with a list, and five pictures of two moods; the red of each is a number of its own."""
    names = ["faces/train/a.png", "faces/train/b.png", "faces/test/c.png", "moods/train/glad/d.png"]
    names += [f"moods/train/sad/{letter}.png" for letter in "efgh"]
    for red, name in enumerate(names):
        save(name, np.full((4, 4, 3), red, np.uint8))
    (tmp_path / "faces" / "list_attr.txt").write_text(FACES)
    return tmp_path


def rows(known: np.ndarray) -> list[list[float | None]]:
    return [[NAN if np.isnan(value) else value for value in row] for row in known.tolist()]


def test_folders_with_a_list_have_attributes_and_the_others_domains(root: Path) -> None:
    given = source(root)
    assert given.condition == Condition(
        kind="attributes",
        names=("Smiling", "Dark", "Fair", "glad", "sad"),
        exclusive_groups=(("glad", "sad"),),
        ranges=((0.0, 1.0),) * 5,
    )
    assert given.label_sets == (LabelSet(3), LabelSet(2, exclusive=True))


def test_a_picture_is_told_the_labels_of_its_own_set_alone(root: Path) -> None:
    given = source(root)
    assert [path.as_posix() for path in given.pictures()["train"][:3]] == [
        "faces/train/a.png",
        "faces/train/b.png",
        "moods/train/glad/d.png",
    ]
    moods = [[NAN, NAN, NAN, 1.0, 0.0]] + [[NAN, NAN, NAN, 0.0, 1.0]] * 4
    assert rows(given.known("train")) == [[0.0, 1.0, 0.0, NAN, NAN], [1.0, 0.0, 1.0, NAN, NAN], *moods]
    assert rows(given.known("test")) == [[0.0, 0.0, 0.0, NAN, NAN]]  # the moods have no such split


def test_the_sets_take_turns_and_every_picture_keeps_its_labels(root: Path) -> None:
    given = source(root)
    folder = given.training_set(value_range=(-1.0, 1.0), seed=0)
    assert len(folder) == 2 * 5
    expected = dict(zip((0, 1, 3, 4, 5, 6, 7), rows(given.known("train")), strict=True))
    drawn = [folder[Draw(0, position)] for position in range(20)]
    for picture, known in drawn:
        assert rows(known[None]) == [expected[int(picture[0, 0, 0])]]
    of_faces = [int(picture[0, 0, 0]) < 3 for picture, _ in drawn]
    assert all(sum(of_faces[start : start + 2]) == 1 for start in range(0, 20, 2))


def test_a_batch_holds_as_many_of_each_set_whoever_makes_it(root: Path) -> None:
    folder = source(root).training_set(value_range=(-1.0, 1.0), seed=0)
    with loader(folder, batch_size=4, seed=0, start_step=0, stop_step=3) as batches:
        made = list(batches)
    assert all(int(batch.condition[:, 0].isnan().sum()) == 2 for batch in made)
    with loader(folder, batch_size=4, seed=0, start_step=1, stop_step=3, workers=1) as batches:
        again = list(batches)
    assert [batch.image.tolist() for batch in again] == [batch.image.tolist() for batch in made[1:]]


def test_sets_are_named_with_options_of_their_own(root: Path) -> None:
    sets = ({"folder": "moods"}, {"folder": "faces", "attributes": ["Fair"]})
    given = source(root, sets=sets)
    assert given.condition.names == ("glad", "sad", "Fair")
    assert given.label_sets == (LabelSet(2, exclusive=True), LabelSet(1))
    groups = ({"folder": "faces", "exclusive_groups": (("Dark", "Fair"),)}, {"folder": "moods"})
    assert source(root, sets=groups).condition.exclusive_groups == (("Dark", "Fair"), ("glad", "sad"))


def test_the_scan_looks_at_every_set(root: Path) -> None:
    (root / "moods" / "train" / "sad" / "h.png").write_bytes(b"")
    scan = source(root).scan()
    assert [problem.code for problem in scan.problems] == ["E_EMPTY"]
    assert {"faces/train/a.png", "faces/list_attr.txt", "moods/train/glad/d.png"} <= scan.digests.keys()
    assert scan.samples == source(root).pictures()


def test_monitored_pictures_come_with_what_is_known_of_them(root: Path) -> None:
    given = source(root, validation_split=None)
    told = given.told(given.scan(), count=5)
    assert [(int(picture[0, 0, 0]), rows(known[None])) for picture, known in told] == [(2, rows(given.known("test")))]


@pytest.mark.parametrize(
    ("sets", "code", "said"),
    [
        (({"folder": "faces"},), "E_LAYOUT", "holds less than two sets"),
        (({"folder": "moods"}, {"folder": "more"}), "E_LAYOUT", "two of the sets have 'sad', the second is more"),
        (({"folder": "moods"}, {"folder": "faces", "atributes": []}), "E_RECIPE", "data.sets: faces: .*'atributes'"),
        (({"folder": "moods"}, {"folder": "faces", "type": "attribute"}), "E_RECIPE", "did you mean 'attributes'"),
    ],
)
def test_sets_that_do_not_go_together_are_refused(
    root: Path, save: Save, sets: tuple[dict[str, Any], ...], code: str, said: str
) -> None:
    for name in ("sad", "angry"):
        save(f"more/train/{name}/x.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(I2IError, match=said) as caught:
        _ = source(root, sets=sets).condition
    assert caught.value.code == code


def test_a_set_has_a_folder_of_its_own() -> None:
    with pytest.raises(ValueError, match="each of the sets names its folder"):
        source(Path("x"), sets=({"type": "domains"},))
    with pytest.raises(ValueError, match="a folder of their own each, not a, a"):
        source(Path("x"), sets=({"folder": "a"}, {"folder": "a"}))


def test_pictures_of_no_domain_are_of_no_use(root: Path, save: Save) -> None:
    save("moods/train/unlabelled/x.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(I2IError, match="whose domain is not known") as caught:
        source(root).known("train")
    assert caught.value.code == "E_LAYOUT"
