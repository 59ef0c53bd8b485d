"""Pictures that a model in integers translates several at once."""

from __future__ import annotations

import numpy as np
import pytest

from i2i.images.card import Condition
from i2i.images.codec import encode, read
from i2i.runtime.convert import Options, convert_folder
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.translator import Translator
from tests.runtime.networks import exported, scenery

CONDITION = Condition(kind="domains", names=("a", "b", "c"))
NETWORKS = {
    "unet": {"channels": 8, "depth": 4},
    "resnet": {"channels": 8, "blocks": 1},
    "stargan": {"channels": 8, "blocks": 1, "conditioning": "norm", "condition_channels": 3, "condition": CONDITION},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Each network in integers."""
    folder = tmp_path_factory.mktemp("integers")
    pictures = [scenery(64, 96, seed=seed) for seed in range(8)]
    return {
        kind: exported(folder / f"{kind}.onnx", kind, calibrated=pictures, **arguments)
        for kind, arguments in NETWORKS.items()
    }


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_picture_in_integers_comes_out_beside_others_as_it_does_alone(files, kind):
    translator = Translator(OnnxSession(files[kind], threads=1))
    pictures = [scenery(64, 96, seed=seed) for seed in range(20, 24)]
    domain = "b" if kind == "stargan" else None
    together = translator.batch(pictures, domain=domain)
    alone = [translator(picture, domain=domain) for picture in pictures]
    assert all(np.array_equal(one, other) for one, other in zip(together, alone, strict=True))


def test_a_folder_is_done_several_at_once_where_sizes_are_alike(files, tmp_path, monkeypatch):
    session = OnnxSession(files["unet"], provider="cpu", threads=2, throughput=True)
    seen: list[tuple[int, ...]] = []
    run = OnnxSession.run

    def watched(self, image, **asked):
        seen.append(image.shape)
        return run(self, image, **asked)

    monkeypatch.setattr(OnnxSession, "run", watched)
    source = tmp_path / "in"
    source.mkdir()
    sizes = [(64, 96)] * 14 + [(32, 48)] + [(64, 96)] * 15
    for number, size in enumerate(sizes):
        (source / f"{number:02}.png").write_bytes(encode(scenery(*size, seed=number), format="png"))
    (source / "20.png").write_bytes(b"no picture")
    translator = Translator(session)
    outcome = convert_folder(translator, source, tmp_path / "out", model="m", options=Options(workers=2))
    assert (outcome.converted, outcome.failed) == (29, 1)
    counts = [shape[0] for shape in seen]
    assert sum(counts) == 29 and max(counts) == 4
    monkeypatch.undo()
    for path in sorted((tmp_path / "out").glob("*.png")):
        expected = translator(read(source / path.name, colour="rgb").pixels)
        assert np.array_equal(read(path, colour="rgb").pixels, expected), path.name


def test_what_computes_in_floats_takes_them_one_by_one(tmp_path, monkeypatch):
    session = OnnxSession(exported(tmp_path / "m.onnx", "unet", **NETWORKS["unet"]), threads=2, throughput=True)
    seen = []
    run = OnnxSession.run
    monkeypatch.setattr(
        OnnxSession, "run", lambda self, image, **asked: (seen.append(len(image)), run(self, image, **asked))[1]
    )
    source = tmp_path / "in"
    source.mkdir()
    for number in range(8):
        (source / f"{number}.png").write_bytes(encode(scenery(32, 48, seed=number), format="png"))
    convert_folder(Translator(session), source, tmp_path / "out", model="m", options=Options(workers=2))
    assert seen == [1] * 8
