"""The convolution to few positions is nn.Conv2d: values, gradients of both orders, and where it is not used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2i.networks.layers import small_convolution
from i2i.networks.layers.small_convolution import SmallConvolution

SHAPES = [
    # Down to 2x2, to 1x1 and to 1x2, and the layer of resize convolutions.
    ({"kernel_size": 4, "stride": 2, "padding": 1}, (4, 4)),
    ({"kernel_size": 4, "stride": 2, "padding": 1}, (2, 2)),
    ({"kernel_size": 5, "stride": 2, "padding": 2}, (2, 3)),
    ({"kernel_size": 3, "padding": 1, "bias": False}, (2, 2)),
]


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Notes every matrix product that takes a convolution's place."""
    made: list[int] = []
    linear: Callable[..., Tensor] = small_convolution.linear

    def noted(rows: Tensor, *given: Any) -> Tensor:
        made.append(len(rows))
        return linear(rows, *given)

    monkeypatch.setattr(small_convolution, "linear", noted)
    return made


def pair(options: dict[str, Any]) -> tuple[SmallConvolution, nn.Conv2d]:
    torch.manual_seed(0)
    ours, theirs = SmallConvolution(5, 7, **options).double(), nn.Conv2d(5, 7, **options).double()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def derivatives(layer: nn.Conv2d, planes: Tensor) -> list[Tensor]:
    """The result, the gradients of a loss on it, and of a loss on its gradient with respect to the planes."""
    planes = planes.clone().requires_grad_()
    made = layer(planes)
    loss = (made**3).sum()
    wanted = [planes, *layer.parameters()]
    first = torch.autograd.grad(loss, wanted, create_graph=True)
    second = torch.autograd.grad(first[0].square().sum(), wanted)
    return [made, *first, *second]


@pytest.mark.parametrize(("options", "size"), SHAPES)
def test_values_and_derivatives_of_both_orders_are_those_of_a_convolution(
    options: dict[str, Any], size: tuple[int, int], products: list[int]
) -> None:
    ours, theirs = pair(options)
    planes = torch.randn(3, 5, *size, dtype=torch.float64)
    for got, wanted in zip(derivatives(ours, planes), derivatives(theirs, planes), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-10)
    assert products


def test_it_stays_a_convolution_where_a_product_gains_nothing(products: list[int]) -> None:
    ours, theirs = pair(SHAPES[0][0])
    planes = torch.randn(2, 5, 4, 4, dtype=torch.float64)
    assert ours(planes[..., :2, :2]).shape[2:] == (1, 1) and products  # otherwise this test proves nothing
    products.clear()
    ours(torch.randn(2, 5, 8, 4, dtype=torch.float64))  # to eight positions
    with torch.no_grad():
        assert torch.equal(ours(planes), theirs(planes))
    ours.requires_grad_(False)
    ours(planes)
    ours.requires_grad_(True).eval()
    assert torch.equal(ours(planes), theirs(planes))
    assert not products


def test_autocast_is_obeyed(products: list[int]) -> None:
    ours = pair(SHAPES[0][0])[0].float()
    with torch.autocast("cpu", torch.bfloat16):
        assert ours(torch.randn(2, 5, 4, 4)).dtype == torch.bfloat16
    assert products
