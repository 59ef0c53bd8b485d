"""`i2i convert --text`, `--charset` and `--towards`: what is written where, in which font, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from i2i.cli.main import main
from i2i.data.typeface import Typeface
from i2i.images.card import METADATA_KEY, Condition, Drawing, ImageCard, NetworkSpec, Pixels, Sizing

FONTS = Path(__file__).parents[1] / "data" / "fonts"
DRAWING = Drawing(font="Noto Sans CJK SC", file="NotoSansSC.otf")
GRAY = Pixels(colour="gray")
SIDE = 24


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of two fonts beside its source font: `same` writes the source glyph, `negative` its negative; mixed they
    give the mean by their weights, rounded.
    """
    card = ImageCard(
        name="two",
        source=GRAY,
        target=GRAY,
        sizing=Sizing(rule="resize", width=SIDE, height=SIDE),
        condition=Condition(kind="domains", names=("same", "negative"), mixed=True),
        drawing=DRAWING,
        network=NetworkSpec(type="zi2zi"),
        method="zi2zi",
    )
    nodes = [
        helper.make_node("Cast", ["image"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Gemm", ["condition", "one_zero"], ["flat_share"]),
        helper.make_node("Reshape", ["flat_share", "shape"], ["share"]),
        # s x + (1 - s) (255 - x) = (2 s - 1) x + (1 - s) 255
        helper.make_node("Sub", ["white", "x"], ["negative"]),
        helper.make_node("Sub", ["x", "negative"], ["gap"]),
        helper.make_node("Mul", ["share", "gap"], ["part"]),
        helper.make_node("Add", ["negative", "part"], ["mean"]),
        helper.make_node("Round", ["mean"], ["whole"]),
        helper.make_node("Cast", ["whole"], ["image_out"], to=TensorProto.UINT8),
    ]
    constants = {
        "one_zero": np.array([[1.0], [0.0]], np.float32),
        "shape": np.array([-1, 1, 1, 1], np.int64),
        "white": np.array(255.0, np.float32),
    }
    ports = [
        helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "H", "W", 1]),
        helper.make_tensor_value_info("condition", TensorProto.FLOAT, ["N", 2]),
    ]
    out = helper.make_tensor_value_info("image_out", TensorProto.UINT8, ["N", "H", "W", 1])
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "two", ports, [out], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.helper.set_model_props(made, {METADATA_KEY: card.to_json()})
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(made.SerializeToString())
    shutil.copy(FONTS / "NotoSansSC.otf", folder)
    return folder


Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def convert(capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main(["convert", *map(str, arguments), "--threads", "1"])
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def drawn(text: str) -> np.ndarray:
    """The text in the source font, as the model's card says."""
    face = Typeface(FONTS / "NotoSansSC.otf", size=SIDE, placing=DRAWING)
    blank = np.full((SIDE, SIDE), 255, np.uint8)
    return np.concatenate([blank if c == " " else face.draw(c) for c in text], axis=1)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_a_text_becomes_a_strip_in_the_font_that_is_asked_for(convert: Say, model: Path, tmp_path: Path) -> None:
    for domain in ("same", "negative"):
        code, out, _ = convert(model, "--text", "惨 寞惨", "--domain", domain, tmp_path / f"{domain}.png")
        assert (code, out) == (0, f"{tmp_path / domain}.png\n")
    assert np.array_equal(pixels(tmp_path / "same.png"), drawn("惨 寞惨"))
    expected = 255 - drawn("惨 寞惨")
    expected[:, SIDE : 2 * SIDE] = 255  # a space stays blank
    assert np.array_equal(pixels(tmp_path / "negative.png"), expected)


def test_all_domains_are_a_line_each(convert: Say, model: Path, tmp_path: Path) -> None:
    assert convert(model, tmp_path / "all.png", "--text", "端榆", "--domain", "all")[0] == 0
    text = drawn("端榆")
    assert np.array_equal(pixels(tmp_path / "all.png"), np.concatenate([text, 255 - text]))


def test_every_character_of_a_set_becomes_a_file_by_its_code_point(convert: Say, model: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("惨寞\n端")
    code, out, _ = convert(model, "--charset", tmp_path / "list.txt", "--domain", "same", tmp_path / "out")
    assert (code, out) == (0, f"3 glyphs -> {tmp_path / 'out'}\n")
    names = {path.name: path for path in (tmp_path / "out").glob("*.png")}
    assert set(names) == {"U+60E8.png", "U+5BDE.png", "U+7AEF.png"}
    assert np.array_equal(pixels(names["U+60E8.png"]), drawn("惨"))
    assert convert(model, "--charset", "惨", "--domain", "all", tmp_path / "both")[0] == 0
    found = sorted(path.relative_to(tmp_path / "both").as_posix() for path in (tmp_path / "both").rglob("*.png"))
    assert found == ["negative/U+60E8.png", "same/U+60E8.png"]


def test_characters_that_the_source_font_lacks_are_named(convert: Say, model: Path, tmp_path: Path) -> None:
    code, out, _ = convert(model, "--charset", "惨龘A", "--domain", "same", tmp_path / "out")
    assert code == 1
    assert "1 glyphs" in out and "no 龘 A: 2 characters left out" in out
    code, _, err = convert(model, "--text", "惨龘", "--domain", "same", tmp_path / "strip.png")
    assert code == 3
    assert "the font has no 龘; leave them out, or name another font with --font" in err
    assert not (tmp_path / "strip.png").exists()


def test_the_way_from_one_font_to_another_has_equal_steps(convert: Say, model: Path, tmp_path: Path) -> None:
    way = ["--domain", "same", "--towards", "negative", "--count", 5]
    assert convert(model, "--text", "惨", *way, tmp_path / "way.png")[0] == 0
    steps = np.split(pixels(tmp_path / "way.png").astype(float), 5, axis=1)
    source = drawn("惨").astype(float)
    for share, step in zip((0, 0.25, 0.5, 0.75, 1), steps, strict=True):
        expected = (1 - share) * source + share * (255 - source)
        assert np.abs(step - expected).max() <= 0.5 + 1e-3  # rounded to whole levels
    assert convert(model, "--text", "惨寞", *way, tmp_path / "lines.png")[0] == 0
    assert pixels(tmp_path / "lines.png").shape == (5 * SIDE, 2 * SIDE)


@pytest.mark.parametrize("name", ["way.gif", "way.webp"])
def test_the_way_can_be_an_animation_there_and_back(convert: Say, model: Path, tmp_path: Path, name: str) -> None:
    way = ["--domain", "same", "--towards", "negative", "--count", 4]
    assert convert(model, "--text", "惨", *way, tmp_path / name)[0] == 0
    with Image.open(tmp_path / name) as animation:
        assert (animation.n_frames, animation.size) == (6, (SIDE, SIDE))
        shares = []
        for frame in range(6):
            animation.seek(frame)
            shares.append(int(np.asarray(animation.convert("L"), dtype=int)[0, 0]))
    # The paper goes from white to black and back.
    assert [round(value / 85) for value in shares] == [3, 2, 1, 0, 1, 2]


def test_the_source_font_is_looked_for_beside_the_model_or_named(convert: Say, model: Path, tmp_path: Path) -> None:
    (model / "NotoSansSC.otf").unlink()
    code, _, err = convert(model, "--text", "惨", "--domain", "same", tmp_path / "a.png")
    assert code == 2
    assert "Noto Sans CJK SC (NotoSansSC.otf), which is not beside the model; name it with --font FILE" in err
    font = FONTS / "NotoSansSC.otf"
    assert convert(model, "--text", "惨", "--domain", "same", "--font", font, tmp_path / "a.png")[0] == 0
    assert np.array_equal(pixels(tmp_path / "a.png"), drawn("惨"))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--text", "惨", "out.png"], 2, "the following arguments are required: --domain"),
        (["--text", "惨", "--domain", "sane", "out.png"], 2, "unknown domain 'sane'; did you mean 'same'?"),
        (["--text", "惨", "--domain", "same", "out"], 2, "--text makes one picture; end OUTPUT in .png"),
        (["--text", "惨", "--domain", "same", "out.gif"], 2, "end OUTPUT in .png"),
        (["--text", "惨", "--charset", "惨", "--domain", "same", "out.png"], 2, "not allowed with argument"),
        (["--charset", "惨", "--domain", "same", "--towards", "negative", "out"], 2, "--towards needs --text"),
        (["--text", "惨", "--domain", "same", "--towards", "nagative", "out.png"], 2, "did you mean 'negative'?"),
        (
            ["--text", "惨", "--domain", "same", "--towards", "same", "new/out.png"],
            2,
            "from one font to another, not 'same'",
        ),
        (["--text", "", "--domain", "same", "out.png"], 2, "--text has no characters"),
        (["--text", "  ", "--domain", "same", "out.png"], 2, "--text has no characters"),
        (["in.png", "out.png", "--domain", "same", "--font", "x.ttf"], 2, "--font is about text"),
        (["in.png", "out.png", "--domain", "same", "--towards", "negative"], 2, "--towards is about text"),
        (["in.png", "out.png", "--domain", "same", "--count", "5"], 2, "--count is about text"),
        (["--text", "惨", "--domain", "same", "there.png"], 3, "is there already; use --overwrite"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_written(
    convert: Say,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.png").write_bytes(b"mine")
    got, _, err = convert(model, *arguments)
    assert got == code
    assert said in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "there.png"]
    assert (tmp_path / "there.png").read_bytes() == b"mine"


def test_a_model_of_pictures_writes_no_text(convert: Say, make_model: Callable[..., Path], tmp_path: Path) -> None:
    code, _, err = convert(make_model(), "--text", "惨", "--domain", "x", tmp_path / "out.png")
    assert code == 2
    assert "does not write characters; give it pictures" in err


def test_writing_needs_no_torch(model: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from i2i.cli.main import main; "
        f"code = main(['convert', {str(model)!r}, '--text', '惨', '--domain', 'same', {str(tmp_path / 'o.png')!r}]); "
        "sys.exit(code or ('torch' in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
