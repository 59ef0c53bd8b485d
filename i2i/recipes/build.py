"""From a recipe to objects."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

import i2i
from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.stabilisers import STABILISERS
from i2i.data import DATASETS
from i2i.data.conditioned import ConditionedFolder
from i2i.data.layouts import UNLABELLED
from i2i.data.source import DataSource
from i2i.errors import I2IError
from i2i.images.card import ImageCard, Sizing
from i2i.methods import METHODS
from i2i.methods.method import Method
from i2i.methods.parts import Parts
from i2i.networks import NETWORKS
from i2i.networks.layers.beside import more_latent
from i2i.networks.layers.sizes import fitting
from i2i.recipes.parts import arguments
from i2i.recipes.recipe import digest, network_spec
from i2i.tables import Table
from i2i.training.loop import LoopOptions
from i2i.training.optimisers import OptimiserSettings


@dataclass(frozen=True)
class Builder:
    """Makes the objects of one recipe. Each call makes new ones; weights are a function of `training.seed`."""

    recipe: Any

    def data(self) -> DataSource:
        """The data source that the recipe names."""
        source: DataSource = _made(DATASETS, self.recipe.data)
        return source

    def method(self) -> Method:
        """The method with its networks, seeded."""
        recipe, data = self.recipe, self.data()
        kind = METHODS[recipe.method.type]
        if kind.batch_type is not data.batch_type:
            message = f"method '{recipe.method.type}' cannot learn from data of type '{recipe.data.type}'"
            raise I2IError("E_RECIPE", message)
        _check_role("generator", recipe.generator.type)
        _check_role("discriminator", recipe.discriminator.type)
        torch.manual_seed(recipe.training.seed)
        parts = Parts(
            source_planes=0 if data.source_pixels is None else data.source_pixels.planes,
            target_planes=data.target_pixels.planes,
            generator=partial(_generator, recipe.generator),
            discriminator=partial(_discriminator, recipe.discriminator),
            objective=lambda: _made(OBJECTIVES, recipe.objective),
            stabilisers=lambda: [_made(STABILISERS, settings) for settings in recipe.stabilisers],
            condition_numbers=len(data.condition.names) if data.condition else 0,
            condition=data.condition,
            label_sets=data.label_sets,
        )
        with _refusals("method", recipe.method):
            method: Method = kind(parts, **arguments(recipe.method))
        _check_order(recipe)
        _check_sources(method, recipe)
        self._check_size(method)
        return method

    def check_labels(self) -> None:
        """Raise `I2IError` (E_BAD_DATA) for training pictures of an unknown domain that the method cannot use."""
        recipe = self.recipe
        if not METHODS[recipe.method.type].every_label:
            return
        samples = self.data().training_set(value_range=self.value_range, seed=recipe.training.seed)
        if isinstance(samples, ConditionedFolder) and samples.unlabelled:
            message = f"method '{recipe.method.type}' needs the domain of every picture; take out the folder"
            raise I2IError("E_BAD_DATA", f"{message} {UNLABELLED}, and data.labelled_per_domain", path=recipe.data.root)

    @property
    def value_range(self) -> tuple[float, float]:
        """Between which values the networks' planes lie."""
        low, high = ImageCard.model_fields["value_range"].default
        return low, high

    def cards(self, method: Method, *, name: str) -> dict[str, ImageCard]:
        """What the finished model of each direction says of itself."""
        return {direction: self._card(method, direction, name=name) for direction in method.generators()}

    def _card(self, method: Any, direction: str, *, name: str) -> ImageCard:
        recipe, data = self.recipe, self.data()
        generator: Any = method.generators()[direction]
        sides = {"source": data.source_pixels, "target": data.target_pixels, "latent": None}
        source, target = (sides[side] for side in method.directions[direction])
        assert target is not None  # nothing ends in noise
        planes = generator.latent_channels - more_latent(generator) if source is None else source.planes
        condition = method.condition(data.condition)
        supplied = {"in_channels": planes, "out_channels": target.planes}
        if hasattr(generator, "condition_channels"):
            supplied["condition_channels"] = generator.condition_channels
        return ImageCard(
            name=recipe.name or name,
            **({} if source is None else {"source": source}),
            target=target,
            latent=method.latent_channels if source is None else None,
            condition=condition,
            drawing=data.drawing,
            sizing=self._sizing(generator, data, from_noise=source is None),
            network=method.shipped(
                network_spec(recipe.generator, **supplied), discriminator=network_spec(recipe.discriminator)
            ),
            method=recipe.method.type,
            recipe_digest=digest(recipe),
            licence=recipe.licence,
            training_data=recipe.training_data,
            version=i2i.__version__,
        )

    def loop_options(self) -> LoopOptions:
        """The loop's share of the training options."""
        return LoopOptions(**_only(dict(self.recipe.training), LoopOptions))

    def optimisers(self, method: Method) -> dict[str, OptimiserSettings]:
        """Each player's optimiser settings. Raises `I2IError` (E_RECIPE) for a rate of a player that is not there."""
        optimiser = self.recipe.optimiser
        players = list(method.players())
        for name in optimiser.rates:
            if name not in players:
                raise I2IError("E_RECIPE", f"optimiser.rates names '{name}'; the players are {', '.join(players)}")
        shared = {name: getattr(optimiser, name) for name in ("type", "beta1", "beta2", "fused")}
        rates = {name: optimiser.rates.get(name, optimiser.learning_rate) for name in players}
        return {name: OptimiserSettings(learning_rate=rate, **shared) for name, rate in rates.items()}

    def _sizing(self, generator: Any, data: DataSource, *, from_noise: bool) -> Sizing:
        rule = self.recipe.sizing.rule
        if from_noise:
            if rule not in ("auto", "fixed"):
                raise I2IError("E_RECIPE", f"sizing.rule {rule}: pictures from noise have one size; leave it at auto")
            rule = "fixed"
        elif rule == "pad" and getattr(generator, "size", None) is not None:
            message = "sizing.rule pad: this generator takes one size alone; take resize, or leave it at auto"
            raise I2IError("E_RECIPE", message)
        elif getattr(generator, "size_matters", False):
            if rule == "pad":
                message = "this generator does not give the same at another size than the training's; take resize, or"
                raise I2IError("E_RECIPE", f"sizing.rule pad: {message} leave it at auto")
            rule = "fixed" if rule == "auto" else rule
        elif rule == "auto":
            sized = getattr(generator, "size", None) is not None
            rule = "pad" if data.augmentation.mode == "crop" and not sized else "resize"
        multiple, minimum = generator.multiple, generator.minimum
        if rule == "pad":
            return Sizing(rule="pad", multiple=multiple, minimum=minimum)
        height, width = data.augmentation.shape
        return Sizing(rule=rule, multiple=multiple, minimum=minimum, width=width, height=height)

    def _check_size(self, method: Method) -> None:
        """The training size must fit every network that takes part; the error says which size does."""
        shape = self.data().augmentation.shape
        other = method.other_sizes()  # the method has looked at these itself
        players = {name: part for name, part in method.players().items() if name not in other}
        # Players first: what is shipped may hold a critic, and the message is to name the critic.
        for name, part in [*players.items(), *method.generators().items()]:
            role = "generator" if name in method.generators() else name
            for network in _with_sizes(part):
                _check_fit(network, shape, role=role, multiple=network.multiple, minimum=network.minimum)


def _with_sizes(part: Any) -> Iterator[Any]:
    """The networks of a part that say which sizes they take; what is inside of one is that one's business."""
    if isinstance(getattr(part, "multiple", None), int):
        yield part
    else:
        for child in part.children():
            yield from _with_sizes(child)


def _check_fit(network: Any, shape: tuple[int, int], *, role: str, multiple: int, minimum: int) -> None:
    """Raise `I2IError` (E_SIZE) unless a network takes, or from noise makes, pictures (height, width)."""
    size = getattr(network, "size", None)
    came = f"data.augmentation.size {shape[1]}x{shape[0]}"
    if isinstance(size, int):
        if shape != (size, size):
            message = f"{came} does not fit the {role}, which knows {size}x{size} alone; set its `size`, or the data's"
            raise I2IError("E_SIZE", message)
        return
    fits = [fitting(side, multiple=multiple, minimum=minimum) for side in shape]
    if fits != list(shape):
        message = (
            f"{came} does not fit the {role}, which takes multiples of {multiple} from {minimum} on; "
            f"the next that fits is {fits[1]}x{fits[0]}"
        )
        raise I2IError("E_SIZE", message)


def _check_order(recipe: Any) -> None:
    """Looking ahead takes turns in pairs, which a stabiliser that leaves turns out would tear apart."""
    skipping = [part.type for part in recipe.stabilisers if not _made(STABILISERS, part).generator_plays(1)]
    if recipe.optimiser.order == "extragradient" and skipping:
        message = f"optimiser.order extragradient needs a turn of both players in every step; take out '{skipping[0]}'"
        raise I2IError("E_RECIPE", message)


def _check_sources(method: Method, recipe: Any) -> None:
    """A generator takes noise where its direction starts from noise, and there alone. Raises `I2IError` (E_RECIPE)."""
    for direction, generator in method.generators().items():
        noise = method.directions[direction][0] == "latent"
        if noise != hasattr(generator, "latent_channels"):
            wanted, taken = ("noise", "pictures") if noise else ("pictures", "noise")
            message = f"method '{recipe.method.type}' needs a generator from {wanted}"
            raise I2IError("E_RECIPE", f"generator.type: '{recipe.generator.type}' takes {taken}; {message}")


def _made(table: Table, settings: Any, **supplied: int) -> Any:
    with _refusals(table.kind, settings):
        return table[settings.type](**{**arguments(settings), **supplied})


def _generator(settings: Any, planes: int, out: int, *, condition_channels: int | None = None) -> Any:
    """The recipe's generator, told of a condition where the method has one for it."""
    told = _told("generator", settings, condition_channels)
    return _made(NETWORKS, settings, in_channels=planes, out_channels=out, **told)


def _discriminator(
    settings: Any, planes: int, *, size: int | None = None, condition_channels: int | None = None
) -> Any:
    """The recipe's discriminator; one that knows a single size may be wanted for another than the recipe's."""
    sized = {} if size is None or not hasattr(settings, "size") else {"size": size}
    told = _told("discriminator", settings, condition_channels)
    return _made(NETWORKS, settings, in_channels=planes, **sized, **told)


def _told(role: str, settings: Any, condition_channels: int | None) -> dict[str, int]:
    """The numbers of a condition for a network that knows conditions. Raises `I2IError` (E_RECIPE) for another one."""
    knowing = [name for name in NETWORKS if _knows_conditions(name, role=role)]
    if (settings.type in knowing) == (condition_channels is not None):
        return {} if condition_channels is None else {"condition_channels": condition_channels}
    if condition_channels is None:
        message = f"{role}.type: '{settings.type}' needs domains or attributes, and this method has none"
        raise I2IError("E_RECIPE", message)
    message = f"{role}.type: '{settings.type}' knows no domains or attributes, which this method needs"
    raise I2IError("E_RECIPE", f"{message}; known: {', '.join(knowing)}")


def _knows_conditions(name: str, *, role: str) -> bool:
    parameters = inspect.signature(NETWORKS[name]).parameters
    return "condition_channels" in parameters and ("out_channels" in parameters) == (role == "generator")


@contextmanager
def _refusals(kind: str, settings: Any) -> Iterator[None]:
    """What a part says against its settings, as `I2IError` (E_RECIPE)."""
    try:
        yield
    except ValueError as error:
        raise I2IError("E_RECIPE", f"{kind} '{settings.type}': {error}") from None


def _check_role(role: str, name: str) -> None:
    """Generators are told how many channels come out, discriminators are not. Raises `I2IError` (E_RECIPE)."""
    generates = {network: "out_channels" in inspect.signature(NETWORKS[network]).parameters for network in NETWORKS}
    fits = [network for network in NETWORKS if generates[network] == (role == "generator")]
    if name not in fits:
        raise I2IError("E_RECIPE", f"{role}.type: '{name}' is no {role}; known: {', '.join(fits)}")


def _only(values: Mapping[str, Any], function: Any) -> dict[str, Any]:
    return {name: values[name] for name in inspect.signature(function).parameters if name in values}
