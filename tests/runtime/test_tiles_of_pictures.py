"""Large pictures: what comes out of tiles is what comes out of the whole, and what cannot be tiled is not."""

import threading
import time

import numpy as np
import pytest
from PIL import Image

from i2i.errors import I2IError
from i2i.images.card import Condition, Pixels, Sizing
from i2i.runtime import tiling
from i2i.runtime import translator as translating
from i2i.runtime.conditions import changed
from i2i.runtime.convert import Options, convert_folder
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.tiling import Tiling
from i2i.runtime.translator import Translator
from tests.runtime.networks import exported, scenery


@pytest.fixture(scope="module")
def unet(tmp_path_factory):
    """Sees 35 pixels to each side: 21 by its three halvings, 14 by its three doublings."""
    path = tmp_path_factory.mktemp("unet") / "unet.onnx"
    return OnnxSession(exported(path, "unet", channels=4, depth=3, upsampling="resize"), threads=1)


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    path = tmp_path_factory.mktemp("resnet") / "resnet.onnx"
    return OnnxSession(exported(path, "resnet", channels=6, blocks=2), threads=1)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(float) - other) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.mark.parametrize("size", [(300, 500), (317, 411), (129, 1001), (40, 700)])
def test_tiles_that_overlap_by_more_than_the_network_sees_give_the_whole_pictures_translation(unet, size):
    picture = scenery(*size)
    whole = Translator(unet, tile=0).apply(picture)
    tiled = Translator(unet, tile=288).apply(picture)
    assert whole.std() > 20  # a network that says nothing would prove nothing
    assert np.abs(whole.astype(int) - tiled).max() <= 1  # tiles are rounded before they are blended


def test_a_picture_is_tiled_by_itself_above_the_limit_alone(unet, monkeypatch):
    monkeypatch.setattr(translating, "LARGE", 200 * 300)
    monkeypatch.setattr(translating, "SIDE", 160)
    asked = []
    monkeypatch.setattr(unet, "run", lambda image, **_: asked.append(image.shape) or image, raising=True)
    Translator(unet).apply(scenery(200, 300))
    assert asked == [(1, 200, 300, 3)]
    asked.clear()
    Translator(unet).apply(scenery(201, 300))
    assert set(asked) == {(1, 160, 160, 3)}


def test_the_side_is_what_the_network_takes_and_the_overlap_what_fits():
    assert Tiling.of(Sizing(multiple=128, minimum=128), 1024) == Tiling(1024, 256)
    assert Tiling.of(Sizing(multiple=128, minimum=128), 100) == Tiling(256, 128)
    assert Tiling.of(Sizing(multiple=4, minimum=8), 1023) == Tiling(1024, 128)
    assert Tiling.of(Sizing(multiple=256, minimum=256), 1024) == Tiling(1024, 512)
    assert Tiling.of(Sizing(), 100) == Tiling(100, 50)


def test_an_instance_norm_over_tiles_is_that_of_the_whole_picture(resnet):
    picture = scenery(512, 768)
    whole = Translator(resnet, tile=0).apply(picture)
    tiled = Translator(resnet, tile=256).apply(picture)
    apart = np.concatenate([resnet.run(picture[None, :, left : left + 256])[0] for left in (0, 256, 512)], axis=1)
    assert psnr(tiled, whole) > 35
    assert psnr(apart, whole) < 25  # with statistics of its own each third is another picture


def test_an_instance_norm_gives_the_same_for_tiles_of_any_size(resnet):
    picture = scenery(600, 500)
    one, other = (Translator(resnet, tile=side).apply(picture) for side in (256, 384))
    assert np.abs(one.astype(int) - other).max() <= 1


def test_a_picture_of_one_colour_stays_one_without_noise(resnet):
    picture = np.full((400, 400, 3), (200, 30, 90), np.uint8)
    tiled = Translator(resnet, tile=256).apply(picture)
    assert np.ptp(tiled.reshape(-1, 3), axis=0).max() <= 1


def test_each_domain_has_statistics_of_its_own(tmp_path):
    names = ("a", "b", "c")
    condition = Condition(kind="domains", names=names)
    arguments = {"channels": 4, "blocks": 1, "conditioning": "norm", "condition_channels": 3}
    session = OnnxSession(exported(tmp_path / "m.onnx", "stargan", condition=condition, **arguments), threads=1)
    picture = scenery(384, 384)
    results = [Translator(session, tile=192)(picture, domain=name) for name in names]
    wholes = [Translator(session, tile=0)(picture, domain=name) for name in names]
    # Pictures that have nothing to do with each other are 2 * deviation^2 apart, 8 dB at the 72 levels that these have:
    # below 20, a tenth of the range, another domain is another picture; above 30, a thirtieth, it is the same.
    assert min(map(psnr, results, wholes)) > 30
    assert psnr(results[0], results[1]) < 20
    samples = tiling.samples(picture, card=session.card, tiling=Tiling(192, 96))
    others = session.settled(samples, changed(session.card, 1, domain="a"), corner=picture[None, :128, :128])
    of_others = others.run(picture[None], domain=np.array([1]))[0]
    assert psnr(of_others, wholes[1]) < 20


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sizing": Sizing(rule="fixed", width=8, height=8)}, "it takes only 8x8"),
        ({"sizing": Sizing(rule="resize", width=8, height=8)}, "resizes pictures of any size to 8x8"),
    ],
)
def test_what_cannot_be_tiled_says_why_before_any_work(make_model, fields, said):
    with pytest.raises(I2IError, match=said) as caught:
        Translator(OnnxSession(make_model(**fields), threads=1), tile=64)
    assert caught.value.code == "E_USAGE"
    with pytest.raises(I2IError, match="0 means no tiles"):
        Translator(OnnxSession(make_model(), threads=1), tile=-1)


def test_labels_are_not_blended(make_model):
    palette = ((0, 0, 0), (255, 255, 255))
    session = OnnxSession(make_model(target=Pixels(colour="labels", palette=palette)), threads=1)
    picture = np.where(scenery(300, 300) > 120, 255, 0).astype(np.uint8)
    assert set(np.unique(Translator(session, tile=64).apply(picture))) == {0, 255}


def test_a_model_that_enlarges_is_tiled_too(make_model, tmp_path):
    import onnx
    from onnx import helper, numpy_helper

    path = make_model(scale=2)
    model = onnx.load(path)
    model.graph.node[0].output[0] = "inverse"
    model.graph.node.append(helper.make_node("Resize", ["inverse", "", "twice"], ["image_out"], mode="nearest"))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 2, 2, 1], np.float32), "twice"))
    onnx.save(model, path)
    picture = scenery(150, 333)
    expected = 255 - picture.repeat(2, 0).repeat(2, 1)
    assert np.array_equal(Translator(OnnxSession(path, threads=1), tile=100).apply(picture), expected)


def test_a_large_picture_for_a_network_that_resizes_is_reduced_before_the_graph(tmp_path, monkeypatch):
    session = OnnxSession(exported(tmp_path / "m.onnx", "unet", rule="resize", channels=4, depth=3), threads=1)
    picture = scenery(400, 600)
    within = Translator(session).apply(picture)
    monkeypatch.setattr(translating, "LARGE", 1000)
    outside = Translator(session).apply(picture)
    assert within.std() > 10
    assert np.abs(within.astype(float) - outside).mean() < 1.5  # bytes between the steps, see `shrinking`
    assert psnr(within, outside) > 38


def test_tiles_run_on_as_many_threads_as_the_session_has_lanes_and_give_the_same(unet):
    picture = scenery(500, 900)
    session = OnnxSession(unet._path, threads=2, throughput=True)
    assert session.lanes == 2
    assert np.array_equal(Translator(session, tile=256).apply(picture), Translator(unet, tile=256).apply(picture))


class Counted(OnnxSession):
    """A session that knows how many were in `run` at once, at most."""

    inside = most = 0
    lock = threading.Lock()

    def run(self, image, **told):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.01)  # long enough for the other threads to come
        result = super().run(image, **told)
        with self.lock:
            self.inside -= 1
        return result


def test_no_more_tiles_run_at_once_than_there_are_lanes_however_many_pictures_do(make_model, tmp_path):
    (tmp_path / "in").mkdir()
    for name, size in (("a", 200), ("b", 200), ("c", 60), ("d", 200), ("e", 60)):  # c and e are no larger than a tile
        Image.fromarray(scenery(size, size)).save(tmp_path / "in" / f"{name}.png")
    session = Counted(make_model(), threads=3, throughput=True)
    translator = Translator(session, tile=64)
    outcome = convert_folder(translator, tmp_path / "in", tmp_path / "out", model="m", options=Options(workers=1))
    assert outcome.converted == 5
    assert session.most == 3
