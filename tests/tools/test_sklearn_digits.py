"""The handwritten digits of scikit-learn as a folder of domains."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import sklearn_digits

from i2i.data.domains_source import DomainsSource
from i2i.images.codec import read


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("digits") / "out"
    sklearn_digits.main([str(out)])
    return out


def test_the_folder_is_a_set_of_domains_with_every_picture_once(built: Path) -> None:
    source = DomainsSource(root=built)
    found = source.scan()
    found.raise_if_bad()
    assert found.warnings == ()
    assert source.condition.names == tuple("0123456789")
    numbers = sorted(int(path.stem) for paths in found.samples.values() for path in paths)
    assert numbers == list(range(1797))


def test_each_digit_gives_the_same_share_to_the_test(built: Path) -> None:
    totals = {"train": 0, "test": 0}
    for digit in "0123456789":
        counts = {split: len(list((built / split / digit).iterdir())) for split in totals}
        assert counts["test"] / sum(counts.values()) == pytest.approx(500 / 1797, abs=0.5 / 170)
        totals = {split: totals[split] + count for split, count in counts.items()}
    assert totals == {"train": 1797 - totals["test"], "test": pytest.approx(500, abs=3)}


def test_values_of_0_to_16_are_spread_over_0_to_255(built: Path) -> None:
    # The first picture of the set, a nought, as its authors published it.
    nought = [0, 0, 5, 13, 9, 1, 0, 0]
    (path,) = built.glob("*/0/0000.png")
    shown = read(path, colour="gray").pixels[..., 0]
    assert shown.shape == (8, 8)
    assert shown[0].tolist() == [round(value * 255 / 16) for value in nought]


def test_the_split_is_the_same_everywhere(built: Path) -> None:
    assert sorted(path.stem for path in (built / "test/0").iterdir())[:4] == ["0020", "0036", "0048", "0049"]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(SystemExit):
        sklearn_digits.main([str(tmp_path)])
    assert "is not empty; name a new folder" in capsys.readouterr().err
