"""Buffers whose shape is known only once the first batch has come, and that a resumed run loads all the same."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class LateBuffers(nn.Module):
    """Mixin, to be named before the other bases: the buffers listed in `late` take the shape of what is loaded.

    They are registered as `torch.empty(0)`. Loading a plain module refuses tensors of another shape.
    """

    late: ClassVar[tuple[str, ...]] = ()

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: Any) -> None:
        for name in self.late:
            stored = state_dict.get(prefix + name)
            if stored is not None:
                setattr(self, name, torch.empty_like(stored, device=getattr(self, name).device))
        super()._load_from_state_dict(state_dict, prefix, *rest)
