"""The torch session: what `Translator` runs when a model is loaded from its weights instead of an .onnx file."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from i2i.errors import I2IError
from i2i.images.card import ImageCard
from i2i.runtime.conditions import Asked
from i2i.runtime.memory import is_out_of_memory
from i2i.weights.wrapper import Wrapped


class TorchSession:
    """Runs a generator on batches of pictures, always in the same way: no gradients, no dropout, running statistics.

    `device` is where the generator is moved to: "cpu", "cuda" ...
    """

    lanes = 1  # torch itself uses all threads for one picture

    def __init__(self, generator: nn.Module, card: ImageCard, *, device: str = "cpu") -> None:
        self.card = card
        self._device = torch.device(device)
        self.provider = self._device.type
        self._wrapped = Wrapped(generator, card).to(self._device)

    @property
    def obstacle(self) -> str:
        """Why tiles of a picture are not translated one by one: what looks at the whole picture shows in a graph alone,
        not in modules, so weights are never tiled.
        """
        return "these are weights, which do not tell whether tiles would fit together; make an .onnx file of them first"

    def settled(self, samples: Iterable[NDArray[np.uint8]], asked: Asked, *, corner: NDArray[np.uint8]) -> TorchSession:
        """The session itself: there are no tiles, see `obstacle`."""
        return self

    def run(
        self,
        image: NDArray[np.uint8] | NDArray[np.float32],
        *,
        domain: NDArray[np.int64] | None = None,
        condition: NDArray[np.float32] | None = None,
    ) -> NDArray[np.uint8]:
        """Translate a batch: uint8 (N, H, W, C) to uint8 (N, H * scale, W * scale, C').

        `image` is the latent, float32 (N, Z), for a generator from noise. `domain` (N,) or `condition` (N, K) as the
        card says. Raises `I2IError`: E_CONDITION, E_SIZE, E_OOM when memory runs out; and IndexError for a number that
        is no domain's.
        """
        chosen = domain if domain is not None else condition
        try:
            with torch.inference_mode():
                output = self._wrapped(self._tensor(image), None if chosen is None else self._tensor(chosen))
            return np.asarray(output.cpu().numpy(), dtype=np.uint8)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise I2IError("E_OOM", f"not enough memory for a picture of {list(image.shape)}") from error

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        # torch warns about arrays that it could write to by mistake: those are copied.
        return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(self._device)
