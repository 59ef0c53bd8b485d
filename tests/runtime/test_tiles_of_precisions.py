"""Every way of storing a network with instance norms leaves it one whose tiles fit together."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from i2i.images.card import METADATA_KEY, Condition, ImageCard, NetworkSpec
from i2i.runtime import norms
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.translator import Translator
from tests.runtime.networks import exported, scenery
from tests.runtime.test_tiles_of_pictures import psnr

CONDITION = Condition(kind="domains", names=("a", "b", "c"))
NETWORKS = {
    "resnet": {"channels": 8, "blocks": 1},
    "stargan": {"channels": 8, "blocks": 1, "conditioning": "norm", "condition_channels": 3, "condition": CONDITION},
}
CARD = ImageCard(name="t", method="pix2pix", network=NetworkSpec(type="unet"))
LEAST = {"resnet": 35, "stargan": 32}  # dB; the parts cover all of the picture


def framed(*size: int, seed: int = 0) -> np.ndarray:
    """A picture [H, W, 3] that begins in white, as drawings do."""
    inside = scenery(*size, seed=seed)
    inside[:8], inside[-8:], inside[:, :8], inside[:, -8:] = 255, 255, 255, 255
    return inside


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Each network in 32 bits."""
    folder = tmp_path_factory.mktemp("plain")
    paths = {kind: exported(folder / f"{kind}.onnx", kind, **arguments) for kind, arguments in NETWORKS.items()}
    return {kind: OnnxSession(path, threads=1) for kind, path in paths.items()}


def both(session: OnnxSession) -> tuple[np.ndarray, np.ndarray]:
    """A picture whole and in tiles."""
    domain = None if session.card.condition is None else "b"
    whole, tiled = (Translator(session, tile=tile)(framed(384, 512), domain=domain) for tile in (0, 192))
    return whole, tiled


@pytest.mark.parametrize("precision", ["", "half_weights", "half"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_tiles_of_networks_with_instance_norms_fit_together_in_16_bits_as_in_32(tmp_path, plain, kind, precision):
    path = tmp_path / "m.onnx"
    given = NETWORKS[kind]
    session = OnnxSession(exported(path, kind, precision=precision, **given), threads=1) if precision else plain[kind]
    whole, tiled = both(session)
    assert whole.std() > 20
    assert psnr(tiled, whole) > LEAST[kind]


@pytest.mark.parametrize("kind", NETWORKS)
def test_tiles_in_8_bit_integers_are_as_near_to_those_in_32_bits_as_whole_pictures_are(tmp_path, plain, kind):
    pictures = [framed(96, 128, seed=seed) for seed in range(1, 9)]
    session = OnnxSession(exported(tmp_path / "m.onnx", kind, calibrated=pictures, **NETWORKS[kind]), threads=1)
    (whole, tiled), (exact, exactly_tiled) = both(session), both(plain[kind])
    # A value that is rounded to another of 256 steps goes its own way from layer to layer: two pictures that differ by
    # less than a step are as far from each other as each is from the exact one. So the tiles are measured by that.
    assert psnr(tiled, exactly_tiled) > psnr(whole, exact) - 0.5
    assert psnr(tiled, whole) > psnr(whole, exact) - 3


def test_norms_of_256_planes_may_have_their_scales_in_16_bits(tmp_path):
    """From 256 numbers on --half-weights stores them so; the innermost layers of this network have as many planes."""
    path = exported(tmp_path / "m.onnx", "resnet", precision="half_weights", channels=64, blocks=1)
    assert any(
        value.data_type == TensorProto.FLOAT16 and value.dims == [256] for value in onnx.load(path).graph.initializer
    )
    whole, tiled = (Translator(OnnxSession(path, threads=1), tile=tile)(scenery(256, 256)) for tile in (0, 192))
    assert psnr(tiled, whole) > LEAST["resnet"]


def a_norm(scale: np.ndarray, *, cast: int = 0, first: tuple | None = None, kind: int = TensorProto.FLOAT) -> bytes:
    """Planes of a picture, instance norm, picture; all in numbers of a `kind`.

    `scale` is a weight, as it is or `cast`; before the norm a Slice (starts, ends, axes) is taken off the planes.
    """
    constants = {"scale": scale, "bias": np.zeros_like(scale), "middle": np.array(127.5, np.float32)}
    nodes = [
        helper.make_node("Transpose", ["image"], ["moved"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["moved"], ["planes"], to=kind),
    ]
    if first is not None:
        constants |= {
            name: np.array(value, np.int64) for name, value in zip(("from", "to", "axes"), first, strict=True)
        }
        nodes += [
            helper.make_node("Slice", ["planes", "from", "to", "axes"], ["place"]),
            helper.make_node("Sub", ["planes", "place"], ["rest"]),
        ]
    nodes += [helper.make_node("Cast", [name], [f"{name}.cast"], to=cast) for name in ("scale", "bias") if cast]
    given = [f"{name}.cast" if cast else name for name in ("scale", "bias")]
    nodes += [
        helper.make_node("InstanceNormalization", ["planes" if first is None else "rest", *given], ["normal"]),
        helper.make_node("Cast", ["normal"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["wide", "middle"], ["light"]),
        helper.make_node("Cast", ["light"], ["bytes"], to=TensorProto.UINT8),
        helper.make_node("Transpose", ["bytes"], ["image_out"], perm=[0, 2, 3, 1]),
    ]
    ports = [helper.make_tensor_value_info(n, TensorProto.UINT8, ["N", "H", "W", 3]) for n in ("image", "image_out")]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {METADATA_KEY: CARD.to_json()})
    return model.SerializeToString()


def test_scales_are_weights_of_16_or_32_bits_or_become_such():
    scale = np.full(3, 40, np.float32)
    for kind in (np.float32, np.float16):
        assert norms.obstacle(a_norm(scale.astype(kind))) == ""
    assert norms.obstacle(a_norm(scale.astype(np.float16), cast=TensorProto.FLOAT)) == ""
    for made in (a_norm(scale.astype(np.float64)), a_norm(scale, cast=TensorProto.DOUBLE)):
        assert "cannot be given the statistics of the whole picture" in norms.obstacle(made)


def test_a_norm_of_16_bit_numbers_has_its_statistics_in_32(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(a_norm(np.full(3, 40, np.float16), kind=TensorProto.FLOAT16))
    picture = scenery(256, 384)  # squares of up to 65,025: a sum of two is beyond 16 bits
    tiled = Translator(OnnxSession(path, threads=1), tile=128)(picture)
    planes = picture.astype(np.float64)
    expected = 127.5 + 40 * (planes - planes.mean((0, 1))) / planes.std((0, 1))
    assert np.abs(tiled - expected.clip(0, 255)).max() <= 1.1  # cut off, and rounded in 16 bits


@pytest.mark.parametrize(
    ("bounds", "is_first"),
    [
        (([0, 0], [1, 1], [2, 3]), True),
        (([0, 0], [1, 1], [-1, -2]), True),
        (([1, 0], [2, 1], [2, 3]), False),
        (([0, 0], [2, 1], [2, 3]), False),
        (([0], [1], [2]), False),
        (([0], [1], [1]), False),
        (([0, 0, 0], [1, 1, 1], [0, 2, 3]), False),
    ],
)
def test_only_the_first_place_of_each_plane_is_known_to_leave_norms_as_they_are(bounds, is_first):
    model = a_norm(np.ones(3, np.float32), first=bounds)
    assert norms.obstacle(model) == ("" if is_first else "it takes the value of one place off all others")


def test_a_picture_is_normalised_by_its_own_values_without_its_first_ones(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(a_norm(np.full(3, 40, np.float32), first=([0, 0], [1, 1], [2, 3])))
    session = OnnxSession(path, threads=1)
    whole, tiled = (Translator(session, tile=tile)(scenery(256, 384)) for tile in (0, 128))
    assert np.abs(whole.astype(int) - tiled).max() <= 1
