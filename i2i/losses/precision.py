"""The number type that losses are taken in."""

from __future__ import annotations

import torch
from torch import Tensor


def at_least_float32(values: Tensor) -> Tensor:
    """Half precision as float32, anything else as it is: a mean over thousands of values loses digits in 16 bits."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
