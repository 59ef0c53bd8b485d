"""The order in which a shipped model's trainings run."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import train_pretrained

RUN = Path("/runs/it")


def test_each_training_starts_from_the_one_before_by_its_own_settings() -> None:
    folder = "pretrained/emoji-styles"
    assert train_pretrained.trainings("emoji-styles", RUN, refined=True) == [
        (RUN, ["-c", f"{folder}/recipe.yaml"]),
        (
            Path("/runs/it-refined"),
            ["-c", f"{folder}/recipe.yaml", "-c", f"{folder}/refine.yaml", "--init", "/runs/it"],
        ),
        (
            Path("/runs/it-refined-2"),
            ["-c", f"{folder}/recipe.yaml", "-c", f"{folder}/refine-2.yaml", "--init", "/runs/it-refined"],
        ),
    ]


def test_a_model_that_is_not_refined_is_of_the_first_training() -> None:
    shipped = train_pretrained.MODELS["fluent2noto"]
    runs = train_pretrained.trainings(shipped.recipe, RUN, refined=shipped.refined)
    assert runs == [(RUN, ["-c", "pretrained/noto2fluent/recipe.yaml"])]


def test_a_recipe_alone_is_one_training() -> None:
    assert len(train_pretrained.trainings("digits", RUN, refined=True)) == 1
