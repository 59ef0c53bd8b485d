import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.errors import I2IError
from i2i.images.card import Pixels, Sizing
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.translator import Translator

GREY = Pixels(colour="gray")


@pytest.fixture
def translate(make_model):
    return Translator(OnnxSession(make_model(), threads=1))


@pytest.fixture
def translate_grey(make_model):
    return Translator(OnnxSession(make_model(source=GREY, target=GREY), threads=1))


def file_of(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def test_a_path_gives_a_pil_image(translate, tmp_path):
    Image.new("RGB", (3, 2), (10, 20, 30)).save(tmp_path / "a.png")
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        result = translate(path)
        assert isinstance(result, Image.Image)
        assert (result.size, result.mode, result.getpixel((0, 0))) == ((3, 2), "RGB", (245, 235, 225))


def test_a_pil_image_gives_a_pil_image(translate):
    assert translate(Image.new("L", (3, 2), 10)).getpixel((2, 1)) == (245, 245, 245)


def test_a_pil_image_with_alpha_keeps_it(translate):
    result = translate(Image.new("RGBA", (2, 2), (0, 0, 0, 255)))
    assert result.getpixel((0, 0)) == (255, 255, 255, 255)
    assert translate(Image.new("RGBA", (2, 2), (0, 0, 0, 0))).getpixel((0, 0)) == (0, 0, 0, 0)  # white, seen through


def test_an_array_gives_an_array(translate):
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    result = translate(image)
    assert isinstance(result, np.ndarray)
    assert np.array_equal(result, 255 - image)


def test_an_array_of_four_channels_keeps_the_fourth(translate):
    image = np.full((2, 3, 4), 255, np.uint8)
    image[..., :3] = 9
    assert translate(image)[0, 0].tolist() == [246, 246, 246, 255]
    image[..., 3] = 100
    assert translate(image)[..., 3].max() == 100


def test_a_16_bit_array_is_scaled(translate):
    assert translate(np.full((2, 2, 3), 257 * 40, np.uint16))[0, 0].tolist() == [215, 215, 215]


def test_a_float_array_is_refused_with_the_remedy(translate):
    with pytest.raises(I2IError, match="uint8"):
        translate(np.zeros((2, 2, 3), np.float32))


def test_a_grey_array_keeps_its_rank_with_a_grey_model(translate_grey):
    image = np.array([[0, 100], [200, 255]], np.uint8)
    assert np.array_equal(translate_grey(image), 255 - image)
    assert translate_grey(image[:, :, None]).shape == (2, 2, 1)


def test_a_grey_array_becomes_colour_with_a_colour_model(translate):
    assert translate(np.zeros((2, 5), np.uint8)).shape == (2, 5, 3)


def test_a_grey_model_gives_a_grey_picture(translate_grey):
    assert translate_grey(Image.new("RGB", (2, 2), (7, 7, 7))).mode == "L"


@pytest.mark.parametrize(("given", "written"), [("PNG", "PNG"), ("WEBP", "WEBP"), ("JPEG", "JPEG"), ("GIF", "PNG")])
def test_the_bytes_of_a_file_give_the_bytes_of_a_file(translate, given, written):
    result = translate(file_of(Image.new("RGB", (4, 4), (10, 10, 10)), given))
    assert isinstance(result, bytes)
    image = Image.open(io.BytesIO(result))
    assert image.format == written
    assert abs(image.convert("L").getpixel((1, 1)) - 245) <= 1  # lossy types may be off by a level


def test_a_model_with_alpha_of_its_own_decides_it(make_model):
    rgba = Pixels(colour="rgba")
    translate = Translator(OnnxSession(make_model(source=rgba, target=rgba), threads=1))
    assert translate(Image.new("RGBA", (2, 2), (0, 0, 0, 55))).getpixel((0, 0)) == (255, 255, 255, 200)


def test_a_domain_is_named(make_model):
    translate = Translator(OnnxSession(make_model(domains=("Song", "Hei")), threads=1))
    image = np.full((1, 1, 3), 7, np.uint8)
    assert translate(image, domain="Song").max() == 7
    assert translate(image, domain="Hei").min() == 248


def test_a_domain_has_a_number_and_each_picture_of_a_batch_may_have_its_own(make_model):
    translate = Translator(OnnxSession(make_model(domains=("Song", "Hei")), threads=1))
    images = [np.full((size, 1, 3), 7, np.uint8) for size in (1, 2, 1)]
    assert translate(images[0], domain=1).min() == 248
    results = translate.batch(images, domain=["Hei", "Song", 0])
    assert [(len(result), int(result.max())) for result in results] == [(1, 248), (2, 7), (1, 7)]
    assert translate.apply(images[1], domain=np.array([1])).min() == 248


@pytest.mark.parametrize("number", [-1, 2, 3])
def test_the_number_of_a_domain_that_is_not_there_is_refused_however_it_is_given(make_model, number):
    translate = Translator(OnnxSession(make_model(domains=("Song", "Hei")), threads=1))
    image = np.zeros((1, 1, 3), np.uint8)
    for ask in (
        lambda: translate(image, domain=number),
        lambda: translate.batch([image], domain=[number]),
        lambda: translate.apply(image, domain=np.array([number])),
    ):
        with pytest.raises(I2IError, match=f"there is no domain {number}; .* has 0 to 1: Song, Hei") as caught:
            ask()
        assert caught.value.code == "E_CONDITION"


@pytest.mark.parametrize(
    ("domains", "given", "said"),
    [
        (("Song", "Hei"), None, "needs a domain, one of: Song, Hei"),
        (("Song", "Hei"), "song", "did you mean 'Song'?"),
        ((), "Song", "takes no domain"),
    ],
)
def test_a_wrong_domain_is_refused(make_model, domains, given, said):
    translate = Translator(OnnxSession(make_model(domains=domains), threads=1))
    with pytest.raises(I2IError) as caught:
        translate(np.zeros((1, 1, 3), np.uint8), domain=given)
    assert caught.value.code == "E_CONDITION"
    assert said in str(caught.value)


def test_another_size_is_refused_by_a_model_of_one_size_which_it_names(make_model):
    translate = Translator(OnnxSession(make_model(sizing=Sizing(rule="fixed", width=8, height=4)), threads=1))
    with pytest.raises(I2IError, match="4x8; this model takes only 8x4") as caught:
        translate(Image.new("RGB", (4, 8)))
    assert caught.value.code == "E_SIZE"
    assert translate(Image.new("RGB", (8, 4))).size == (8, 4)


def test_a_graph_that_breaks_the_promise_of_its_card_is_caught(make_model):
    translate = Translator(OnnxSession(make_model(scale=2), threads=1))  # the graph does not enlarge
    with pytest.raises(I2IError, match="its card promises") as caught:
        translate(np.zeros((2, 2, 3), np.uint8))
    assert caught.value.code == "E_ONNX_IO"


def test_pictures_of_several_sizes_are_translated_in_batches_of_one_size_and_keep_their_order(translate):
    sizes = [(2, 3), (4, 5), (2, 3), (1, 1), (2, 3)]
    images = [np.full((*size, 3), number, np.uint8) for number, size in enumerate(sizes)]
    results = translate.batch(images)
    assert [result.shape[:2] for result in results] == sizes
    assert [int(result[0, 0, 0]) for result in results] == [255, 254, 253, 252, 251]


def test_an_unreadable_file_has_its_code_and_its_path(translate, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"")
    with pytest.raises(I2IError) as caught:
        translate(path)
    assert (caught.value.code, caught.value.path) == ("E_EMPTY", Path(path))


class StrictSession:
    """Adds the number of the domain to each picture; takes exactly one number a picture, as a graph may insist on."""

    lanes = 1

    def __init__(self, card):
        self.card = card

    def run(self, image, *, domain=None, condition=None):
        if domain.shape != (len(image),):
            raise ValueError(f"{domain.shape} for {len(image)} pictures")
        return image + domain.astype(np.uint8)[:, None, None, None]


def test_in_a_batch_every_picture_has_its_domain(card):
    from i2i.images.card import Condition

    translate = Translator(StrictSession(card(condition=Condition(kind="domains", names=("a", "b")))))
    results = translate.batch([np.zeros((2, 2, 3), np.uint8)] * 3, domain="b")
    assert [int(result.max()) for result in results] == [1, 1, 1]
