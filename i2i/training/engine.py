"""The engine: devices, precision, gradient steps and processes. Nothing else in the project touches them.

Data-parallel training averages the gradients of a player once, at the end of its turn, in one flat buffer. Wrapping
networks (`DistributedDataParallel`) was left out on purpose: a GAN calls a discriminator several times in one backward
pass, differentiates through gradients and freezes players in turn, each of which breaks the wrapper's assumptions;
averaging at the end of a turn needs none. Batch norm uses the statistics of its own process.

The CUDA paths (fp16 with a loss scale, several GPUs) are written but were never measured on a GPU by us.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from i2i.errors import I2IError
from i2i.losses.precision import at_least_float32

Precision = Literal["fp32", "bf16", "fp16", "fp64"]
Batch = TypeVar("Batch", bound=NamedTuple)

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


class AdamSettings(NamedTuple):
    """Adam as GAN papers use it (Radford et al. 2016, arXiv 1511.06434, section 4: 0.0002 and beta1 0.5)."""

    learning_rate: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    fused: bool = True


class Turn:
    """One player's turn (see `i2i.methods.method.Turn`)."""

    def __init__(self, engine: Engine, player: str) -> None:
        self._engine = engine
        self._player = player

    def minimise(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Backpropagate the sum of the losses; returns them detached."""
        engine = self._engine
        total = torch.stack([at_least_float32(loss) for loss in losses.values()]).sum() / engine.accumulate_steps
        with torch.autocast(engine.device.type, enabled=False):
            torch.autograd.backward(engine.scalers[self._player].scale(total))
        return {name: loss.detach() for name, loss in losses.items()}


class Engine:
    """Steps the players of a method on one process or several (`torchrun` sets the environment for several).

    With `accumulate_steps` k a training step is called k times, on k parts of the batch, and every player steps at the
    last; a generator then meets a discriminator that has learnt from the earlier parts only afterwards, so an
    accumulated step is not exactly one large step for the later players. A player with two turns in one step cannot
    accumulate (its first step would have to come before the next part's gradients): E_RECIPE.

    In fp16 each player has a loss scale of its own, updated at its step: players overflow at different times.
    """

    def __init__(
        self,
        players: Mapping[str, nn.Module],
        *,
        settings: Mapping[str, AdamSettings],
        device: str | torch.device = "cpu",
        precision: Precision = "fp32",
        channels_last: bool = True,
        accumulate_steps: int = 1,
        clip_norm: float | None = None,
        processes: Processes | None = None,
    ) -> None:
        self.device = torch.device(device)
        self.precision: Precision = precision
        self.channels_last = channels_last
        self.accumulate_steps = accumulate_steps
        self.clip_norm = clip_norm
        self.players = dict(players)
        self.settings = dict(settings)
        self._part = 0
        self._turns: set[str] = set()
        for network in self.players.values():
            self.place(network)
        self.optimisers = {name: Adam(self.players[name], self.settings[name]) for name in self.players}
        self.scalers = {
            name: torch.amp.GradScaler(self.device.type, enabled=precision == "fp16") for name in self.players
        }
        self.processes = processes or Processes()
        for network in self.players.values():
            self.processes.copy_from_first(network)

    def place(self, network: nn.Module) -> None:
        """Move a network to the engine's device, number type and memory layout, in place."""
        dtype = torch.float64 if self.precision == "fp64" else torch.float32
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        network.to(self.device, dtype)
        for tensor in [*network.parameters(), *network.buffers()]:
            if tensor.ndim == 4:
                tensor.data = tensor.data.contiguous(memory_format=layout)

    def batch(self, batch: Batch) -> Batch:
        """The batch on the engine's device, in its number type and layout."""
        dtype = torch.float64 if self.precision == "fp64" else torch.float32
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        moved = [
            tensor.to(self.device, dtype if tensor.is_floating_point() else tensor.dtype, non_blocking=True)
            for tensor in batch
        ]
        return type(batch)(*(t.contiguous(memory_format=layout) if t.ndim == 4 else t for t in moved))

    def begin(self, *, seed: int, step: int, rate_factor: float) -> None:
        """Start an iteration: noise becomes a function of (seed, step, process), rates are set by the schedule."""
        mixed = np.random.SeedSequence([seed, step, self.processes.rank]).generate_state(1, np.uint64)[0]
        torch.manual_seed(int(mixed) % 2**63)
        for name, adam in self.optimisers.items():
            for group in adam.optimiser.param_groups:
                group["lr"] = self.settings[name].learning_rate * rate_factor
        self.part(0)

    def part(self, index: int) -> None:
        """Say which of the `accumulate_steps` parts of the batch comes now."""
        self._part = index
        self._turns.clear()

    @contextmanager
    def forward(self) -> Iterator[None]:
        """A forward pass in the engine's precision."""
        half = _HALF.get(self.precision)
        with torch.autocast(self.device.type, dtype=half, enabled=half is not None):
            yield

    @contextmanager
    def turn(self, player: str, *, stepped: Callable[[], None] | None = None) -> Iterator[Turn]:
        """A block in which `player` alone learns; its optimiser steps at the end of the block, before `stepped`."""
        if self.accumulate_steps > 1 and player in self._turns:
            message = f"the {player} has two turns in a step of this method; training.accumulate_steps must be 1"
            raise I2IError("E_RECIPE", message)
        self._turns.add(player)
        frozen = [p for name, network in self.players.items() if name != player for p in network.parameters()]
        frozen = [parameter for parameter in frozen if parameter.requires_grad]
        for parameter in frozen:
            parameter.requires_grad_(False)
        try:
            with self.forward():
                yield Turn(self, player)
        finally:
            for parameter in frozen:
                parameter.requires_grad_(True)
        if self._part == self.accumulate_steps - 1:
            self._step(player)
            if stepped is not None:
                stepped()

    def _step(self, player: str) -> None:
        adam, scaler = self.optimisers[player], self.scalers[player]
        self.processes.average_gradients(adam.parameters)
        adam.take_gradients()
        if self.clip_norm is not None:
            scaler.unscale_(adam.optimiser)
            torch.nn.utils.clip_grad_norm_(adam.parameters, self.clip_norm)
        scaler.step(adam.optimiser)
        scaler.update()
        adam.clear_gradients()

    def state(self) -> dict[str, Any]:
        """Everything the engine needs to go on: each optimiser's moments by parameter, and the loss scale."""
        return {
            "moments": {name: adam.moments() for name, adam in self.optimisers.items()},
            "scalers": {name: scaler.state_dict() for name, scaler in self.scalers.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`; learning rates come from the settings and the schedule."""
        for name, adam in self.optimisers.items():
            adam.load_moments(state.get("moments", {}).get(name, {}))
            if self.scalers[name].is_enabled():
                self.scalers[name].load_state_dict(state["scalers"][name])


class Adam:
    """Adam on the weights as they lie in memory: one line of numbers per parameter, whatever its layout.

    torch's fused step on CPU copies every gradient that is not contiguous in the default layout, which took more time
    than the step itself for channels-last weights; seen as a line, every dense layout is contiguous.
    """

    def __init__(self, network: nn.Module, settings: AdamSettings) -> None:
        self.parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._lines = [nn.Parameter(_line(parameter.data)) for parameter in self.parameters]
        self.optimiser = torch.optim.Adam(
            self._lines,
            lr=settings.learning_rate,
            betas=(settings.beta1, settings.beta2),
            fused=settings.fused,
        )

    def take_gradients(self) -> None:
        """Let the optimiser see the parameters' gradients, in the parameters' layout."""
        for parameter, line in zip(self.parameters, self._lines, strict=True):
            gradient = parameter.grad
            if gradient is not None and gradient.stride() != parameter.stride():
                parameter.grad = gradient = torch.empty_like(parameter).copy_(gradient)
            line.grad = None if gradient is None else _line(gradient)

    def clear_gradients(self) -> None:
        """Forget this step's gradients."""
        for tensor in (*self.parameters, *self._lines):
            tensor.grad = None

    def moments(self) -> dict[str, dict[str, Tensor]]:
        """The optimiser's state by the parameter's position, in the parameter's shape."""
        return {
            str(index): {
                key: value.as_strided(parameter.shape, parameter.stride()) if value.ndim else value
                for key, value in self.optimiser.state[line].items()
            }
            for index, (parameter, line) in enumerate(zip(self.parameters, self._lines, strict=True))
            if line in self.optimiser.state
        }

    def load_moments(self, moments: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Go on from `moments()`; the parameter's layout may have changed since."""
        state = {}
        for index, entry in moments.items():
            parameter = self.parameters[int(index)]
            state[int(index)] = {
                key: _line(torch.empty_like(parameter, dtype=value.dtype).copy_(value)) if value.ndim else value.clone()
                for key, value in entry.items()
            }
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})


def _line(tensor: Tensor) -> Tensor:
    """The numbers of a dense tensor in the order of its memory, as a view."""
    return tensor.detach().as_strided((tensor.numel(),), (1,))


class Processes:
    """The group of processes that train together; a group of one outside `torchrun`."""

    def __init__(self) -> None:
        if "WORLD_SIZE" in os.environ and not dist.is_initialized():
            gpus = torch.cuda.is_available()
            if gpus:
                torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
            dist.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo")
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        self.count = dist.get_world_size() if dist.is_initialized() else 1
        self.local_rank = int(os.environ.get("LOCAL_RANK", "0"))

    def copy_from_first(self, network: nn.Module) -> None:
        """Give every process the first one's weights and buffers."""
        if self.count > 1:
            for tensor in [*network.parameters(), *network.buffers()]:
                dist.broadcast(tensor.data, 0)

    def average(self, tensors: list[Tensor]) -> None:
        """Replace the tensors, of one type, by their means over all processes, in place, in one message."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        means = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean.view_as(tensor))

    def average_gradients(self, parameters: list[nn.Parameter]) -> None:
        """Average the gradients; a parameter that had no part in one process's batch counts as zero there."""
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self.average([parameter.grad for parameter in parameters if parameter.grad is not None])

    def from_first(self, number: int) -> int:
        """The number that the first process has."""
        if self.count == 1:
            return number
        shared = torch.tensor(number)
        dist.broadcast(shared, 0)
        return int(shared)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        if self.count == 1:
            return flag
        seen = torch.tensor(int(flag))
        dist.all_reduce(seen, op=dist.ReduceOp.MAX)
        return bool(seen)

    def wait(self) -> None:
        """Until every process has come here."""
        if self.count > 1:
            dist.barrier()


def check_finite(losses: Mapping[str, float]) -> None:
    """Raise `I2IError` (E_NONFINITE) naming the losses that are NaN or infinite."""
    bad = {name: value for name, value in losses.items() if not np.isfinite(value)}
    if bad:
        raise I2IError("E_NONFINITE", ", ".join(f"{name} = {value}" for name, value in bad.items()))
