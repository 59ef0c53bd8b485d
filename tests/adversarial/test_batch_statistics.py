"""Minibatch discrimination and minibatch standard deviation: their numbers, and the surgery on the critic."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.adversarial.stabilisers.minibatch_discrimination import MinibatchDiscrimination
from i2i.adversarial.stabilisers.minibatch_stddev import MinibatchStddev
from i2i.adversarial.stabilisers.spectral_norm import SpectralNorm
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.networks import NETWORKS
from i2i.networks.layers.before_score import widened
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.minibatch_discrimination import MinibatchCloseness
from i2i.networks.layers.minibatch_stddev import MinibatchDeviation
from tests.adversarial.parts import Bowl, critic, duel, pix2pix, train

BOTH: list[Stabiliser] = [MinibatchDiscrimination(rows=3, row_length=2), MinibatchStddev()]
both = pytest.mark.parametrize("stabiliser", BOTH, ids=lambda stabiliser: type(stabiliser).__name__)


class Linear(nn.Module):
    """A critic whose last layer is linear."""

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(12, 1)

    def forward(self, planes: Tensor) -> CriticOutput:
        features = planes.flatten(1)
        return CriticOutput(self.score(features), (features,))


def closeness(features: Tensor, tensor: Tensor) -> Tensor:
    """Salimans et al., section 3.2, written as loops."""
    count, (_, rows, _) = len(features), tensor.shape
    sums = torch.zeros(count, rows, dtype=features.dtype)
    for i in range(count):
        for b in range(rows):
            for j in range(count):
                distance = sum(abs(float((features[i] - features[j]) @ column)) for column in tensor[:, b].T)
                sums[i, b] += math.exp(-distance)
    return sums


def test_closeness_is_the_papers_sum() -> None:
    torch.manual_seed(0)
    layer = MinibatchCloseness(4, rows=3, row_length=2).double()
    features = torch.randn(5, 4, dtype=torch.float64)
    assert torch.allclose(layer(features), closeness(features, layer.tensor.detach()), atol=1e-12)


def test_closeness_of_two_numbers_by_hand() -> None:
    layer = MinibatchCloseness(1, rows=1, row_length=2)
    layer.tensor.data = torch.tensor([[[1.0, -2.0]]])
    # Rows (0, 0) and (0.5, -1) are 1.5 apart; each picture is as near to itself as can be.
    expected = 1 + math.exp(-1.5)
    assert layer(torch.tensor([[0.0], [0.5]])).flatten().tolist() == pytest.approx([expected, expected])
    assert layer(torch.ones(7, 1)).flatten().tolist() == [7.0] * 7


def test_a_map_counts_by_its_mean() -> None:
    layer = MinibatchCloseness(4, rows=3, row_length=2)
    maps = torch.randn(5, 4, 3, 7)
    assert torch.allclose(layer(maps), layer(maps.mean((2, 3))), atol=1e-6)


def test_deviation_by_hand() -> None:
    # One plane of two places: deviations 1 and 3 about their means, so 2 on the average.
    maps = torch.tensor([[[[0.0, 1.0]]], [[[2.0, 7.0]]]])
    assert MinibatchDeviation(group=2)(maps).flatten().tolist() == pytest.approx([2.0, 2.0])
    assert MinibatchDeviation(group=4)(maps.flatten(1)).flatten().tolist() == pytest.approx([2.0, 2.0])


@pytest.mark.parametrize(
    ("count", "group", "expected"),
    [
        (4, 4, [math.sqrt(1.25)] * 4),
        (4, 2, [1.0] * 4),  # 0 with 2, 1 with 3
        (6, 4, [math.sqrt(8 / 3)] * 6),  # threes: 0, 2, 4 and 1, 3, 5
        (5, 4, [1e-4] * 5),  # no number from 2 to 4 divides 5
        (1, 4, [1e-4]),
    ],
)
def test_a_group_is_the_largest_that_divides_the_batch(count: int, group: int, expected: list[float]) -> None:
    numbers = torch.arange(float(count))[:, None]
    assert MinibatchDeviation(group=group)(numbers).flatten().tolist() == pytest.approx(expected, rel=1e-4)


def test_both_agree_with_numerical_gradients() -> None:
    torch.manual_seed(0)
    features = torch.randn(4, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    for layer in (MinibatchCloseness(3, rows=2, row_length=2).double(), MinibatchDeviation(group=2)):
        assert torch.autograd.gradcheck(layer, (features,))


@pytest.mark.parametrize("layer", [nn.Conv2d(4, 2, 3, stride=2, padding=1), nn.Linear(4, 2, bias=False)])
def test_a_widened_layer_does_the_same_where_the_new_planes_are_zero(layer: nn.Conv2d | nn.Linear) -> None:
    wide = widened(layer, 3)
    seen = torch.randn(2, 4, 5, 5) if isinstance(layer, nn.Conv2d) else torch.randn(2, 4)
    padded = torch.cat((seen, torch.zeros_like(seen[:, :3])), 1)
    assert torch.allclose(wide(padded), layer(seen), atol=1e-6)
    assert not torch.allclose(wide(padded + 1), layer(seen + 1), atol=1e-3)


def test_new_weights_have_the_spread_of_the_old_ones() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(10, 10)
    nn.init.constant_(layer.weight, -0.02)
    added = widened(layer, 1000).weight[:, 10:].detach()
    # Ten thousand draws: their deviation is known to 1 percent.
    assert float(added.std()) == pytest.approx(0.02, rel=0.03)
    assert abs(float(added.mean())) < 1e-3


@both
def test_the_features_keep_their_shape_and_the_score_sees_more_planes(stabiliser: Stabiliser) -> None:
    made = duel(critic(3), stabiliser)
    planes = 3 if isinstance(stabiliser, MinibatchDiscrimination) else 1
    output = made.judge(torch.randn(4, 3, 16, 16)).output
    last = list(made.discriminator.score)[-1]  # type: ignore[arg-type]
    assert output.features[-1].shape[1] + planes == last.in_channels
    assert output.score.shape == critic(3)(torch.zeros(4, 3, 16, 16)).score.shape


@both
@pytest.mark.parametrize(("kind", "larger"), [("patchgan", 1), ("pixelgan", 5)])
def test_a_score_depends_on_the_rest_of_its_batch_and_on_no_other_batch(
    stabiliser: Stabiliser, kind: str, larger: int
) -> None:
    torch.manual_seed(0)
    network = NETWORKS[kind](in_channels=3, channels=4, norm="none")
    for parameter in network.parameters():
        parameter.data.mul_(larger)  # a PixelGAN begins with nearly the same score for any two pictures
    made = duel(network, stabiliser)
    one, two, three = torch.randn(3, 1, 3, 24, 24) + torch.tensor([0.0, 0.3, 3.0]).view(3, 1, 1, 1, 1)
    alone = made.judge(torch.cat((one, two))).score[0]
    assert not torch.allclose(alone, made.judge(torch.cat((one, three))).score[0])
    made.judge(torch.cat((three, three)))
    assert torch.equal(alone, made.judge(torch.cat((one, two))).score[0])


def test_each_part_of_a_critic_gets_its_own_plane() -> None:
    parts = nn.ModuleList([critic(3), critic(3)])
    MinibatchStddev().discriminator_network(parts)
    assert [part.score[-1].in_channels for part in parts] == [critic(3).score.in_channels + 1] * 2


@both
def test_a_linear_last_layer_takes_the_numbers_too(stabiliser: Stabiliser) -> None:
    made = duel(Linear(), stabiliser)
    assert made.judge(torch.randn(4, 3, 2, 2)).score.shape == (4, 1)


def test_the_two_stand_beside_each_other() -> None:
    made = duel(critic(3), *BOTH)
    assert [name for name, _ in made.discriminator.score.named_children()] == ["0", "1", "2"]  # type: ignore[union-attr]
    assert made.discriminator.score[-1].in_channels == critic(3).score.in_channels + 4  # type: ignore[index, union-attr]
    assert made.judge(torch.randn(4, 3, 16, 16)).score.isfinite().all()


@both
def test_a_critic_without_a_last_layer_is_refused(stabiliser: Stabiliser) -> None:
    with pytest.raises(ValueError, match=f"{type(stabiliser).__name__} wants a critic with a last layer `score`"):
        duel(Bowl(), stabiliser)


@both
def test_weights_that_follow_from_others_are_refused_and_the_other_order_works(stabiliser: Stabiliser) -> None:
    with pytest.raises(ValueError, match="list the stabilisers that append planes before those"):
        duel(critic(3), SpectralNorm(), stabiliser)
    made: Duel = duel(critic(3), stabiliser, SpectralNorm())
    assert made.judge(torch.randn(2, 3, 16, 16)).score.isfinite().all()


def test_the_new_weights_learn_in_an_engine() -> None:
    method, engine = pix2pix([MinibatchDiscrimination(rows=3, row_length=2)], learning_rate=0.01)
    tensor = dict(method.duel.discriminator.named_parameters())["score.0.statistics.tensor"]
    before = tensor.detach().clone()
    train(method, engine, 1)
    assert not torch.equal(tensor, before)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: MinibatchDiscrimination(rows=0), "rows and row_length are 1 or more, got 0 and 5"),
        (lambda: MinibatchStddev(group=1), "group is a number of pictures to compare, 2 or more; got 1"),
    ],
)
def test_nonsense_is_refused(make: type, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
