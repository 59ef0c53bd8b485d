"""The optimisers of the players: Adam and the others that GAN papers use, on weights as they lie in memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

OptimiserName = Literal["adam", "optimistic_adam", "rmsprop", "sgd"]


class OptimiserSettings(NamedTuple):
    """Adam as GAN papers use it (Radford et al. 2016, arXiv 1511.06434, section 4: 0.0002 and beta1 0.5), or another.

    `beta1` is the momentum of `sgd` (`rmsprop` has none), `beta2` the smoothing of `rmsprop`'s squares. `fused` does
    the whole step in one pass where torch can.
    """

    learning_rate: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    fused: bool = True
    type: OptimiserName = "adam"


class Optimiser:
    """The optimiser of one player, on its weights as lines of numbers, whatever their layout.

    torch's fused Adam on CPU copies every gradient that is not contiguous in the default layout, which took more time
    than the step itself for channels-last weights; seen as a line, every dense layout is contiguous.
    """

    def __init__(self, network: nn.Module, settings: OptimiserSettings) -> None:
        self.parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._lines = [nn.Parameter(_line(parameter.data)) for parameter in self.parameters]
        self.steps = _steps(self._lines, settings)
        self._held: list[Tensor] = []

    def set_rate(self, rate: float) -> None:
        """The learning rate from now on."""
        for group in self.steps.param_groups:
            group["lr"] = rate

    @property
    def rate(self) -> float:
        """The present learning rate."""
        return float(self.steps.param_groups[0]["lr"])

    def take_gradients(self) -> None:
        """Let the optimiser see the parameters' gradients, in the parameters' layout."""
        for parameter, line in zip(self.parameters, self._lines, strict=True):
            gradient = parameter.grad
            if gradient is not None and gradient.stride() != parameter.stride():
                parameter.grad = gradient = torch.empty_like(parameter).copy_(gradient)
            line.grad = None if gradient is None else _line(gradient)

    def gradient_size(self) -> float:
        """The root mean square of the gradients taken, over all weights; those without a gradient count as 0."""
        gradients = [line.grad for line in self._lines if line.grad is not None]
        norms = torch.stack(torch._foreach_norm(gradients)) if gradients else torch.zeros(1)
        return float(torch.linalg.vector_norm(norms)) / math.sqrt(sum(line.numel() for line in self._lines))

    def clear_gradients(self) -> None:
        """Forget this step's gradients."""
        for tensor in (*self.parameters, *self._lines):
            tensor.grad = None

    def hold(self) -> None:
        """Keep a copy of the weights, to come back to."""
        self._held = [line.detach().clone() for line in self._lines]

    def come_back(self) -> None:
        """Give the weights the values that were held, if any were."""
        for line, held in zip(self._lines, self._held, strict=bool(self._held)):
            line.data.copy_(held)
        self._held = []

    def state(self) -> dict[str, Any]:
        """Moments and held weights by the parameter's position, in the parameter's shape."""
        shown = zip(self.parameters, self._lines, strict=True)
        moments = {
            str(index): {
                key: value.as_strided(parameter.shape, parameter.stride()) if value.ndim else value
                for key, value in self.steps.state[line].items()
                if isinstance(value, Tensor)
            }
            for index, (parameter, line) in enumerate(shown)
            if line in self.steps.state
        }
        held = {
            str(index): value.as_strided(self.parameters[index].shape, self.parameters[index].stride())
            for index, value in enumerate(self._held)
        }
        return {"moments": moments, "held": held}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`; the parameters' layout may have changed since."""
        moments = {
            int(index): {key: self._as_line(int(index), value) for key, value in entry.items()}
            for index, entry in state.get("moments", {}).items()
        }
        self.steps.load_state_dict({"state": moments, "param_groups": self.steps.state_dict()["param_groups"]})
        held = state.get("held", {})
        self._held = [self._as_line(index, held[str(index)]) for index in range(len(held))]

    def _as_line(self, index: int, value: Tensor) -> Tensor:
        if not value.ndim:
            return value.clone()
        return _line(torch.empty_like(self.parameters[index], dtype=value.dtype).copy_(value))


class OptimisticAdam(torch.optim.Adam):
    """Adam that adds its newest step once more and takes the one before back.

    Daskalakis et al. 2018, "Training GANs with Optimism", arXiv 1711.00141, algorithm 1.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step of every weight that has a gradient."""
        moved = [line for group in self.param_groups for line in group["params"] if line.grad is not None]
        before = [line.clone() for line in moved]
        super().step(closure)
        for line, old in zip(moved, before, strict=True):
            newest = line - old
            state = self.state[line]
            line.add_(newest).sub_(state.get("newest", torch.zeros_like(line)))
            state["newest"] = newest


def _steps(lines: list[nn.Parameter], settings: OptimiserSettings) -> torch.optim.Optimizer:
    rate, betas = settings.learning_rate, (settings.beta1, settings.beta2)
    if settings.type == "sgd":
        return torch.optim.SGD(lines, lr=rate, momentum=settings.beta1, fused=settings.fused)
    if settings.type == "rmsprop":
        return torch.optim.RMSprop(lines, lr=rate, alpha=settings.beta2)
    kind = OptimisticAdam if settings.type == "optimistic_adam" else torch.optim.Adam
    return kind(lines, lr=rate, betas=betas, fused=settings.fused)


def _line(tensor: Tensor) -> Tensor:
    """The numbers of a dense tensor in the order of its memory, as a view."""
    return tensor.detach().as_strided((tensor.numel(),), (1,))
