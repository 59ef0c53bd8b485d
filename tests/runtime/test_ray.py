"""A folder on a Ray cluster of two local workers ends as one that is converted here."""

from functools import partial
from pathlib import Path

import pytest

from i2i.loading import open_model, resolve
from i2i.runtime.convert import Options
from i2i.runtime.convert import convert_folder as convert_here
from tests.runtime.folders import lines, names, picture


@pytest.fixture
def cluster():
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def tree(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names(folder)}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_workers_make_the_tree_that_one_process_makes_and_resume_goes_on(cluster, make_model, tmp_path):
    from i2i.runtime.ray import convert_folder

    for number in range(12):
        picture(tmp_path / f"in/{number % 3}/{number}.png", 10 * number)
    (tmp_path / "in/bad.png").write_bytes(b"")
    model = resolve(make_model())
    opened = partial(open_model, model, threads=1)
    given = {"model": model.digest(), "options": Options(workers=1)}
    here = convert_here(opened(), tmp_path / "in", tmp_path / "here", **given)
    there = convert_folder(opened, tmp_path / "in", tmp_path / "there", workers=2, **given)
    assert (there.converted, there.failed) == (here.converted, here.failed) == (12, 1)
    assert tree(tmp_path / "there") == tree(tmp_path / "here")
    told = [sorted(map(str, lines(tmp_path / place / "manifest.jsonl"))) for place in ("here", "there")]
    assert told[0] == told[1]
    assert lines(tmp_path / "there/failures.jsonl")[0]["code"] == "E_EMPTY"

    (tmp_path / "there/0/3.png").unlink()
    given["options"] = Options(workers=1, existing="resume")
    again = convert_folder(opened, tmp_path / "in", tmp_path / "there", workers=2, **given)
    assert (again.converted, again.skipped, again.failed) == (1, 11, 1)
    assert tree(tmp_path / "there") == tree(tmp_path / "here")
