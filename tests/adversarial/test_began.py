"""BEGAN: the controller against a trace by hand, its state, and the critic that it wants."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from i2i.adversarial.duel import Duel
from i2i.adversarial.objectives.began import Began
from i2i.adversarial.objectives.objective import Judged
from i2i.networks.autoencoder import Autoencoder
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.patchgan import PatchGAN
from i2i.networks.pixelgan import PixelGAN


def judged(*errors: float) -> Judged:
    """Pictures that the critic rebuilds with these errors."""
    score = -torch.tensor(errors, dtype=torch.float64)[:, None]
    return Judged(torch.zeros(len(errors), 1, 2, 2), CriticOutput(score))


def began(**options: float) -> Began:
    return Began(**options).double()


# (L(x), L(G(z))) of four steps; in the second the fake pictures are rebuilt so badly that k would become negative.
STEPS = [(1.0, 0.1), (0.8, 2.0), (0.6, 0.2), (0.5, 0.05)]


def test_k_and_the_measure_follow_the_papers_equations_for_four_steps() -> None:
    objective = began(diversity_ratio=0.5, k_rate=0.1)
    # gamma L(x) - L(G): 0.4, -1.6, 0.1, 0.2. So k: 0 + 0.04, 0.04 - 0.16 -> 0, 0.01, 0.03; and the measures
    # L(x) + |gamma L(x) - L(G)|: 1.4, 2.4, 0.7, 0.7. Each step's loss has the k of the step before.
    trace = [(0.0, 0.04, 1.4), (0.04, 0.0, 2.4), (0.0, 0.01, 0.7), (0.01, 0.03, 0.7)]
    for (real, fake), (before, after, measure) in zip(STEPS, trace, strict=True):
        # Two pictures whose mean errors are those of the step.
        sides = judged(real - 0.25, real + 0.25), judged(fake - 0.05, fake + 0.05)
        losses = objective.discriminator(*sides)
        assert float(losses["d_real"]) == pytest.approx(real)
        assert float(losses["d_fake"]) == pytest.approx(-before * fake, abs=1e-15)
        assert float(objective.generator(sides[1])) == pytest.approx(fake)
        objective.advance(*sides)
        indicators = objective.indicators(*sides)
        assert float(indicators["began_k"]) == pytest.approx(after, abs=1e-15)
        assert float(indicators["began_m"]) == pytest.approx(measure)


def test_k_does_not_go_beyond_one() -> None:
    objective = began(diversity_ratio=1.0, k_rate=10.0)
    objective.advance(judged(1.0), judged(0.0))
    assert float(objective.k) == 1.0


def test_the_papers_controller_moves_by_a_thousandth() -> None:
    objective = began()
    objective.advance(judged(1.0), judged(0.1))
    assert float(objective.k) == pytest.approx(0.001 * (0.5 * 1.0 - 0.1))


def test_the_losses_agree_with_numerical_gradients_when_k_is_not_zero() -> None:
    objective = began()
    objective.k.fill_(0.4)
    torch.manual_seed(0)
    real, fake = torch.randn(2, 3, 1, dtype=torch.float64, requires_grad=True).unbind()

    def total(real: Tensor, fake: Tensor) -> Tensor:
        sides = (Judged(torch.zeros(3, 1, 2, 2), CriticOutput(score)) for score in (real, fake))
        return sum(objective.discriminator(*sides).values())

    assert torch.autograd.gradcheck(total, (real, fake))


def played(*, turns: int, state: dict[str, Tensor] | None = None) -> tuple[Duel, list[list[float]]]:
    """Turns of a tiny critic that does not learn, on the same pictures."""
    torch.manual_seed(0)
    duel = Duel(Autoencoder(in_channels=3, channels=4, depth=1, code=2), objective=Began(k_rate=0.1))
    if state is not None:
        duel.load_state_dict(state, strict=True)
    real, fake = torch.rand(2, 2, 3, 8, 8).unbind()
    seen = []
    for _ in range(turns):
        losses, indicators = duel.discriminator_losses(real, fake * 0.1)
        sum(losses.values()).backward()
        seen.append([float(value) for value in (*losses.values(), *indicators.values())])
    return duel, seen


def test_a_resumed_duel_goes_on_with_the_same_k() -> None:
    half, first = played(turns=3)
    assert float(half.objective.k) > 0
    _, whole = played(turns=6)
    _, second = played(turns=3, state=half.state_dict())
    assert first + second == whole


def test_the_indicators_of_a_step_stay_what_they_were_when_k_moves_on() -> None:
    objective = began()
    sides = judged(1.0), judged(0.1)
    objective.advance(*sides)
    indicator = objective.indicators(*sides)["began_k"]
    before = float(indicator)
    objective.advance(*sides)
    assert float(indicator) == before != float(objective.k)


def test_a_critic_that_rebuilds_nothing_is_refused_with_the_network_to_choose() -> None:
    for critic in (PatchGAN(channels=4), PixelGAN(channels=4)):
        with pytest.raises(ValueError, match=r"Began wants a critic .* set discriminator\.type to autoencoder"):
            Duel(critic, objective=Began())
    assert Began().refusal(Autoencoder(channels=4)) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"diversity_ratio": 1.5}, "diversity_ratio lies in 0..1, got 1.5"),
        ({"diversity_ratio": -0.1}, "diversity_ratio lies in 0..1"),
        ({"k_rate": -0.1}, "k_rate is not negative"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Began(**options)
