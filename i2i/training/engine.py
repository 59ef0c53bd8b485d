"""The engine: devices, precision, gradient steps and processes. Nothing else in the project touches them.

Data-parallel training averages the gradients of a player once, at the end of its turn, in one flat buffer. Wrapping
networks (`DistributedDataParallel`) was left out on purpose: a GAN calls a discriminator several times in one backward
pass, differentiates through gradients and freezes players in turn, each of which breaks the wrapper's assumptions;
averaging at the end of a turn needs none. Batch norm uses the statistics of its own process.

The CUDA paths (fp16 with a loss scale, several GPUs) are written but were never measured on a GPU by us.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from i2i.errors import I2IError

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

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def minimise(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Backpropagate the sum of the losses; returns them detached."""
        engine = self._engine
        total = torch.stack([loss.float() if loss.dtype != torch.float64 else loss for loss in losses.values()]).sum()
        with torch.autocast(engine.device.type, enabled=False):
            engine.scaler.scale(total / engine.accumulate_steps).backward()  # type: ignore[no-untyped-call]
        return {name: loss.detach() for name, loss in losses.items()}


class Engine:
    """Steps the players of a method on one process or several (`torchrun` sets the environment for several).

    With `accumulate_steps` k a training step is called k times, on k parts of the batch, and every player steps at the
    last; a generator then meets a discriminator that has learnt from the earlier parts only afterwards, so an
    accumulated step is not exactly one large step for the later players.
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
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "fp16")
        self._last_part = True
        for network in self.players.values():
            self.place(network)
        self.optimisers = {name: _adam(self.players[name], self.settings[name]) for name in self.players}
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
            tensor.to(self.device, dtype, non_blocking=True, memory_format=layout)
            if tensor.ndim == 4
            else tensor.to(self.device, non_blocking=True)
            for tensor in batch
        ]
        return type(batch)(*moved)

    def begin(self, *, seed: int, step: int, rate_factor: float) -> None:
        """Start an iteration: noise becomes a function of (seed, step, process), rates are set by the schedule."""
        mixed = np.random.SeedSequence([seed, step, self.processes.rank]).generate_state(1, np.uint64)[0]
        torch.manual_seed(int(mixed) % 2**63)
        for name, optimiser in self.optimisers.items():
            for group in optimiser.param_groups:
                group["lr"] = self.settings[name].learning_rate * rate_factor

    def part(self, index: int) -> None:
        """Say which of the `accumulate_steps` parts of the batch comes now."""
        self._last_part = index == self.accumulate_steps - 1

    def finish(self) -> None:
        """End an iteration: one update of the loss scale for all players."""
        if self.scaler.is_enabled():
            self.scaler.update()

    @contextmanager
    def forward(self) -> Iterator[None]:
        """A forward pass in the engine's precision."""
        half = _HALF.get(self.precision)
        with torch.autocast(self.device.type, dtype=half, enabled=half is not None):
            yield

    @contextmanager
    def turn(self, player: str) -> Iterator[Turn]:
        """A block in which `player` alone learns; its optimiser steps at the end of the block."""
        frozen = [p for name, network in self.players.items() if name != player for p in network.parameters()]
        frozen = [parameter for parameter in frozen if parameter.requires_grad]
        for parameter in frozen:
            parameter.requires_grad_(False)
        try:
            with self.forward():
                yield Turn(self)
        finally:
            for parameter in frozen:
                parameter.requires_grad_(True)
        if self._last_part:
            self._step(player)

    def _step(self, player: str) -> None:
        optimiser = self.optimisers[player]
        parameters = [p for p in self.players[player].parameters() if p.grad is not None]
        self.processes.average([p.grad for p in parameters if p.grad is not None])
        if self.clip_norm is not None:
            self.scaler.unscale_(optimiser)
            torch.nn.utils.clip_grad_norm_(parameters, self.clip_norm)
        self.scaler.step(optimiser)
        optimiser.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Any]:
        """Everything the engine needs to go on: each optimiser's moments by parameter, and the loss scale."""
        moments = {
            name: {str(index): entry for index, entry in optimiser.state_dict()["state"].items()}
            for name, optimiser in self.optimisers.items()
        }
        return {"moments": moments, "scaler": self.scaler.state_dict()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`; learning rates come from the settings and the schedule."""
        for name, optimiser in self.optimisers.items():
            moments = state.get("moments", {}).get(name, {})
            groups = optimiser.state_dict()["param_groups"]
            optimiser.load_state_dict(
                {"state": {int(i): entry for i, entry in moments.items()}, "param_groups": groups}
            )
            for parameter, entry in optimiser.state.items():
                for key, value in entry.items():
                    # A copy of its own; the fused step wants the parameter's memory layout.
                    fits = value.shape == parameter.shape
                    entry[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value) if fits else value.clone()
        self.scaler.load_state_dict(state.get("scaler", {}))


def _adam(network: nn.Module, settings: AdamSettings) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        [parameter for parameter in network.parameters() if parameter.requires_grad],
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
        fused=settings.fused,
    )


class Processes:
    """The group of processes that train together; a group of one outside `torchrun`."""

    def __init__(self) -> None:
        if "WORLD_SIZE" in os.environ and not dist.is_initialized():
            backend = "nccl" if torch.cuda.is_available() else "gloo"
            dist.init_process_group(backend)
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        self.count = dist.get_world_size() if dist.is_initialized() else 1
        self.local_rank = int(os.environ.get("LOCAL_RANK", "0"))

    def copy_from_first(self, network: nn.Module) -> None:
        """Give every process the first one's weights and buffers."""
        if self.count > 1:
            for tensor in [*network.parameters(), *network.buffers()]:
                dist.broadcast(tensor.data, 0)

    def average(self, tensors: list[Tensor]) -> None:
        """Replace the tensors by their means over all processes, in place, in one message."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        means = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean.view_as(tensor))

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


def check_finite(losses: Mapping[str, float], *, step: int) -> None:
    """Raise `I2IError` (E_NONFINITE) naming the step and the loss that is NaN or infinite."""
    bad = {name: value for name, value in losses.items() if not np.isfinite(value)}
    if bad:
        shown = ", ".join(f"{name} = {value}" for name, value in bad.items())
        message = (
            f"step {step}: {shown}; nothing of this step was saved. Try a lower learning rate, "
            "--training.precision fp32 or --training.clip_norm 1"
        )
        raise I2IError("E_NONFINITE", message)
