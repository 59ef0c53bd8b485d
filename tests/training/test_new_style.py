"""One more font for a finished model: what changes, what stays to the bit, and what is learnt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from i2i.errors import I2IError
from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.networks.unet import UNet
from i2i.networks.zi2zi import Zi2ZiGenerator
from i2i.training.new_style import grown, learn_last_style

GRAY = Pixels(colour="gray")


def model(**options: Any) -> tuple[Zi2ZiGenerator, ImageCard]:
    """A tiny finished model of two fonts, whose styles differ."""
    torch.manual_seed(0)
    arguments = {"condition_channels": 2, "channels": 4, "depth": 3, "embedding_channels": 6, **options}
    generator = Zi2ZiGenerator(**arguments).eval()
    with torch.no_grad():
        generator.embedding.rows.normal_()
        for weight in generator.parameters():
            if weight.ndim == 4:
                weight.mul_(8)  # so that a style shows in the picture
    card = ImageCard(
        name="tiny",
        source=GRAY,
        target=GRAY,
        sizing=Sizing(rule="resize", multiple=8, minimum=8, width=8, height=8),
        condition=Condition(kind="domains", names=("one", "two"), mixed=True),
        network=NetworkSpec(type="zi2zi", arguments=arguments),
        method="zi2zi",
    )
    return generator, card


def pairs(count: int = 6) -> list[tuple[np.ndarray, np.ndarray]]:
    """Bars, and the same bars one pixel further down."""
    found = []
    for number in range(count):
        source = np.full((8, 8, 1), 255, np.uint8)
        source[number % 6, 1:7] = 0
        found.append((source, np.roll(source, 1, axis=0)))
    return found


def written(generator: Zi2ZiGenerator, styles: list[int]) -> torch.Tensor:
    planes = torch.randn(len(styles), 1, 8, 8, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        by_number: torch.Tensor = generator(planes, torch.tensor(styles))
        weights = torch.eye(generator.condition_channels)[styles]
        return torch.cat((by_number, generator(planes, weights)))


def keep(losses: list[float]) -> Callable[[int, float], None]:
    return lambda step, loss: losses.append(loss)


KINDS = [{}, {"embedding": "learned"}, {"style_norm": True}]


@pytest.mark.parametrize("options", KINDS)
def test_the_old_fonts_are_the_same_to_the_bit_after_a_row_is_learnt(options: dict[str, Any]) -> None:
    generator, card = model(**options)
    before = written(generator, [0, 1])
    made, told = grown(generator, card, "three")
    assert torch.equal(written(made, [0, 1]), before)
    losses: list[float] = []
    learn_last_style(made, told, pairs(), steps=20, batch_size=6, said=keep(losses))
    assert torch.equal(written(made, [0, 1]), before)
    assert losses[-1] < losses[0]
    changed = [n for n, old in generator.state_dict().items() if made.state_dict()[n].shape == old.shape]
    assert all(torch.equal(made.state_dict()[name], generator.state_dict()[name]) for name in changed)


def test_a_new_style_begins_as_the_mean_of_the_others() -> None:
    made, _ = grown(*model(), "three")
    torch.testing.assert_close(made.embedding.rows[2], made.embedding.rows[:2].mean(0))
    planes = torch.randn(1, 1, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(made(planes, torch.tensor([2])), made(planes, torch.tensor([[0.5, 0.5, 0.0]])))


def test_with_the_decoder_the_encoder_and_the_old_rows_stay_and_more_is_learnt() -> None:
    generator, card = model()
    losses: dict[str, list[float]] = {"row": [], "decoder": []}
    for learn in ("row", "decoder"):
        made, told = grown(generator, card, "three")
        learn_last_style(
            made, told, pairs(), learn=learn, steps=30, batch_size=6, learning_rate=1e-2, said=keep(losses[learn])
        )
    assert losses["decoder"][-1] < losses["row"][-1] < losses["row"][0]
    state, old = made.state_dict(), generator.state_dict()
    assert all(torch.equal(state[name], old[name]) for name in old if name.startswith("encoder"))
    assert torch.equal(state["embedding.rows"][:2], old["embedding.rows"])
    assert not torch.equal(written(made, [0]), written(generator, [0]))


def test_what_is_learnt_is_a_function_of_the_seed() -> None:
    def learnt(seed: int) -> torch.Tensor:
        made, told = grown(*model(), "three")
        learn_last_style(made, told, pairs(), steps=3, batch_size=2, seed=seed)
        return made.embedding.rows[2]

    assert torch.equal(learnt(0), learnt(0))
    assert not torch.equal(learnt(0), learnt(1))


def test_the_card_names_the_new_font_and_its_network_can_be_built_again() -> None:
    made, told = grown(*model(), "three")
    assert told.condition == Condition(kind="domains", names=("one", "two", "three"), mixed=True)
    assert told.network.arguments["condition_channels"] == 3
    Zi2ZiGenerator(**told.network.arguments).load_state_dict(made.state_dict())


def test_a_model_of_another_kind_a_name_that_is_taken_and_no_glyphs_are_refused() -> None:
    generator, card = model()
    with pytest.raises(I2IError, match="writes 'two' already"):
        grown(generator, card, "two")
    with pytest.raises(I2IError, match="is no zi2zi"):
        grown(UNet(channels=2, depth=2), card, "three")
    with pytest.raises(ValueError, match="from at least one glyph"):
        learn_last_style(*grown(generator, card, "three"), [])
