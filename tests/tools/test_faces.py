"""The drawn faces: what a seed decides, what is switched, which labels show; drawn in full where npm can be reached."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.data.attributes_source import AttributesSource

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def faces():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import faces
    finally:
        sys.path.remove(str(ROOT / "tools"))
    return faces


def test_a_seed_always_gives_the_same_face_and_attributes_are_evenly_on(faces):
    many = [faces.face(seed) for seed in range(400)]
    assert many[7] == faces.face(7)
    assert many[7].options != many[8].options
    for name in faces.PLAIN:
        assert np.mean([name in one.on for one in many]) == pytest.approx(0.5, abs=0.1)  # a standard error of 0.025
    for name in faces.HAIR:
        assert np.mean([name in one.on for one in many]) == pytest.approx(0.25, abs=0.09)  # of 0.022
    assert all(len(one.on & set(faces.HAIR)) == 1 for one in many)


def test_switching_changes_what_is_told_of_one_attribute_alone(faces):
    one = faces.Face({"seed": "1"}, frozenset({"glasses", "red_hair"}))
    told = one.told()
    expected = {
        "glasses": {"accessoriesProbability": 0},
        "smile": {"mouth": ["smile"]},
        "beard": {"facialHairProbability": 100},
        "fair_hair": {"hairColor": [faces.HAIR["fair_hair"]]},
    }
    for name, change in expected.items():
        assert one.switched(name).told() == told | change, name
    assert one.switched("fair_hair").on == {"glasses", "fair_hair"}
    assert one.switched("smile").switched("smile") == one


def test_what_changes_no_pixel_is_no_label(faces):
    one = faces.Face({}, frozenset({"glasses", "smile", "red_hair"}))
    plain, other = Image.new("RGB", (2, 2), "white"), Image.new("RGB", (2, 2), "red")
    assert faces.visible(one, {"": plain, "black_hair": other}) == one.on
    assert faces.visible(one, {"": plain, "black_hair": plain.copy()}) == {"glasses", "smile"}
    shown = {"": plain, "glasses": plain.copy(), "smile": other, "black_hair": other}
    assert faces.visible(one, shown) == {"smile", "red_hair"}


def test_of_twenty_seeds_three_are_for_testing_and_one_for_validation(faces):
    dealt = faces.splits(40)
    assert [dealt.count(split) for split in ("train", "val", "test")] == [32, 2, 6]
    assert dealt != sorted(dealt, reverse=True)


@pytest.mark.slow  # fetches two packages
def test_the_set_is_one_of_attributes_and_truths_differ_from_their_faces_in_one(faces, tmp_path):
    out = tmp_path / "set"
    subprocess.run([sys.executable, "tools/faces.py", out, "--count", "60", "--size", "32"], cwd=ROOT, check=True)
    source = AttributesSource(root=out, exclusive_groups=(tuple(faces.HAIR),))
    source.scan().raise_if_bad()
    assert source.condition.names == faces.ATTRIBUTES
    known, names = source.known("test"), source.pictures()["test"]
    assert [len(source.pictures()[split]) for split in ("train", "val", "test")] == [48, 3, 9]
    for column, attribute in enumerate(faces.ATTRIBUTES):
        truths = {path.name for path in (out / "truth" / attribute).iterdir()}
        hair = known[:, 3:].any(axis=1)
        possible = hair & (known[:, column] == 0) if attribute in faces.HAIR else np.ones(9, bool)
        assert truths == {name.name for name, there in zip(names, possible, strict=True) if there}
        for name in truths:
            changed = Image.open(out / "truth" / attribute / name)
            assert changed.tobytes() != Image.open(out / "test" / name).tobytes()
