"""The engine: steps, freezing, accumulation, clipping, precision, noise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from i2i.data.paired import PairedBatch
from i2i.errors import I2IError
from i2i.training.engine import Engine, Order, check_finite
from i2i.training.optimisers import OptimiserSettings


def engine(network: nn.Module, *, rate: float = 0.1, **options: object) -> Engine:
    settings = {"net": OptimiserSettings(learning_rate=rate, beta1=0.0, beta2=0.9)}
    return Engine({"net": network}, settings=settings, **options)  # type: ignore[arg-type]


def one_step(made: Engine, network: nn.Module, *batches: Tensor) -> None:
    made.begin(seed=0, step=0, rate_factor=1.0)
    for index, batch in enumerate(batches):
        made.part(index)
        with made.turn("net") as turn:
            turn.minimise({"loss": network(batch).square().mean()})


def test_the_first_adam_step_moves_every_weight_by_the_learning_rate() -> None:
    # With bias correction m / sqrt(v) is the sign of the gradient at the first step.
    network = nn.Linear(2, 1, bias=False)
    nn.init.constant_(network.weight, 1.0)
    one_step(engine(network), network, torch.tensor([[1.0, 2.0]]))
    assert network.weight.tolist()[0] == pytest.approx([0.9, 0.9], abs=1e-5)


def test_parts_of_a_batch_add_up_to_the_whole_batch() -> None:
    torch.manual_seed(0)
    data = torch.randn(8, 3)
    whole, parts = nn.Linear(3, 1), nn.Linear(3, 1)
    parts.load_state_dict(whole.state_dict())
    one_step(engine(whole), whole, data)
    one_step(engine(parts, accumulate_steps=4), parts, *data.chunk(4))
    assert torch.allclose(whole.weight, parts.weight, atol=1e-7)


def test_other_players_are_frozen_during_a_turn_and_free_afterwards() -> None:
    one, two = nn.Linear(1, 1), nn.Linear(1, 1)
    two.bias.requires_grad_(False)
    settings = dict.fromkeys(("one", "two"), OptimiserSettings())
    made = Engine({"one": one, "two": two}, settings=settings)
    with made.turn("one") as turn:
        assert not two.weight.requires_grad
        turn.minimise({"loss": two(one(torch.ones(1, 1))).sum()})
    assert two.weight.grad is None
    assert two.weight.requires_grad
    assert not two.bias.requires_grad


def test_an_error_inside_a_turn_frees_the_other_players_and_steps_nothing() -> None:
    one, two = nn.Linear(1, 1), nn.Linear(1, 1)
    before = one.weight.clone()
    made = Engine({"one": one, "two": two}, settings=dict.fromkeys(("one", "two"), OptimiserSettings()))
    with pytest.raises(RuntimeError, match="stop"), made.turn("one") as turn:
        turn.minimise({"loss": one(torch.ones(1, 1)).sum()})
        raise RuntimeError("stop")
    assert two.weight.requires_grad
    assert torch.equal(one.weight, before)


def test_gradients_are_clipped_to_the_given_norm() -> None:
    network = nn.Linear(2, 1, bias=False)
    seen: list[Tensor] = []
    made = engine(network, clip_norm=0.5)
    optimiser = made.optimisers["net"].steps
    step = optimiser.step
    optimiser.step = lambda *a, **k: (seen.append(network.weight.grad.clone()), step(*a, **k))[1]  # type: ignore
    one_step(made, network, torch.tensor([[30.0, 40.0]]))
    assert seen[0].norm().item() == pytest.approx(0.5, rel=1e-4)


def test_noise_is_a_function_of_seed_and_step() -> None:
    made = engine(nn.Linear(1, 1))

    def draw(seed: int, step: int) -> float:
        made.begin(seed=seed, step=step, rate_factor=1.0)
        return float(torch.rand(()))

    assert draw(0, 5) == draw(0, 5)
    assert len({draw(0, 5), draw(0, 6), draw(1, 5)}) == 3


def test_the_schedules_factor_scales_the_rate() -> None:
    made = engine(nn.Linear(1, 1), rate=0.2)
    made.begin(seed=0, step=3, rate_factor=0.25)
    assert made.optimisers["net"].rate == pytest.approx(0.05)


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_turn_computes_in_the_chosen_precision_and_keeps_weights_in_float32(
    precision: str, dtype: torch.dtype
) -> None:
    network = nn.Linear(4, 4)
    made = engine(network, precision=precision)
    with made.turn("net") as turn:
        output = network(torch.ones(1, 4))
        turn.minimise({"loss": output.float().sum()})
    assert output.dtype == dtype
    assert network.weight.dtype == torch.float32


def test_float16_scales_its_loss_and_skips_a_step_that_overflows() -> None:
    network = nn.Linear(1, 1, bias=False)
    made = engine(network, precision="fp16")
    before, scale = network.weight.clone(), made.scalers["net"].get_scale()
    one_step(made, network, torch.full((1, 1), 6e4))
    assert torch.equal(network.weight, before)
    assert made.scalers["net"].get_scale() == scale / 2
    one_step(made, network, torch.ones(1, 1))
    assert not torch.equal(network.weight, before)


@pytest.mark.parametrize("options", [{}, {"clip_norm": 1e-3}, {"precision": "fp16"}], ids=["plain", "clipped", "fp16"])
def test_a_gradient_is_measured_once_when_asked_before_it_is_clipped_and_without_the_loss_scale(
    options: dict[str, object],
) -> None:
    network = nn.Linear(2, 1, bias=False)
    nn.init.constant_(network.weight, 1.0)
    made = engine(network, rate=0.0, **options)
    made.scalers["net"].load_state_dict(made.scalers["net"].state_dict() | {"scale": 256.0})  # less than overflows
    made.measuring.add("net")
    one_step(made, network, torch.tensor([[0.01, 0.02]]))
    # d (w x)^2 / dw = 2 * 0.03 * (0.01, 0.02); float16 has three digits
    assert made.gradients == {"net": pytest.approx((6e-4**2 + 12e-4**2) ** 0.5 / 2**0.5, rel=2e-3)}
    assert made.measuring == set()
    made.gradients.clear()
    one_step(made, network, torch.ones(1, 2))
    assert made.gradients == {}


def test_a_batch_is_placed_in_the_engines_number_type_and_layout() -> None:
    made = engine(nn.Conv2d(3, 3, 1), precision="fp64", channels_last=True)
    placed = made.batch(PairedBatch(torch.zeros(2, 3, 4, 5), torch.zeros(2, 3, 4, 5)))
    assert isinstance(placed, PairedBatch)
    assert placed.source.dtype == torch.float64
    assert placed.source.is_contiguous(memory_format=torch.channels_last)


def test_a_restored_engine_takes_the_same_next_step() -> None:
    torch.manual_seed(0)
    data = torch.randn(4, 3, 6, 6)
    one, two = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
    first, second = engine(one), engine(two)
    for _ in range(3):
        one_step(first, one, data)
    two.load_state_dict(one.state_dict())
    second.load_state(first.state())
    one_step(first, one, data)
    one_step(second, two, data)
    assert torch.equal(one.weight, two.weight)


def test_a_player_may_have_two_turns_in_a_step_in_any_precision() -> None:
    for precision in ("fp32", "bf16", "fp16"):
        network = nn.Linear(2, 1)
        made = engine(network, precision=precision)
        made.begin(seed=0, step=0, rate_factor=1.0)
        for _ in range(2):
            before = network.weight.clone()
            with made.turn("net") as turn:
                turn.minimise({"loss": 1e-3 * (network(torch.ones(1, 2)).float() - 1).square().mean()})
            assert not torch.equal(network.weight, before)


def test_two_turns_cannot_accumulate_and_say_so() -> None:
    network = nn.Linear(2, 1)
    made = engine(network, accumulate_steps=2)
    with pytest.raises(I2IError, match="two turns"):
        one_step(made, network, torch.ones(1, 2), torch.ones(1, 2))
        made.part(1)
        for _ in range(2):
            with made.turn("net") as turn:
                turn.minimise({"loss": network(torch.ones(1, 2)).mean()})


@pytest.mark.parametrize("order", ["simultaneous", "extragradient"])
def test_two_turns_have_no_place_in_other_orders(order: Order) -> None:
    network = nn.Linear(2, 1)
    made = engine(network, order=order)
    made.begin(seed=0, step=0, rate_factor=1.0)
    with made.turn("net") as turn:
        turn.minimise({"loss": network(torch.ones(1, 2)).mean()})
    with pytest.raises(I2IError, match=r"two turns .* optimiser.order must be alternating"):
        made.turn("net").__enter__()


def test_a_loss_that_is_not_finite_is_named() -> None:
    with pytest.raises(I2IError, match=r"g_l1 = nan") as caught:
        check_finite({"d_real": 0.5, "g_l1": float("nan")})
    assert caught.value.exit_code == 5
    check_finite({"d_real": 0.5})
