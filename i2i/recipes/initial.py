"""Starting from a trained model instead of from noise (fine-tuning)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from i2i.errors import I2IError
from i2i.images.card import ImageCard
from i2i.methods.method import Method
from i2i.recipes.folder import CHECKPOINTS
from i2i.recipes.parts import SUPPLIED

# Arguments that leave the weights' meaning alone.
_FREE = frozenset({"dropout"})


def start_from(method: Method, cards: Mapping[str, ImageCard], model: Path | str) -> list[str]:
    """Give the main generator the weights of a trained model, and the one back those of its way back, where `model` is
    a run folder with both; and from a run the other players, the discriminators, those of its last checkpoint, where
    they are the same networks: a new one knows nothing, and what the generator has learnt is lost until it does.

    Gives a line for each of the other players. Raises `I2IError` (E_CKPT_MISMATCH) unless the generators are the same
    networks for pictures that look the same.
    """
    from i2i.loading import resolve

    found = resolve(model, engine="torch")
    first, *others = method.generators().items()
    _load(first[1], cards[first[0]], found.path)
    if found.run is not None and (found.run / "model-b2a").is_dir():
        for direction, generator in (other for other in others if other[0] == "b2a"):
            _load(generator, cards[direction], resolve(model, engine="torch", direction="b2a").path)
    return _others(method, found.run)


def _others(method: Method, run: Path | None) -> list[str]:
    """Load every player but the generator, where a checkpoint has all that it is made of in the same shapes."""
    from i2i.training import checkpoint

    try:
        saved = {} if run is None else checkpoint.read(checkpoint.newest(run / CHECKPOINTS)[0])["method"]
    except I2IError:  # the model is there, and can be started from
        saved = {}
    names = {id(tensor): name for name, tensor in method.state_dict(keep_vars=True).items()}
    said = []
    for player, part in method.players().items():
        if player == "generator":
            continue
        ours = {names[id(tensor)]: tensor for tensor in part.state_dict(keep_vars=True).values()}
        if all(name in saved and saved[name].shape == tensor.shape for name, tensor in ours.items()):
            with torch.no_grad():
                for name, tensor in ours.items():
                    tensor.copy_(saved[name])
            said.append(f"{player}: goes on with the weights of the last checkpoint")
        else:
            said.append(f"{player}: starts anew, as no checkpoint beside the model has the same network")
    return said


def _load(generator: nn.Module, ours: ImageCard, folder: Path) -> None:
    from i2i.weights.store import load_model

    network, theirs = load_model(folder)
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
