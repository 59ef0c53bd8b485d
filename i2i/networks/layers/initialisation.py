"""The initial weights of the papers."""

from __future__ import annotations

import torch
from torch import nn


def gaussian_(network: nn.Module, *, gain: float = 0.02) -> None:
    """Convolution weights from N(0, gain), batch-norm scales from N(1, gain), biases zero, in place.

    Isola et al. 2017, section 6.2 ("weights were initialized from a Gaussian distribution with mean 0 and standard
    deviation 0.02"); scales as in DCGAN's code.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, gain)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d) and module.affine:
            torch.nn.init.normal_(module.weight, 1.0, gain)
            nn.init.zeros_(module.bias)


def orthogonal_(network: nn.Module, *, gain: float) -> None:
    """Linear weights orthogonal with the given gain (Saxe et al. 2014, arXiv 1312.6120), biases zero, in place."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.orthogonal_(module.weight, gain)
            nn.init.zeros_(module.bias)


def kaiming_(network: nn.Module, *, slope: float) -> None:
    """Convolution weights normal, of a size that leaky rectifiers of this slope pass signals on in full; biases zero.

    He et al. 2015, "Delving Deep into Rectifiers", arXiv 1502.01852, equation 14.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, a=slope)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
