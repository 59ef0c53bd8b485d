"""The proof of parity: what it looks at, what it forgives, and that a failure writes nothing."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from i2i.errors import Exit, I2IError
from i2i.export.onnx import export_onnx
from i2i.export.parity import compare, judge, probes, scene
from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.weights.session import TorchSession

RGB = Pixels()
LABELS = Pixels(colour="labels", palette=((0, 0, 0), (255, 0, 0), (0, 0, 255)))


def a_card(**changes):
    return ImageCard(name="tiny", network=NetworkSpec(type="none"), method="none", **changes)


def judged(expected, got, pixels=RGB):
    return judge([("probe", np.array(expected, dtype=np.uint8), np.array(got, dtype=np.uint8))], pixels)


def test_equal_bytes_pass():
    report = judged([1, 2, 255], [1, 2, 255])
    assert (report.max_difference, report.differing, report.share, report.failed) == (0, 0, 0.0, ())


def test_two_levels_in_one_value_fail():
    assert judged([100] * 5000, [100] * 4999 + [102]).failed == ("probe",)


def test_one_level_fails_from_a_thousandth_of_the_values_on():
    passing = judged([100] * 5000, [101] * 4 + [100] * 4996)
    failing = judged([100] * 5000, [101] * 5 + [100] * 4995)
    assert (passing.max_difference, passing.differing, passing.share, passing.failed) == (1, 4, 0.0008, ())
    assert failing.failed == ("probe",) and failing.share == 0.001


def test_a_small_probe_may_have_one_value_a_level_off_but_not_two():
    assert judged([7, 7, 7], [7, 8, 7]).failed == ()
    assert judged([7, 7, 7], [8, 8, 7]).failed == ("probe",)


def test_levels_do_not_wrap_around():
    assert judged([0] * 5000, [0] * 4999 + [255]).max_difference == 255


def test_another_shape_fails():
    report = judged([[1, 2]], [[1], [2]])
    assert report.failed == ("probe",) and report.max_difference == 255


def relabelled(count, *, pixels=LABELS, **promised):
    """The report on 5,000 pixels of which so many have another colour, in one of its three channels."""
    got = np.zeros((5000, 3), dtype=np.uint8)
    got[:count, 0] = 255
    return judge([("probe", np.zeros_like(got), got)], pixels, **promised)


def test_labels_are_counted_in_pixels_not_measured_in_levels():
    assert relabelled(4).failed == ()
    assert relabelled(5).failed == ("probe",)  # 0.1 % of the pixels, 0.033 % of the bytes
    assert str(relabelled(4)) == "another label, in 4 of 5000 pixels (0.0800 %), over 1 probes"


def test_where_a_psnr_is_promised_of_pictures_the_same_label_in_99_of_100_pixels_is_of_label_maps():
    assert relabelled(49, least_psnr=40.0).failed == ()  # a PSNR of 25 dB, which says nothing of names
    assert relabelled(50, least_psnr=40.0).failed == ("1.00 % of the pixels, less than 1 % promised",)
    assert relabelled(49, least_psnr=40.0, pixels=RGB).failed == ("PSNR 24.9 dB, 40 promised",)

    zeros, ones = np.zeros((5000, 3), np.uint8), np.ones((5000, 3), np.uint8)  # a PSNR of 48 dB
    assert judge([("probe", zeros, ones)], RGB, least_psnr=40.0).failed == ()
    assert judge([("probe", zeros, ones)], LABELS, least_psnr=40.0).failed  # every name is another one


def test_the_report_reads_as_figures():
    assert str(judged([9] * 2000, [9] * 1999 + [10])) == (
        "max difference 1 of 255, in 1 of 2000 values (0.0500 %), over 1 probes"
    )


@pytest.mark.parametrize("sizing", [Sizing(multiple=16, minimum=16), Sizing(rule="resize", width=24, height=40)])
def test_the_probes_cover_the_sizes_that_break_things(sizing):
    found = [probe.source.shape[:3] for probe in probes(a_card(sizing=sizing))]
    assert (1, 1, 1) in found
    assert any(1 < height < 8 and 1 < width < 8 for _, height, width in found)  # smaller than the padding
    assert any(height % 2 and width % 2 and height != width for _, height, width in found)
    assert any(batch == 2 and height != width for batch, height, width in found)
    assert any(height > (sizing.height or 16) and width > (sizing.width or 16) for _, height, width in found)


def test_a_fixed_size_is_probed_at_that_size_only():
    card = a_card(sizing=Sizing(rule="fixed", width=24, height=16))
    assert {probe.source.shape[1:] for probe in probes(card)} == {(16, 24, 3)}


def test_the_probes_cover_domains_attributes_and_latents():
    domains = a_card(condition=Condition(kind="domains", names=("a", "b", "c")))
    assert {int(number) for probe in probes(domains) for number in probe.domain} == {0, 1, 2}
    card = a_card(latent=5, condition=Condition(kind="attributes", names=("a", "b")))
    assert {probe.source.shape[1:] for probe in probes(card)} == {(5,)}
    assert all(probe.condition.shape == (len(probe.source), 2) for probe in probes(card))


@pytest.mark.parametrize("count", [3, 10, 11, 50])
@pytest.mark.parametrize("latent", [None, 5])
def test_every_domain_occurs_in_the_probes_however_many_there_are(count, latent):
    names = tuple(f"d{number}" for number in range(count))
    found = list(probes(a_card(latent=latent, condition=Condition(kind="domains", names=names))))
    assert {int(number) for probe in found for number in probe.domain} == set(range(count))
    assert all(probe.domain.shape == (len(probe.source),) for probe in found)
    assert max(len(probe.source) for probe in found) <= 8


def test_drawn_attributes_keep_to_their_ranges_and_of_a_group_each_is_on_by_itself():
    names = ("age", *(f"g{number}" for number in range(12)))
    condition = Condition(
        kind="attributes", names=names, exclusive_groups=(names[1:],), ranges=((30, 40), *[(0, 1)] * 12)
    )
    rows = np.concatenate([probe.condition for probe in probes(a_card(latent=5, condition=condition))])
    assert 30 <= rows[:, 0].min() < rows[:, 0].max() <= 40
    assert set(rows[:, 1:].argmax(1)) == set(range(12))
    assert (np.sort(rows[:, 1:]) == [*[0] * 11, 1]).all()


def test_a_scene_has_gradients_and_edges():
    picture = scene(64, 64, Pixels(), np.random.default_rng(0)).astype(int)
    steps = np.abs(np.diff(picture, axis=1))
    assert np.median(steps) <= 8 and steps.max() >= 60
    assert {tuple(colour) for colour in scene(16, 16, LABELS, np.random.default_rng(0)).reshape(-1, 3)} <= set(
        LABELS.palette
    )


class Drifting(nn.Module):
    """Gives something else each time it is asked: no export can equal it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, planes):
        self.calls += 1
        return planes + 0.02 * self.calls  # 2.55 levels per call


def test_a_mismatch_writes_nothing_and_tells_the_figures(tmp_path):
    with pytest.raises(I2IError, match=r"nothing was written: max difference \d+ of 255, in \d+ of \d+") as caught:
        export_onnx(Drifting(), a_card(), tmp_path / "model.onnx")
    assert (caught.value.code, caught.value.exit_code) == ("E_ONNX_PARITY", Exit.REFUSED)
    assert not list(tmp_path.iterdir())


def test_the_comparison_runs_the_file_itself(exported):
    other = TorchSession(type(exported.generator)(**exported.card.network.arguments), exported.card)
    assert compare(other, exported.path.read_bytes()).failed
    assert not compare(TorchSession(exported.generator, exported.card), exported.path.read_bytes()).failed


class Mixing(nn.Module):
    """A picture from noise, tinted by attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.planes = nn.Linear(5, 3 * 4 * 6)
        self.tint = nn.Linear(2, 3)

    def forward(self, latent, condition):
        planes = self.planes(latent).reshape(-1, 3, 4, 6)
        return torch.tanh(planes + self.tint(condition).reshape(-1, 3, 1, 1))


class Gains(nn.Module):
    """Enlarges twice and weighs each channel by the domain."""

    def __init__(self) -> None:
        super().__init__()
        self.gains = nn.Embedding(3, 3)

    def forward(self, planes, domain):
        larger = nn.functional.interpolate(planes, scale_factor=2.0, mode="nearest")
        return larger * self.gains(domain).reshape(-1, 3, 1, 1)


def test_domains_and_a_scale_are_exported(export):
    card = a_card(sizing=Sizing(multiple=4), scale=2, condition=Condition(kind="domains", names=("a", "b", "c")))
    made = export(Gains(), card)
    engine = onnxruntime.InferenceSession(made.path)
    assert [(value.name, value.type, value.shape) for value in engine.get_inputs()] == [
        ("image", "tensor(uint8)", ["batch", "height", "width", 3]),
        ("domain", "tensor(int64)", ["batch"]),
    ]
    assert engine.get_outputs()[0].shape == ["batch", "height_out", "width_out", 3]
    image = np.full((1, 5, 7, 3), 200, dtype=np.uint8)
    images = [engine.run(None, {"image": image, "domain": np.array([number])})[0] for number in range(3)]
    assert images[0].shape == (1, 10, 14, 3)
    assert not (images[0] == images[1]).all() and not (images[1] == images[2]).all()


def test_a_latent_with_attributes_is_exported(export):
    made = export(Mixing(), a_card(latent=5, condition=Condition(kind="attributes", names=("a", "b"))))
    engine = onnxruntime.InferenceSession(made.path)
    assert [(value.name, value.type, value.shape) for value in engine.get_inputs()] == [
        ("latent", "tensor(float)", ["batch", 5]),
        ("condition", "tensor(float)", ["batch", 2]),
    ]
    assert engine.get_outputs()[0].shape == ["batch", 4, 6, 3]
    assert made.report.failed == ()
