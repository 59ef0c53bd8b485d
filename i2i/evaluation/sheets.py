"""Sheets of generated pictures that show what the noise decides and what the domain, and sums of noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from i2i.evaluation.grids import INK, PAPER, Picture, grid
from i2i.runtime.arithmetic import Term, combined, mean, neighbours
from i2i.runtime.conditions import Asked, Attributes, ends
from i2i.runtime.sampler import Latents, Sampler


def by_domain(sampler: Sampler, latents: Latents, domains: Sequence[str]) -> Picture:
    """A row for each latent [N, Z], a column for each domain under its name: along a row the noise is the same."""
    repeated = np.repeat(latents, len(domains), axis=0)
    made = sampler(repeated, domain=[*domains] * len(latents))
    return grid([list(made[start : start + len(domains)]) for start in range(0, len(made), len(domains))], domains)


def arithmetic(sampler: Sampler, terms: Sequence[Term], latents: Latents, wanted: Asked, *, seed: int) -> Picture:
    """What a formula makes of the pictures of `latents` [N, Z], which are told what is `wanted` of them.

    Radford et al. 2016, arXiv 1511.06434, section 6.3.2 and figure 7. A column for each term: its pictures, and at the
    bottom, behind the term's sign, that of their mean latent. Behind = a block of 3x3: the result in the middle, around
    it the pictures of its `neighbours`. Attributes are averaged and summed as latents are, and kept in their ranges.
    """
    operands = [sampler.apply(latents[term.rows], **wanted.rows(term.rows)._asdict()) for term in terms]
    means = np.stack([mean(term, latents) for term in terms])
    results = np.concatenate([means, neighbours(combined(terms, latents), seed=seed)])
    made = sampler.apply(results, **_of_results(sampler, terms, wanted, len(results))._asdict())
    block = made[len(terms) :]
    height, width = made.shape[1:3]
    depth = max(3, 1 + max(len(pictures) for pictures in operands))
    blank = np.full((height, width, 3), PAPER, np.uint8)
    columns: list[list[Picture]] = []
    for number, term in enumerate(terms):
        if number:
            columns.append(_bottom([_sign("+" if term.sign > 0 else "-", blank)], depth, blank))
        pictures = [*operands[number]]
        columns.append([*pictures, *[blank] * (depth - 1 - len(pictures)), made[number]])
    columns.append(_bottom([_sign("=", blank)], depth, blank))
    columns += [_bottom(list(block[column::3]), depth, blank) for column in range(3)]
    return grid([[column[row] for column in columns] for row in range(depth)])


def _of_results(sampler: Sampler, terms: Sequence[Term], wanted: Asked, count: int) -> Asked:
    """What the means and the results are to be: all of the one domain, or sums of attributes."""
    if wanted.condition is None:
        return wanted.rows([0] * count)  # the one domain, or nothing
    of_means = [mean(term, wanted.condition) for term in terms]
    assert sampler.card.condition is not None  # or nothing would be wanted
    low, high = ends(sampler.card.condition)
    result: Attributes = np.clip(combined(terms, wanted.condition), low, high).astype(np.float32)
    return Asked(condition=np.stack([*of_means, *[result] * (count - len(terms))]))


def _bottom(pictures: list[Picture], depth: int, blank: Picture) -> list[Picture]:
    return [*[blank] * (depth - len(pictures)), *pictures]


def _sign(text: str, blank: Picture) -> Picture:
    image = Image.fromarray(blank)
    height, width = blank.shape[:2]
    font = ImageFont.load_default(size=max(8, min(height, width) // 2))
    ImageDraw.Draw(image).text((width / 2, height / 2), text, fill=INK, font=font, anchor="mm")
    return np.asarray(image)
