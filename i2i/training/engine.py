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
from i2i.training.optimisers import Optimiser, OptimiserSettings

Precision = Literal["fp32", "bf16", "fp16", "fp64"]
Order = Literal["alternating", "simultaneous", "extragradient"]
Batch = TypeVar("Batch", bound=NamedTuple)

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


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
    accumulate (its first step would have to come before the next part's gradients), nor wait for the other players'
    steps in another `order` than alternating: E_RECIPE.

    In fp16 each player has a loss scale of its own, updated at its step: players overflow at different times.

    `order` says when players step. `alternating`: at the end of their turn, so that the next player meets what the one
    before has learnt. `simultaneous`: all together at the end of the iteration. `extragradient`: every other iteration
    only looks ahead; the one after it steps from where the weights were before, along the gradients found ahead
    (Gidel et al. 2019, arXiv 1802.10551, algorithm 4: ExtraAdam, with Adam).
    """

    def __init__(
        self,
        players: Mapping[str, nn.Module],
        *,
        settings: Mapping[str, OptimiserSettings],
        device: str | torch.device = "cpu",
        precision: Precision = "fp32",
        channels_last: bool = True,
        accumulate_steps: int = 1,
        clip_norm: float | None = None,
        order: Order = "alternating",
        processes: Processes | None = None,
    ) -> None:
        self.device = torch.device(device)
        self.precision: Precision = precision
        self.channels_last = channels_last
        self.accumulate_steps = accumulate_steps
        self.clip_norm = clip_norm
        self.order = order
        self.players = dict(players)
        self.settings = dict(settings)
        self._part = 0
        self.ahead = False  # whether this iteration only looks ahead
        self.measuring: set[str] = set()  # players whose next gradient is to be measured
        self.gradients: dict[str, float] = {}  # what was measured: root mean squares
        self._turns: set[str] = set()
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        for network in self.players.values():
            self.place(network)
        self.optimisers = {name: Optimiser(self.players[name], self.settings[name]) for name in self.players}
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
        self._seed(int(mixed) % 2**63)
        for name, optimiser in self.optimisers.items():
            optimiser.set_rate(self.settings[name].learning_rate * rate_factor)
        self.ahead = self.order == "extragradient" and step % 2 == 0
        self.part(0)

    def _seed(self, seed: int) -> None:
        """Seed what this engine draws from. `torch.manual_seed` would format a traceback each time, for GPUs that are
        not there: a fifth of a small network's step.
        """
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

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
        if player in self._turns and (self.accumulate_steps > 1 or self.order != "alternating"):
            must = "optimiser.order must be alternating"
            if self.accumulate_steps > 1:
                must = "training.accumulate_steps must be 1"
            raise I2IError("E_RECIPE", f"the {player} has two turns in a step of this method; {must}")
        self._turns.add(player)
        others = [optimiser for name, optimiser in self.optimisers.items() if name != player]
        frozen = [p for optimiser in others for p in optimiser.parameters if p.requires_grad]
        for parameter in frozen:
            parameter.requires_grad_(False)
        try:
            with self.forward():
                yield Turn(self, player)
        finally:
            for parameter in frozen:
                parameter.requires_grad_(True)
        if self._part < self.accumulate_steps - 1:
            return
        if self.order == "alternating":
            self._step(player)
            if stepped is not None:
                stepped()
        else:
            self._waiting.setdefault(player, []).extend([stepped] if stepped is not None else [])

    def end(self) -> None:
        """End an iteration: players that waited for each other step now."""
        for player, callbacks in self._waiting.items():
            if self.ahead:
                self.optimisers[player].hold()
            else:
                self.optimisers[player].come_back()
            self._step(player)
            for stepped in callbacks:
                stepped()
        self._waiting.clear()

    def _step(self, player: str) -> None:
        optimiser, scaler = self.optimisers[player], self.scalers[player]
        self.processes.average_gradients(optimiser.parameters)
        optimiser.take_gradients()
        if player in self.measuring:
            self.measuring.discard(player)
            self.gradients[player] = optimiser.gradient_size() / float(scaler.get_scale())
        if self.clip_norm is not None:
            scaler.unscale_(optimiser.steps)
            torch.nn.utils.clip_grad_norm_(optimiser.parameters, self.clip_norm)
        scaler.step(optimiser.steps)
        scaler.update()
        optimiser.clear_gradients()

    def state(self) -> dict[str, Any]:
        """Everything the engine needs to go on: the state of each optimiser and its loss scale."""
        return {
            "optimisers": {name: optimiser.state() for name, optimiser in self.optimisers.items()},
            "scalers": {name: scaler.state_dict() for name, scaler in self.scalers.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`; learning rates come from the settings and the schedule."""
        for name, optimiser in self.optimisers.items():
            optimiser.load_state(state.get("optimisers", {}).get(name, {}))
            if self.scalers[name].is_enabled():
                self.scalers[name].load_state_dict(state["scalers"][name])


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
        """Average the gradients; a parameter that had no part in one process's batch counts as zero there. One that had
        no part in any, as in a network that is done learning, has no gradient afterwards either.
        """
        if self.count == 1:
            return
        used = torch.tensor([parameter.grad is not None for parameter in parameters], dtype=torch.int32)
        dist.all_reduce(used, op=dist.ReduceOp.MAX)
        for parameter, taken in zip(parameters, used.tolist(), strict=True):
            if taken and parameter.grad is None:
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
