"""FID: what it needs, and what it gives with weights that were drawn at random."""

import os

import pytest
import torch

from i2i.errors import I2IError
from i2i.images.card import Pixels
from i2i.metrics.fid import Fid
from i2i.metrics.suite import Suite, all_names


def test_without_weights_the_error_says_where_they_come_from():
    with pytest.raises(I2IError, match=r"pt_inception-2015-12-05.*--weights FILE; or use kid"):
        Suite(["fid"], pixels=Pixels())


def test_fid_is_not_among_all_metrics_since_it_needs_a_file():
    assert "fid" not in all_names(Pixels())
    assert "kid" in all_names(Pixels())


def test_a_file_that_holds_something_else_is_named(tmp_path):
    pytest.importorskip("torch_fidelity", reason="the extra metrics brings it")
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(I2IError, match="does not hold the weights"):
        Fid(weights=path)
    with pytest.raises(I2IError) as caught:
        Fid(weights=tmp_path / "none.pth")
    assert caught.value.path == tmp_path / "none.pth"


class Hostile:
    """What runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_nothing_in_the_file_is_run_and_damaged_files_are_named(tmp_path):
    pytest.importorskip("torch_fidelity", reason="the extra metrics brings it")
    path, trace = tmp_path / "weights.pth", tmp_path / "trace"
    torch.save({"a": Hostile(f"touch {trace}")}, path)
    with pytest.raises(I2IError, match="does not hold the weights"):
        Fid(weights=path)
    assert not trace.exists()
    for damaged in (b"<html>", bytes(range(256)), b""):
        path.write_bytes(damaged)
        with pytest.raises(I2IError, match="does not hold the weights"):
            Fid(weights=path)


@pytest.mark.slow  # Inception on 299 px
def test_equal_sets_score_0_and_other_sets_more(tmp_path, monkeypatch):
    pytest.importorskip("torch_fidelity", reason="the extra metrics brings it")
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3 as Inception

    path, drawn = tmp_path / "weights.pth", {}
    torch.save({}, path)
    torch.manual_seed(0)
    with monkeypatch.context() as patch:  # the network keeps what it drew
        patch.setattr(Inception, "load_state_dict", lambda self, weights: drawn.update(self.state_dict()))
        Inception("drawn", ["2048"], feature_extractor_weights_path=str(path))
    torch.save(drawn, path)
    pictures = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
    same, other = Fid(weights=path), Fid(weights=path)
    same.update(pictures, pictures)
    other.update(pictures // 2, pictures)
    assert abs(same.compute()["fid"]) < 1e-3
    assert other.compute()["fid"] > 10 * abs(same.compute()["fid"])
    assert Fid(weights=path).compute() == {}
    assert same.per_image() is None
