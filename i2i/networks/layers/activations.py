"""Activations by name."""

from __future__ import annotations

from typing import Literal

from torch import nn

Activation = Literal["relu", "leaky_relu", "tanh"]


def activation(name: Activation) -> nn.Module:
    """The layer of that name; the leaky one has DCGAN's slope of 0.2."""
    return {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(0.2), "tanh": nn.Tanh()}[name]
