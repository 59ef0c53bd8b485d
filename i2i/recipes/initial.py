"""Starting from a trained model instead of from noise (fine-tuning)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from i2i.errors import I2IError
from i2i.images.card import ImageCard
from i2i.methods.method import Method
from i2i.recipes.parts import SUPPLIED

# Arguments that leave the weights' meaning alone.
_FREE = frozenset({"dropout"})


def start_from(method: Method, cards: Mapping[str, ImageCard], model: Path | str) -> None:
    """Give the main generator the weights of a trained model.

    Raises `I2IError` (E_CKPT_MISMATCH) unless that is the same network for pictures that look the same.
    """
    from i2i.loading import resolve
    from i2i.weights.store import load_model

    folder = resolve(model, engine="torch").path
    network, theirs = load_model(folder)
    direction, generator = next(iter(method.generators().items()))
    ours = cards[direction]
    for name in ("source", "target", "value_range", "condition"):
        if getattr(ours, name) != getattr(theirs, name):
            message = f"its {name} is {getattr(theirs, name)}, the recipe's {getattr(ours, name)}"
            raise I2IError("E_CKPT_MISMATCH", message, path=folder)
    if _fixed(ours) != _fixed(theirs):
        arguments = theirs.network.arguments
        options = " ".join(f"--generator.{k} {v}" for k, v in arguments.items() if k not in SUPPLIED)
        message = f"its generator is another network; give the recipe --generator {theirs.network.type} {options}"
        raise I2IError("E_CKPT_MISMATCH", message, path=folder)
    generator.load_state_dict(network.state_dict())


def _fixed(card: ImageCard) -> tuple[str, dict[str, object]]:
    arguments = {name: value for name, value in card.network.arguments.items() if name not in _FREE}
    return card.network.type, arguments
