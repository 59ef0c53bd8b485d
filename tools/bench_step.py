"""The two sides of the benches of training: our step of a method, and networks for a textbook's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def our_step(method: Any, batch: Any, *, preset: str, precision: str, turns: int = 1) -> Callable[[], None]:
    """A call takes `turns` training steps of the method on the batch, in `precision` fp32 or bf16: the engine, the
    rates and the layout are those of its preset.
    """
    from i2i.recipes.presets import preset as chosen
    from i2i.recipes.recipe import Training
    from i2i.training.engine import Engine
    from i2i.training.optimisers import OptimiserSettings

    values = chosen(preset)
    training = Training.model_validate(values.get("training", {}))
    settings = OptimiserSettings(learning_rate=values.get("optimiser", {}).get("learning_rate", 2e-4))
    engine = Engine(
        method.players(),
        settings=dict.fromkeys(method.players(), settings),
        precision="bf16" if precision == "bf16" else "fp32",
        channels_last=training.channels_last,
    )

    def step() -> None:
        for turn in range(turns):
            engine.begin(seed=0, step=turn, rate_factor=1.0)
            method.training_step(engine.batch(batch), engine)

    return step


def stock(network: Any) -> Any:
    """The network with PyTorch's own layers, as a textbook has it: the same weights and values, without what our layers
    do to save time.
    """
    from torch import nn

    from i2i.networks.layers.conditional_norm import ConditionalInstanceNorm
    from i2i.networks.layers.small_convolution import SmallConvolution

    class Textbook(ConditionalInstanceNorm):
        """Normalise, then scale, then shift."""

        def forward(self, planes: Any, numbers: Any) -> Any:
            scale, shift = self.scale_and_shift(numbers)[:, :, None, None].chunk(2, 1)
            return self.norm(planes) * scale + shift

    plain = {ConditionalInstanceNorm: Textbook, SmallConvolution: nn.Conv2d}
    for layer in network.modules():
        layer.__class__ = plain.get(type(layer), type(layer))
    return network
