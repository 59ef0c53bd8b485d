"""Feature matching: the papers' values, what is compared, and whom it teaches."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from i2i.adversarial.objectives.objective import Judged
from i2i.adversarial.stabilisers.feature_matching import FeatureMatching
from i2i.networks.layers.critic_output import CriticOutput
from tests.adversarial.parts import Bowl, critic, duel

# Two pictures, a first layer of two features and a last layer of one.
REAL = (torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0], [5.0]]))
FAKE = (torch.tensor([[0.0, 2.0], [0.0, 6.0]]), torch.tensor([[5.0], [-1.0]]))


def judged(*features: Tensor) -> Judged:
    """Features of pictures and scores that do not matter."""
    return Judged(torch.zeros(2, 1, 2, 2), CriticOutput(torch.zeros(2, 1), features))


def distance(stabiliser: FeatureMatching, real: Judged, fake: Judged) -> Tensor:
    (loss,) = stabiliser.generator_penalty(fake, real=real).values()
    return loss


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 1.0),  # means 3 and 2
        ({"weight": 10.0}, 10.0),
        ({"layers": "all"}, 1.0 + (4 + 1) / 2),  # means (2, 3) and (0, 4)
        ({"distance": "l1"}, (4 + 6) / 2),
        ({"distance": "l1", "layers": "all"}, 5.0 + (1 + 0 + 3 + 2) / 4),
    ],
)
def test_the_distance_is_the_papers(options: dict[str, Any], expected: float) -> None:
    assert float(distance(FeatureMatching(**options), judged(*REAL), judged(*FAKE))) == pytest.approx(expected)


def test_squares_are_of_the_batches_means_and_absolute_values_of_each_image() -> None:
    swapped = judged(*(feature.flip(0) for feature in REAL))
    assert float(distance(FeatureMatching(), judged(*REAL), swapped)) == 0
    assert float(distance(FeatureMatching(distance="l1"), judged(*REAL), swapped)) == 4


@pytest.mark.parametrize("kind", ["l1", "l2"])
def test_it_agrees_with_numerical_gradients(kind: Any) -> None:
    torch.manual_seed(0)
    real, fake = torch.randn(2, 3, 2, 2, 2, dtype=torch.float64)
    fake.requires_grad_(True)
    stabiliser = FeatureMatching(distance=kind)
    assert torch.autograd.gradcheck(lambda f: distance(stabiliser, judged(real), judged(f)), (fake,))


@pytest.mark.parametrize("condition", [None, torch.randn(2, 2, 16, 16)], ids=["alone", "conditional"])
def test_it_takes_the_place_of_the_adversarial_loss_unless_told_otherwise(condition: Tensor | None) -> None:
    planes = 3 if condition is None else 5
    real, fake = torch.randn(2, 2, 3, 16, 16)
    for alone, names in ((True, {"g_feature_matching"}), (False, {"g_adversarial", "g_feature_matching"})):
        shown = fake.clone().requires_grad_(True)
        made = duel(critic(planes), FeatureMatching(alone=alone))
        losses = made.generator_losses(shown, real=real, condition=condition)
        assert set(losses) == names
        losses["g_feature_matching"].backward()
        assert shown.grad is not None
        assert shown.grad.abs().sum() > 0
        assert set(made.discriminator_losses(real, fake, condition=condition)[0]) == {"d_real", "d_fake"}


def test_real_features_are_a_target_that_does_not_move() -> None:
    real = torch.randn(2, 3, requires_grad=True)
    fake = torch.randn(2, 3, requires_grad=True)
    distance(FeatureMatching(), judged(real), judged(fake)).backward()
    assert real.grad is None
    assert fake.grad is not None


def test_half_precision_features_are_compared_in_float32() -> None:
    # 256 and 257 are one number in bfloat16; their mean is not one of its numbers.
    real = torch.tensor([[256.0], [258.0]], dtype=torch.bfloat16)
    fake = torch.tensor([[256.0], [256.0]], dtype=torch.bfloat16)
    assert float(distance(FeatureMatching(), judged(real), judged(fake))) == 1


def test_a_critic_without_features_is_named() -> None:
    image = torch.randn(2, 3, 4, 4)
    with pytest.raises(ValueError, match="feature_matching wants a critic that returns features"):
        duel(Bowl(), FeatureMatching()).generator_losses(image, real=image)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_a_weight_that_is_not_above_0_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight is above 0, got"):
        FeatureMatching(weight=weight)
