"""The loss-sensitive game: margins between pairs, and the forms that its arguments choose."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from i2i.adversarial.duel import Duel
from i2i.adversarial.objectives.loss_sensitive import LossSensitive
from i2i.adversarial.objectives.objective import Judged
from i2i.adversarial.objectives.wasserstein import Wasserstein
from i2i.adversarial.stabilisers.packing import Packing
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.patchgan import PatchGAN


def judged(score: list[float] | Tensor, grey: list[float]) -> Judged:
    """Scores, and pictures (N, 3, 2, 2) of one grey each."""
    images = torch.tensor(grey, dtype=torch.float64).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
    score = torch.tensor(score, dtype=torch.float64) if isinstance(score, list) else score
    return Judged(images, CriticOutput(score))


# Pairs that differ by 1 and 0.5 everywhere.
REAL, FAKE = judged([0.5, 2.0], [0.0, 0.5]), judged([0.25, -1.0], [-1.0, 1.0])


def test_a_fake_sample_has_to_lose_by_the_distance_of_its_pair() -> None:
    # L = -score; margin + L(real) - L(fake) is 1 - 0.5 + 0.25 = 0.75 and 0.5 - 2 - 1 = -2.5, which costs nothing.
    losses = LossSensitive().discriminator(REAL, FAKE)
    assert {name: float(loss) for name, loss in losses.items()} == {"d_real": -1.25, "d_margin": 10 * 0.75 / 2}
    assert float(LossSensitive().generator(FAKE)) == pytest.approx(0.375)


def test_each_weight_weighs_its_own_term() -> None:
    losses = LossSensitive(margin_weight=2.0, real_weight=3.0, penalty_weight=4.0).discriminator(REAL, FAKE)
    # Margins of 2 and 1: 1.75 and -2.
    assert {name: float(loss) for name, loss in losses.items()} == {"d_real": -3.75, "d_margin": 4 * 1.75 / 2}


@pytest.mark.parametrize(("slope", "cost"), [(0.0, 0.375), (0.2, 0.125), (-1.0, (0.75 + 2.5) / 2), (1.0, -0.875)])
def test_the_generalised_cost_has_its_slope_for_margins_that_are_kept(slope: float, cost: float) -> None:
    losses = LossSensitive(real_weight=0.0, penalty_weight=1.0, slope=slope).discriminator(REAL, FAKE)
    assert list(losses) == ["d_margin"]
    assert float(losses["d_margin"]) == pytest.approx(cost)


def test_with_a_slope_of_one_it_is_wasserstein_gan_up_to_the_mean_margin() -> None:
    general = LossSensitive(real_weight=0.0, penalty_weight=1.0, slope=1.0)
    plain = sum(Wasserstein().discriminator(REAL, FAKE).values())
    assert float(general.discriminator(REAL, FAKE)["d_margin"]) == pytest.approx(float(plain) + 0.75)
    assert float(general.generator(FAKE)) == float(Wasserstein().generator(FAKE))


def test_patches_are_averaged_before_the_margin_is_asked_for() -> None:
    patches = judged(torch.tensor([[[[3.0, -1.0]]]], dtype=torch.float64), [0.0])
    # The mean score is 1 on either side: the excess is the margin, 0.4.
    losses = LossSensitive(penalty_weight=1.0).discriminator(patches, judged([1.0], [0.4]))
    assert float(losses["d_margin"]) == pytest.approx(0.4)


def test_packed_pictures_share_the_mean_of_their_margins() -> None:
    # Margins 0.1, 0.3 | 0.5, 0.9 make 0.2 and 0.7; with scores 0, 0 | 1, 0 the excesses are 0.2 and -0.3.
    real, fake = judged([0.0, 1.0], [0.0, 0.0, 0.0, 0.0]), judged([0.0, 0.0], [0.1, 0.3, 0.5, 0.9])
    losses = LossSensitive(penalty_weight=1.0).discriminator(real, fake)
    assert float(losses["d_margin"]) == pytest.approx((0.2 + 0.0) / 2)


def test_it_is_played_with_a_critic_that_sees_packs() -> None:
    torch.manual_seed(0)
    critic = PatchGAN(in_channels=6, channels=4, layers=1, norm="none")
    duel = Duel(critic, objective=LossSensitive(real_weight=0.0, penalty_weight=1.0), stabilisers=[Packing(packed=2)])
    for parameter in critic.parameters():
        torch.nn.init.zeros_(parameter)
    real, fake = torch.zeros(4, 3, 8, 8), torch.tensor([0.1, 0.3, 0.5, 0.9]).view(4, 1, 1, 1).expand(4, 3, 8, 8)
    losses, _ = duel.discriminator_losses(real, fake)
    assert losses["d_margin"].item() == pytest.approx(0.45)


@pytest.mark.parametrize("slope", [0.0, 0.3, -1.0, 1.0])
def test_the_losses_agree_with_numerical_gradients_of_scores_and_pictures(slope: float) -> None:
    objective = LossSensitive(slope=slope)
    torch.manual_seed(0)
    given = [torch.randn(3, 1, 2, 2, dtype=torch.float64, requires_grad=True) for _ in range(4)]

    def total(real_score: Tensor, fake_score: Tensor, real_image: Tensor, fake_image: Tensor) -> Tensor:
        real, fake = (Judged(i, CriticOutput(s)) for i, s in ((real_image, real_score), (fake_image, fake_score)))
        return sum(objective.discriminator(real, fake).values())

    assert torch.autograd.gradcheck(total, tuple(given))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slope": 1.5}, "slope is at most 1"),
        ({"penalty_weight": 0.0}, "penalty_weight is above 0"),
        ({"margin_weight": -1.0}, "weights are not negative, got margin_weight -1.0"),
        ({"real_weight": -1.0}, "weights are not negative"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LossSensitive(**options)
