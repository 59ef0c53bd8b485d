"""The programs: the Python one does what i2i does, the compiled ones are filled in for one model alone."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import i2i
from i2i.embedding.programs import programs
from i2i.embedding.reference import noise
from i2i.images.card import ImageCard, NetworkSpec
from tests.embedding.tiny import KINDS


def run(folder, *words):
    command = [sys.executable, "translate.py", *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", KINDS)
def test_the_python_program_passes_its_self_test(kind, write_kit):
    done = run(write_kit(kind), "--self-test")
    assert (done.returncode, done.stdout) == (0, "self-test passed: at most 0 of 255 apart\n"), done.stderr


def test_the_self_test_sees_a_model_that_gives_something_else(write_kit):
    folder = write_kit("plain")
    truth = Image.open(folder / "reference-output.png")
    Image.fromarray(np.asarray(truth) // 2 + 9).save(folder / "reference-output.png")
    done = run(folder, "--self-test")
    assert done.returncode == 1
    assert done.stdout.startswith("self-test FAILED: at most 5")


@pytest.fixture
def picture(tmp_path):
    noisy = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    noisy[:, :3, 3] = 255
    Image.fromarray(noisy).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


@pytest.mark.parametrize(
    ("kind", "words", "options"),
    [
        ("plain", [], {}),
        ("gray", [], {}),
        ("rgba", [], {}),
        ("twice", [], {}),
        ("styles", ["--domain", 'the "other"'], {"domain": 1}),
        ("mixed", ["--domain", "drawn"], {"domain": "drawn"}),
        ("faces", ["--set", "red_hair=1"], {"set": {"red_hair": 1}}),
        ("faces", ["--set", "smile=1", "--set", "black_hair=0"], {"set": {"smile": 1, "black_hair": 0}}),
        ("faces", [], {"set": {}}),
    ],
)
def test_a_transparent_picture_comes_out_as_i2i_gives_it(kind, words, options, write_kit, models, picture):
    folder = write_kit(kind)
    done = run(folder, picture, "out.png", *words)
    assert done.returncode == 0, done.stderr
    expected = i2i.load(models[kind])(str(picture), **options)
    got = Image.open(folder / "out.png")
    assert got.mode == expected.mode
    assert np.array_equal(np.asarray(got), np.asarray(expected))


def test_noise_of_a_seed_and_a_domain_gives_one_picture(write_kit, models):
    folder = write_kit("noise")
    assert run(folder, "out.png", "--seed", 7, "--domain", "drawn").returncode == 0
    expected = i2i.load(models["noise"])(np.array([noise(3, seed=7)]), domain="drawn")[0]
    assert np.array_equal(np.asarray(Image.open(folder / "out.png")), expected)


@pytest.mark.parametrize(
    ("kind", "words", "said"),
    [
        ("plain", ["in.png"], "INPUT and OUTPUT are needed"),
        ("plain", ["missing.png", "out.png"], "No such file"),
        ("styles", ["PICTURE", "out.png"], "name a domain, one of: flat & <b>"),
        ("styles", ["PICTURE", "out.png", "--domain", "x"], "unknown name 'x'"),
        ("faces", ["PICTURE", "out.png", "--set", "smile=2"], "runs from 0 to 1, not 2"),
        ("noise", [], "OUTPUT is needed"),
    ],
)
def test_a_mistake_is_told_in_a_line(kind, words, said, write_kit, picture):
    done = run(write_kit(kind), *[picture if word == "PICTURE" else word for word in words])
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_the_template_is_left_in_a_compiled_program(kind, write_kit):
    folder = write_kit(kind)
    for name in ("translate.cpp", "Translate.cs"):
        text = (folder / name).read_text()
        assert "//?" not in text
        assert "@" not in text
        assert ("latent" in text) == (kind in ("noise", "factors"))


def test_a_name_cannot_leave_the_comment_that_it_stands_in():
    hostile = 'x\\\nint evil(); // "@IN@"'
    card = ImageCard(
        name=hostile,
        condition=KINDS["styles"]["condition"].model_copy(update={"names": (hostile, "b")}),
        network=NetworkSpec(type="none"),
        method="none",
    )
    for name in ("translate.cpp", "Translate.cs"):
        lines = programs(card, [0.0])[name].decode().splitlines()
        assert all(line.startswith("//") and not line.endswith("\\") for line in lines if "evil" in line)
        assert any("evil" in line for line in lines)
