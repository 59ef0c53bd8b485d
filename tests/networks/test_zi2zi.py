"""zi2zi's networks: styles by number and by weights, what the embedding is, and its places in the network."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from i2i.networks.zi2zi import Zi2ZiCritic, Zi2ZiGenerator


def generator(**options: Any) -> Zi2ZiGenerator:
    torch.manual_seed(0)
    return Zi2ZiGenerator(**{"condition_channels": 3, "channels": 4, "depth": 3, "embedding_channels": 6, **options})


def glyphs(count: int = 3, side: int = 8) -> torch.Tensor:
    return torch.randn(count, 1, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("depth", "count"), [(6, 47_320_449), (7, 66_983_297), (8, 86_646_145)])
def test_the_generators_have_the_documented_numbers_of_parameters(depth: int, count: int) -> None:
    with torch.device("meta"):
        made = Zi2ZiGenerator(depth=depth, condition_channels=6)
    assert sum(parameter.numel() for parameter in made.parameters()) == count


def test_the_critic_has_the_documented_number_of_parameters() -> None:
    # 5x5: 2 -> 64 with bias; 64 -> 128 -> 256 -> 512 without, with batch norm; heads of 8x8 for 1 and 6 numbers.
    layers = 25 * (2 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 64 + 2 * (128 + 256 + 512) + (64 * 512 + 1) * 7
    critic = Zi2ZiCritic(size=64, condition_channels=6)
    assert sum(parameter.numel() for parameter in critic.parameters()) == layers == 4_535_239


@pytest.mark.parametrize("side", [64, 128, 256])
def test_the_code_of_a_picture_of_the_full_depth_is_one_place(side: int) -> None:
    made = Zi2ZiGenerator(channels=1, depth=side.bit_length() - 1).eval()
    with torch.no_grad():
        assert made.encode(torch.zeros(1, 1, side, side))[-1].shape == (1, 8, 1, 1)
        assert made(torch.zeros(1, 1, side, side), torch.tensor([1])).shape == (1, 1, side, side)


@pytest.mark.parametrize("style_norm", [False, True])
def test_a_style_by_number_is_the_mixture_with_all_weight_on_it_to_the_bit(style_norm: bool) -> None:
    made = generator(style_norm=style_norm).eval()
    with torch.no_grad():
        by_number = made(glyphs(), torch.tensor([2, 0, 1]))
        by_weight = made(glyphs(), torch.eye(3)[[2, 0, 1]])
    assert torch.equal(by_number, by_weight)


def test_a_mixture_has_the_mean_of_the_embeddings() -> None:
    made = generator()
    weights = torch.tensor([[0.25, 0.75, 0.0]])
    expected = 0.25 * made.embedding.rows[0] + 0.75 * made.embedding.rows[1]
    torch.testing.assert_close(made.embedding(weights)[0], expected)


def test_fixed_embeddings_are_small_numbers_that_nothing_trains_and_learned_ones_are_weights() -> None:
    fixed = generator(condition_channels=100, embedding_channels=128)
    assert "embedding.rows" not in dict(fixed.named_parameters())
    assert "embedding.rows" in fixed.state_dict()
    # 12,800 numbers from N(0, 0.01): the deviation of their deviation is below 1 %.
    assert fixed.embedding.rows.std().item() == pytest.approx(0.01, rel=0.03)
    assert "embedding.rows" in dict(generator(embedding="learned").named_parameters())


@pytest.mark.parametrize("options", [{}, {"style_norm": True}, {"embedding": "learned"}, {"norm": "instance"}])
def test_the_style_reaches_the_picture_and_not_the_code(options: dict[str, Any]) -> None:
    made = generator(**options).eval()
    with torch.no_grad():
        made.embedding.rows.mul_(100)
        code = made.encode(glyphs())[-1]
        first, second = (made(glyphs(), torch.full((3,), number)) for number in (0, 1))
        assert torch.equal(code, made.encode(glyphs())[-1])
    assert (first - second).abs().max() > 1e-4


def test_a_smaller_kernel_keeps_the_sizes() -> None:
    made = generator(kernel=4).eval()
    assert made(glyphs(side=16), torch.zeros(3, dtype=torch.int64)).shape == (3, 1, 16, 16)


def test_the_critic_gives_a_score_and_a_logit_for_each_style() -> None:
    output = Zi2ZiCritic(in_channels=2, condition_channels=5, size=16, channels=2)(torch.randn(3, 2, 16, 16))
    assert output.score.shape == (3, 1, 1, 1)
    assert output.classes is not None and output.classes.shape == (3, 5)
    assert [tuple(f.shape[1:]) for f in output.features] == [(2, 8, 8), (4, 4, 4), (8, 2, 2), (16, 2, 2)]


@pytest.mark.parametrize(
    ("options", "said"), [({"depth": 1}, "depth of at least 2"), ({"embedding": "free"}, "one of fixed, learned")]
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        generator(**options)
    with pytest.raises(ValueError, match="multiple of 8, got 20"):
        Zi2ZiCritic(size=20)
