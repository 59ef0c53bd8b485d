"""ONNX equals torch: for every generator in the table, and for each way in which a card can ask for pictures."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.networks import NETWORKS
from i2i.runtime import norms
from i2i.weights.session import TorchSession

LABELS = Pixels(colour="labels", palette=((0, 0, 0), (255, 0, 0), (0, 0, 255)))
TINY = {"in_channels": 3, "out_channels": 3, "condition_channels": 3}
TINY |= {"channels": 4, "depth": 2, "layers": 2, "blocks": 2, "embedding": "learned"}
DOMAINS = Condition(kind="domains", names=("a", "b", "c"))


def takes(name: str) -> set[str]:
    return set(inspect.signature(NETWORKS[name]).parameters)


GENERATORS = [name for name in NETWORKS if "out_channels" in takes(name)]
SIZED = {"channels": 4, "size": 16}
MIXED = {"component": {"type": "mlp", **SIZED}, "components": 3}
FROM_NOISE = [name for name in GENERATORS if "size" in takes(name) or name == "mixture"]


@pytest.mark.parametrize("name", FROM_NOISE)
def test_every_generator_from_noise_gives_the_same_in_onnx_at_any_batch(name, export, shake):
    arguments = {"in_channels": 5, "out_channels": 3, **(MIXED if name == "mixture" else SIZED)}
    network = shake(NETWORKS[name](**arguments))
    numbers = network.latent_channels
    card = ImageCard(
        name=name,
        latent=numbers,
        sizing=Sizing(rule="fixed", width=16, height=16),
        network=NetworkSpec(type=name, arguments=arguments),
        method="gan",
    )
    made = export(network, card)
    assert (made.report.probes, made.report.failed) == (3, ())
    engine = onnxruntime.InferenceSession(made.path)
    assert [(port.name, port.type, port.shape) for port in engine.get_inputs()] == [
        ("latent", "tensor(float)", ["batch", numbers])
    ]
    assert [(port.name, port.type, port.shape) for port in engine.get_outputs()] == [
        ("image_out", "tensor(uint8)", ["batch", 16, 16, 3])
    ]
    for batch in (1, 2, 7):
        latent = np.random.default_rng(batch).standard_normal((batch, numbers), dtype=np.float32)
        expected = TorchSession(network, card).run(latent)
        got = engine.run(None, {"latent": latent})[0]
        assert np.abs(expected.astype(int) - got).max() <= 1
        assert np.count_nonzero(expected != got) <= max(1, expected.size // 1000)
        assert expected.std() > 10


def test_an_editor_reads_what_is_to_stay_inside_the_graph(export, shake):
    arguments = {
        "generator": {"type": "stargan", "channels": 4, "blocks": 1},
        "reader": {"type": "stargan_critic", "size": 16, "channels": 4, "layers": 2},
        "condition_channels": 3,
        "label_sets": [[2, False], [1, False]],
    }
    network = shake(NETWORKS["attribute_editor"](**arguments))
    card = ImageCard(
        name="editor",
        sizing=Sizing(rule="resize", width=16, height=16),
        condition=Condition(kind="attributes", names=("a", "b", "c")),
        network=NetworkSpec(type="attribute_editor", arguments=arguments),
        method="none",
    )
    made = export(network, card)
    assert made.report.failed == ()
    engine = onnxruntime.InferenceSession(made.path)
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    nan = np.nan
    told = np.array([[1, nan, nan], [nan, nan, 0], [0, 1, 1], [nan, nan, nan]], dtype=np.float32)
    got = engine.run(None, {"image": images, "condition": told})[0]
    expected = TorchSession(network, card).run(images, condition=told)
    assert np.abs(expected.astype(int) - got).max() <= 1
    assert (got[3] == images[3]).all()  # of neither set anything is to change
    assert all(np.abs(got[row].astype(int) - images[row]).max() > 10 for row in range(3))


@pytest.mark.parametrize("name", [name for name in GENERATORS if name not in (*FROM_NOISE, "attribute_editor")])
def test_every_generator_gives_the_same_in_onnx_at_two_sizes(name, export, shake):
    arguments = {key: value for key, value in TINY.items() if key in takes(name)}
    network = shake(NETWORKS[name](**arguments))
    sizing = Sizing(multiple=network.multiple, minimum=network.minimum)
    condition = DOMAINS if "condition_channels" in arguments else None
    card = ImageCard(
        name=name,
        sizing=sizing,
        condition=condition,
        network=NetworkSpec(type=name, arguments=arguments),
        method="none",
    )
    made = export(network, card)
    engine = onnxruntime.InferenceSession(made.path)
    for size in [(2 * network.multiple, network.multiple), (network.multiple + 3, 5)]:
        image = np.random.default_rng(0).integers(0, 256, (1, *size, 3), dtype=np.uint8)
        outputs = []
        for number in range(len(DOMAINS.names) if condition else 1):
            told = {"domain": np.array([number])} if condition else {}
            expected = TorchSession(network, card).run(image, **told)
            got = engine.run(None, {"image": image, **told})[0]
            assert np.abs(expected.astype(int) - got).max() <= 1
            assert expected.std() > 10
            outputs.append(got)
        assert all(np.abs(outputs[0].astype(int) - other).max() > 10 for other in outputs[1:])


@pytest.mark.parametrize(
    "given",
    [
        {"norm": "instance", "upsampling": "resize"},
        {"full_size_channels": 4, "masked": True, "upsampling": "resize"},
        {"palette_colours": 5, "masked": True, "full_size_channels": 4, "upsampling": "resize"},
        {"sizing": Sizing(rule="resize", width=24, height=16), "source": LABELS, "target": LABELS},
        {
            "sizing": Sizing(rule="fixed", width=24, height=16),
            "source": Pixels(colour="gray"),
            "target": Pixels(colour="rgba"),
        },
    ],
    ids=["instance-norm", "full-size-masked", "palette-masked", "labels-resized", "gray-to-rgba-fixed"],
)
def test_every_kind_of_card_gives_the_same_in_onnx(given, export, tiny_unet):
    made = export(*tiny_unet(**given))
    assert made.report.probes >= 3 and made.report.failed == ()
    engine = onnxruntime.InferenceSession(made.path)
    fixed = made.card.sizing.rule == "fixed"
    size = [16, 24] if fixed else ["height", "width"]
    assert engine.get_inputs()[0].shape == ["batch", *size, made.card.source.channels]
    assert engine.get_outputs()[0].shape == ["batch", *size, made.card.target.channels]
    if fixed:
        with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument, match="invalid dimensions"):
            engine.run(None, {"image": np.zeros((1, 24, 16, 1), dtype=np.uint8)})


@pytest.mark.parametrize(
    ("colours", "said"), [(0, ""), (5, "its layer ReduceMean looks at the whole picture")], ids=["none", "palette"]
)
def test_a_palette_is_of_the_whole_picture_and_the_runtime_makes_no_tiles(colours, said, export, tiny_unet):
    made = export(*tiny_unet(palette_colours=colours))
    assert norms.obstacle(Path(made.path).read_bytes()) == said
