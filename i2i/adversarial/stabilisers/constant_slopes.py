"""Rectifiers whose slopes count as constants: a penalty on gradients then skips what is zero anyway.

The slope of a rectifier changes at a corner alone, so the derivative of a gradient with respect to what a layer was
given is zero. Autograd does not know that and sends planes of zeros back through every convolution of the critic, twice
(to its input and to its weights): a third of all that a penalty costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_RECTIFIERS = (F.relu, torch.relu, Tensor.relu)


class ConstantSlopes(TorchFunctionMode):
    """Inside `with ConstantSlopes():` relu and leaky_relu are products with slopes that no gradient flows into.

    The values, the first derivatives and what follows from those by derivatives of any order are the same.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Called by PyTorch in place of `func`."""
        given = kwargs or {}
        if func is F.leaky_relu:
            return _rectified(*args, **given)
        if func in _RECTIFIERS:
            return _rectified(args[0] if args else given["input"], 0.0)
        return func(*args, **given)


def _rectified(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:  # noqa: A002  (PyTorch's word)
    slopes = torch.full_like(input, negative_slope, requires_grad=False).masked_fill_(input > 0, 1.0)
    return input * slopes
