"""`i2i train`: how a recipe comes together, what is refused, what is said, and going on with a run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from i2i import files
from i2i.cli.main import main
from i2i.recipes.merging import dump, parse, read
from i2i.training import checkpoint
from tests.training.conftest import TINY, pairs

__all__ = ["pairs"]

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs `i2i train ARGUMENTS` in this process: exit code, standard output, standard error."""

    def train(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main(["train", *map(str, arguments)])
        except SystemExit as ended:  # argparse's own refusals
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return train


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A file for -c that makes any training tiny."""
    (tmp_path / "tiny.yaml").write_text(dump(TINY))
    return tmp_path / "tiny.yaml"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: PRESET, --out"),
        (["pix2pix", "--data", "x"], "the following arguments are required: --out"),
        (["pix2pix", "--out", "r"], "the folder of pictures is missing: --data DIR"),
        (["pix2pixx", "--out", "r"], "unknown preset 'pix2pixx'; did you mean 'pix2pix'? known: "),
        (["pix2pix", "--data", "x", "--out", "r", "--steps", "many"], "argument --steps: invalid int value: 'many'"),
        (["pix2pix", "--data", "x", "--out", "r", "--steps", "0"], "training.steps: Input should be greater than"),
        (["pix2pix", "--data", "x", "--out", "r", "more"], "unexpected 'more'; options look like"),
        (["pix2pix", "--data", "x", "--out", "r", "--name"], "--name needs a value"),
        (["pix2pix", "--data", "x", "--out", "r", "--nmae", "n"], "unknown option 'nmae'; did you mean 'name'?"),
        (
            ["pix2pix", "--data", "x", "--out", "r", "--generator", "unett"],
            "unknown network 'unett'; did you mean",
        ),
        (["pix2pix", "--data", "x", "--out", "r", "-c", "none.yaml"], "none.yaml: cannot read this recipe file"),
        (["pix2pix", "--data", "x", "--out", "r", "-c", "bad.yaml"], "bad.yaml is not valid YAML: line 2, column 1"),
        (["pix2pix", "--data", "x", "--out", "r", "--generator.depth", "[1"], "the value of --generator.depth is not"),
    ],
)
def test_wrong_usage_exits_with_2_says_what_is_wrong_and_writes_nothing(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text("name: a\nname: b\n")
    code, out, err = say(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert not (tmp_path / "r").exists()


def test_the_help_names_the_presets_and_the_options_that_are_often_set(say: Say) -> None:
    code, out, _ = say("--help")
    assert code == 0
    for words in ("one of: ", "pix2pix", "dcgan", "--training.batch_size", "--resume", "Ctrl-C", "torchrun"):
        assert words in out
    assert "\n  wgan-gp           Gulrajani et al. 2017, arXiv 1704.00028, algorithm 1: gradient penalty 10" in out


def test_every_option_of_the_help_is_accepted(say: Say, tmp_path: Path) -> None:
    options = [
        *("--training.batch_size", 2, "--training.precision", "bf16", "--training.keep_best", "psnr"),
        *("--generator.channels", 4, "--generator.upsampling", "resize", "--data.augmentation.size", 64),
        *("--data.augmentation.mode", "crop", "--data.augmentation.flips", "[]", "--data.source", "A"),
        *("--data.target", "B", "--stabilisers", "diffaugment", "--objective", "least_squares"),
        *("--optimiser.rates.discriminator", "4e-4"),
    ]
    code, out, err = say("pix2pix", "--data", tmp_path, "--out", tmp_path / "r", *options, "--print-recipe")
    assert (code, err) == (0, "")
    recipe = parse(out, origin="out")
    assert recipe["stabilisers"] == [{"type": "diffaugment", "policy": ["colour", "translation", "cutout"]}]
    assert recipe["data"]["augmentation"]["flips"] == []
    assert recipe["objective"]["type"] == "least_squares"


def test_the_recipe_is_preset_then_files_in_order_then_the_command_line(say: Say, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("name: one\ngenerator: {channels: 3}\ntraining: {batch_size: 5, seed: 5}\n")
    (tmp_path / "two.yaml").write_text("generator: {channels: 4}\nlicence: no\noptimiser: {learning_rate: 1e-3}\n")
    files = ["-c", tmp_path / "one.yaml", "-c", tmp_path / "two.yaml"]
    line = ["--training.seed", 6, "--steps", 7, "--data", tmp_path / "x", "--discriminator=pixelgan"]
    code, out, err = say("pix2pix", "--out", tmp_path / "r", *files, *line, "--print-recipe")
    assert (code, err) == (0, "")
    recipe = parse(out, origin="out")
    assert (recipe["preset"], recipe["name"], recipe["licence"]) == ("pix2pix", "one", "no")
    assert (recipe["generator"]["channels"], recipe["generator"]["depth"]) == (4, 8)
    assert recipe["discriminator"] == {"type": "pixelgan", "channels": 64, "norm": "batch"}
    training = recipe["training"]
    assert (training["batch_size"], training["seed"], training["steps"]) == (5, 6, 7)
    assert recipe["optimiser"]["learning_rate"] == 0.001
    assert recipe["data"]["root"] == str(tmp_path / "x")
    assert not (tmp_path / "r").exists()


def test_the_place_of_the_data_is_data_root(say: Say, tmp_path: Path) -> None:
    short = say("pix2pix", "--out", tmp_path / "r", "--data", "089", "--print-recipe")
    long = say("pix2pix", "--out", tmp_path / "r", "--data.root", "'089'", "--print-recipe")
    typed = say("pix2pix", "--out", tmp_path / "r", "--data", "089", "--data.type", "paired", "--print-recipe")
    assert short == long == typed
    assert parse(short[1], origin="out")["data"]["root"] == "089"


def test_a_printed_recipe_is_a_file_that_gives_the_same_recipe(say: Say, tmp_path: Path) -> None:
    options = ["--name", "'1e-4'", "--generator.channels", 3, "--stabilisers", "diffaugment", "--data", "x"]
    _, printed, _ = say("pix2pix", "--out", tmp_path / "r", *options, "--print-recipe")
    (tmp_path / "printed.yaml").write_text(printed)
    again = say("pix2pix", "--out", tmp_path / "r", "-c", tmp_path / "printed.yaml", "--print-recipe")
    assert again == (0, printed, "")


def test_a_run_can_be_repeated_from_its_recipe_and_resumed_with_nothing_said_again(
    say: Say, tmp_path: Path, pairs: Path, tiny: Path
) -> None:
    run, again = tmp_path / "run", tmp_path / "again"
    code, out, err = say("pix2pix", "--data", pairs, "--out", run, "-c", tiny, "--generator.channels", 3, "--steps", 2)
    assert (code, out) == (0, "")
    sound = "data: 6 train, 3 val; every file read and sound"
    for words in (sound, "precision fp32 (a step takes", "for 2 steps", f"{run / 'model'}"):
        assert words in err
    assert read(run / "recipe.yaml")["generator"]["channels"] == 3

    # the same once more
    assert say("pix2pix", "-c", run / "recipe.yaml", "--out", again)[0] == 0
    assert final(again) == final(run)

    # on to a third step: with the preset alone it would be another network, without data
    shutil.copytree(run, tmp_path / "longer")
    code, _, err = say("pix2pix", "--out", tmp_path / "longer", "--resume", "--steps", 3)
    assert code == 0, err
    assert "resuming at step 2 of 3" in err
    assert read(tmp_path / "longer" / "recipe.yaml")["training"]["steps"] == 3

    # refusals
    code, _, err = say("pix2pix", "--data", pairs, "--out", run, "-c", tiny)
    assert code == 3
    assert "the run folder is taken (--resume goes on with it)" in err
    code, _, err = say("pix2pix", "--out", run, "--resume", "--generator.channels", 5, "--training.workers", 2)
    assert code == 3
    assert "generator.channels: was 3, now 5" in err
    assert "workers" not in err
    assert final(again) == final(run)


def test_resuming_with_another_preset_or_without_a_run_is_refused(
    say: Say, tmp_path: Path, tiny: Path, pairs: Path
) -> None:
    run = tmp_path / "run"
    code, _, err = say("pix2pix", "--data", pairs, "--out", run, "-c", tiny, "--resume")
    assert code == 3
    assert "there is no run to resume here; train without --resume" in err
    assert held(run) == []
    (run / "recipe.yaml").write_text("preset: wgan-gp\n")
    code, _, err = say("pix2pix", "--out", run, "--resume")
    assert code == 3
    assert "this run began with the preset 'wgan-gp', not 'pix2pix'" in err


def test_a_folder_that_holds_other_files_is_not_trained_into(say: Say, tmp_path: Path, pairs: Path, tiny: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    code, _, err = say("pix2pix", "--data", pairs, "--out", tmp_path / "home", "-c", tiny)
    assert code == 3
    assert "it holds other files" in err
    assert held(tmp_path / "home") == ["letter.txt"]


def test_data_that_are_not_there_exit_with_3(say: Say, tmp_path: Path, tiny: Path) -> None:
    code, _, err = say("pix2pix", "--data", tmp_path / "nowhere", "--out", tmp_path / "run", "-c", tiny)
    assert code == 3
    assert "nowhere" in err
    assert "Traceback" not in err


def held(folder: Path) -> list[str]:
    """What is in a folder, but for the lock that looking into it takes."""
    return sorted(path.name for path in folder.iterdir() if path.name != files.LOCK_NAME)


def final(run: Path) -> str:
    return checkpoint.digest(checkpoint.read(checkpoint.newest(run / "checkpoints")[0]))
