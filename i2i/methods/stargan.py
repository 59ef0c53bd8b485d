"""StarGAN: one generator that translates between many domains, or changes attributes.

Choi et al. 2018, "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation", arXiv
1711.09020, section 3.1, equations 1 to 6. The game of section 3.3 (Wasserstein with a gradient penalty, five steps of
the critic to one of the generator) is a choice of the preset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from i2i.adversarial.duel import Duel
from i2i.adversarial.objectives.objective import Judged
from i2i.adversarial.stabilisers.stabiliser import Stabiliser
from i2i.data.conditioned import ConditionedBatch
from i2i.errors import I2IError
from i2i.images.card import Condition, NetworkSpec
from i2i.losses.classification import labels_cross_entropy
from i2i.losses.precision import at_least_float32
from i2i.losses.reconstruction import l1
from i2i.methods.method import Engine, Method, Side
from i2i.methods.parts import Parts
from i2i.networks.attribute_editor import Editor
from i2i.networks.layers.beside import numbers
from i2i.networks.layers.label_sets import LabelSet, mask, vector, width


class StarGAN(Method):
    """A generator G(x, c), and a critic that scores pictures and tells their domains or attributes.

    Each step trains the critic and then, if it has a turn, the generator, on the same translations, which were asked
    for the conditions of the batch in another order (section 4.3). The critic minimises its adversarial losses and
    `classification_weight` * the classification of the real pictures (equations 2 and 5; lambda = 1), the generator its
    adversarial loss, `classification_weight` * that of its translations (equations 3 and 6) and `reconstruction_weight`
    * L1 between a picture and its way there and back (equation 4; lambda = 10). A weight of 0 leaves a loss out.

    Domains exclude each other (cross entropy of a softmax); attributes are a yes or no each (of sigmoids, summed over
    the attributes). Data of several sets of labels are told apart by the mask vector (section 3.2): a picture is asked
    for labels of its own set, and the critic learns from those alone (`layers/label_sets.py`).

    `differences`: the generator is told the labels asked for less those that the picture has (Liu et al. 2019, "STGAN",
    arXiv 1904.09709, section 3.1) in place of the labels asked for, so it need not find out what is there already, and
    a vector of zeros asks for the picture itself. For attributes alone: those that a picture has are read off it.

    `conditional`: the critic sees the domain that a picture should be of beside it, as a CGAN's does (Mirza and
    Osindero 2014, arXiv 1411.1784): it asks whether a picture looks like those of that domain, where a classifier,
    which learns from real pictures alone, also takes textures for a domain that none of its pictures has. For domains
    alone, and in place of classifying (a `classification_weight` of 0), unless the critic has `branches`, whose layers
    do not see the domain: then it does both.

    What is shipped of domains is the generator. With attributes it is an `attribute_editor`, which reads those that
    are to stay off the picture by the critic's classifier: the critic is then part of the model, and of its size.

    Raises ValueError for data without either, for attributes that are more than a yes or no, for a stabiliser that
    shows the critic several pictures in one, with attributes for one that changes the critic's layers, for
    `differences` of domains, for `conditional` with attributes, or with a classification but without branches, and for
    branches that are not `conditional`.
    """

    batch_type: ClassVar[type[ConditionedBatch]] = ConditionedBatch
    directions: ClassVar[dict[str, tuple[Side, Side]]] = {"a2b": ("target", "target")}
    every_label: ClassVar[bool] = True

    def __init__(
        self,
        parts: Parts,
        *,
        classification_weight: float = 1.0,
        reconstruction_weight: float = 10.0,
        differences: bool = False,
        conditional: bool = False,
    ) -> None:
        super().__init__()
        if classification_weight < 0 or reconstruction_weight < 0:
            came = f"classification {classification_weight}, reconstruction {reconstruction_weight}"
            raise ValueError(f"weights are not negative, got {came}")
        condition = _checked(parts.condition)
        planes, classes = parts.target_planes, len(condition.names)
        domains = condition.kind == "domains"
        if differences and domains:
            raise ValueError("what is shipped of domains cannot tell a picture's own; leave differences out")
        if conditional and not domains:
            raise ValueError("what is shipped of attributes reads them with the critic; leave conditional out")
        self.sets = tuple(parts.label_sets) or (LabelSet(classes, exclusive=domains),)
        self.generator = parts.generator(planes, planes, condition_channels=width(self.sets))
        knowing = replace(parts, discriminator=partial(parts.discriminator, condition_channels=classes))
        self.duel: Duel = knowing.duel(planes + classes * conditional, generator=self.generator)
        branches = bool(getattr(self.duel.discriminator, "condition_planes", 0))
        if branches and not conditional:
            raise ValueError(
                "a critic with branches is told the domain: set method.conditional true, or branches false"
            )
        if conditional and classification_weight and not branches:
            message = "a critic that sees the domain cannot learn to tell it: set method.classification_weight 0"
            raise ValueError(f"{message}, or discriminator.branches true, which score by the domain and do not see it")
        _check_stabilisers(self.duel.stabilisers, reading=not domains)
        self.classification_weight = classification_weight
        self.reconstruction_weight = reconstruction_weight
        # In a tuple, so that nothing is stored twice: its weights are the generator's and the critic's.
        self.groups = tuple(tuple(map(condition.names.index, group)) for group in condition.exclusive_groups)
        self.differences = differences
        self.conditional = conditional
        networks = self.generator, self.duel.discriminator
        self._editor = () if domains else (Editor(*networks, self.sets, self.groups, differences=differences),)

    def players(self) -> dict[str, nn.Module]:
        """Generator and critic."""
        return {"generator": self.generator, "discriminator": self.duel.discriminator}

    def generators(self) -> dict[str, nn.Module]:
        """The one translator."""
        return {"a2b": self._editor[0] if self._editor else self.generator}

    def condition(self, data: Condition | None) -> Condition | None:
        """What the data are labelled with."""
        return data

    def shipped(self, generator: NetworkSpec, *, discriminator: NetworkSpec) -> NetworkSpec:
        """Of attributes the editor, made of both networks."""
        if not self._editor:
            return generator
        options = dict(generator.arguments)
        supplied = {name: options.pop(name) for name in ("in_channels", "out_channels", "condition_channels")}
        reader = {name: v for name, v in discriminator.arguments.items() if name not in supplied}
        arguments = {
            "generator": {"type": generator.type, **options},
            "reader": {"type": discriminator.type, **reader},
            "label_sets": [list(labels) for labels in self.sets],
            "groups": [list(group) for group in self.groups],
            **({"differences": True} if self.differences else {}),
            **supplied,
        }
        return NetworkSpec(type="attribute_editor", arguments=arguments)

    def training_step(self, batch: ConditionedBatch, engine: Engine) -> dict[str, Tensor]:
        """Translate, train the critic and then the generator."""
        real = batch.image
        present = self._labels(batch)
        order = shuffled(mask(present, self.sets))
        wanted = present[order]
        # A conditional critic sees the real pictures whose domains were asked for, in that order.
        known = real[order] if self.conditional else real
        shown = self._shown(wanted, real)
        generator_plays = self.duel.generator_plays()

        with engine.forward(), torch.set_grad_enabled(generator_plays):
            fake = self.generator(real, self._told(wanted, present))

        with engine.turn("discriminator", stepped=lambda: self.duel.stepped("discriminator")) as turn:
            losses, logs = self.duel.discriminator_losses(
                known,
                fake,
                condition=shown,
                further=lambda real, fake: self._class_loss("d_class", real, wanted if self.conditional else present),
            )
            logs |= turn.minimise(losses)

        if generator_plays:
            with engine.turn("generator", stepped=lambda: self.duel.stepped("generator")) as turn:
                losses = self.duel.generator_losses(
                    fake,
                    real=known,
                    condition=shown,
                    further=lambda fake: self._class_loss("g_class", fake, wanted),
                )
                if self.reconstruction_weight:
                    again = at_least_float32(self.generator(fake, self._told(present, wanted)))
                    losses["g_reconstruction"] = self.reconstruction_weight * l1(again, real)
                logs |= turn.minimise(losses)
        return logs

    def _told(self, wanted: Tensor, present: Tensor) -> Tensor:
        """What the generator is told to get from the labels `present` to those `wanted`, (N, K) both."""
        return vector(wanted - present if self.differences else wanted, self.sets)

    def _shown(self, wanted: Tensor, pictures: Tensor) -> Tensor | None:
        """What the critic sees beside pictures (N, C, H, W): planes (N, K, H, W) of the labels (N, K), if anything."""
        return wanted[:, :, None, None].expand(-1, -1, *pictures.shape[2:]) if self.conditional else None

    def _labels(self, batch: ConditionedBatch) -> Tensor:
        """The labels (N, K) of a batch; of domains one is 1. Raises `I2IError` (E_BAD_DATA) for an unknown domain."""
        if batch.condition.is_floating_point():
            return batch.condition
        if bool((batch.condition < 0).any()):
            message = "stargan needs the domain of every picture; take out the folder unlabelled"
            raise I2IError("E_BAD_DATA", f"{message}, and data.labelled_per_domain")
        return numbers(batch.condition, self.sets[0].size, like=batch.image)

    def _class_loss(self, name: str, judged: Judged, labels: Tensor) -> dict[str, Tensor]:
        """How far the critic's word on pictures is from their labels, or from those they were asked for."""
        if not self.classification_weight:
            return {}
        assert judged.output.classes is not None  # the critic has the head
        loss = labels_cross_entropy(at_least_float32(judged.output.classes), labels, self.sets)
        return {name: self.classification_weight * loss}


def shuffled(sets: Tensor) -> Tensor:
    """An order of the rows, int64 (N,), in which each comes to a place of its own set: bool (N, sets) says of which it
    is. Drawn anew at each call.
    """
    number = sets.to(torch.int64).argmax(1)
    drawn = torch.randperm(len(number), device=number.device)
    order = torch.empty_like(drawn)
    order[number.argsort(stable=True)] = drawn[number[drawn].argsort(stable=True)]
    return order


def _checked(condition: Condition | None) -> Condition:
    """Raise ValueError for data that this method cannot learn from."""
    if condition is None:
        raise ValueError("StarGAN needs data with domains or attributes")
    more = [name for name, ends in zip(condition.names, condition.ranges, strict=False) if ends != (0.0, 1.0)]
    if more:
        message = f"is more than a yes or no: leave {', '.join(more)} out of data.attributes"
        raise ValueError(f"an attribute of StarGAN's {message}")
    return condition


def _check_stabilisers(stabilisers: Sequence[Stabiliser], *, reading: bool) -> None:
    """Raise ValueError for one that does not go with conditions, or with a critic whose classifier is shipped."""
    if any(stabiliser.packed > 1 for stabiliser in stabilisers):
        raise ValueError("each picture has a condition of its own; leave out the stabiliser packing")
    plain = Stabiliser.discriminator_network
    changing = [type(part).__name__ for part in stabilisers if type(part).discriminator_network is not plain]
    if reading and changing:
        message = f"with attributes the critic's classifier is part of the model, and {', '.join(changing)} changes it"
        raise ValueError(f"{message}; leave it out of the stabilisers")
