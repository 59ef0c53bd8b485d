"""Real networks with random weights, exported for tests of tiles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2i.images.card import Condition, ImageCard, NetworkSpec, Sizing


def exported(
    path: Path,
    kind: str,
    *,
    condition: Condition | None = None,
    rule: str = "pad",
    precision: str = "",
    calibrated: Sequence[np.ndarray] = (),
    **arguments,
) -> Path:
    """A network of the table with sharp random weights, as an .onnx file.

    `precision`: "half_weights" or "half"; `calibrated`: in 8-bit integers, by these pictures [H, W, 3].
    """
    import torch

    from i2i.export.int8.feeds import of_pictures
    from i2i.export.int8.quantise import Calibration
    from i2i.export.onnx import export_onnx
    from i2i.networks import NETWORKS

    torch.manual_seed(1)
    network = NETWORKS[kind](**arguments).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 4:  # as large as a trained one's, or the picture would be grey
                parameter.mul_(1.5 / parameter.square().mean().sqrt() / parameter[0].numel() ** 0.5)
    size = {} if rule == "pad" else {"width": 64, "height": 64}
    sizing = Sizing(rule=rule, multiple=network.multiple, minimum=network.minimum, **size)
    spec = NetworkSpec(type=kind, arguments=arguments)
    card = ImageCard(name="t", method="pix2pix", sizing=sizing, condition=condition, network=spec)
    # Random weights are hard to quantise: 20 dB.
    calibration = Calibration(of_pictures(card, calibrated), psnr=20.0) if calibrated else None
    export_onnx(network, card, path, calibration=calibration, **({precision: True} if precision else {}))
    return path


def scenery(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    """A picture [H, W, 3] with detail of all sizes, dark at the left and light at the right."""
    random = np.random.default_rng(seed)
    waves = np.fft.rfftn(random.standard_normal((height, width, 3)), axes=(0, 1))
    pitch = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]) + 1 / max(height, width)
    plane = np.fft.irfftn(waves / pitch[:, :, None], s=(height, width), axes=(0, 1))
    plane = 30 * plane / plane.std() + np.linspace(40, 210, width)[None, :, None]
    return plane.clip(0, 255).astype(np.uint8)
