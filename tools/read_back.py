"""Can a class-conditional generator's pictures be read, and do they teach a classifier to read real ones?

usage: python tools/read_back.py MODEL [MODEL ...] --data DIR [--count N] [--seed S]

DIR holds train/<domain>/* and test/<domain>/*, the domains those of the model. For every model one line:
  read    a classifier that learnt from the real training pictures: how many of the samples it reads as asked for
  teach   a classifier that learnt from N samples of each domain: how many of the real test pictures it reads
          (Shmelkov et al. 2018, arXiv 1807.09499, call the two GAN-test and GAN-train)
  spread  mean distance between samples of one domain, over that between real pictures of it
Beside them, what learning from real pictures gives, and what the mean pictures of the domains give as a classifier.
The classifier is a support vector machine on pixels; needs scikit-learn.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import i2i
from i2i.images.codec import list_images, read
from i2i.runtime.sampler import Sampler

Pictures = NDArray[np.float32]  # [N, values], 0..1
Labels = NDArray[np.int64]

MOST_DISTANCES = 200  # pictures of a domain whose distances are taken


def real(root: Path, split: str, sampler: Sampler) -> tuple[Pictures, Labels]:
    """The pictures of a split, as flat rows, with the number of their domain."""
    condition = sampler.card.condition
    assert condition is not None
    found = [
        (read(folder / name, colour=sampler.card.target.colour).pixels, number)
        for number, domain in enumerate(condition.names)
        for folder in [root / split / domain]
        for name in list_images(folder)
    ]
    return flat(np.stack([picture for picture, _ in found])), np.array([number for _, number in found])


def made(sampler: Sampler, count: int, seed: int) -> tuple[Pictures, Labels]:
    """`count` samples of every domain."""
    condition = sampler.card.condition
    if condition is None or condition.kind != "domains":
        raise SystemExit(f"model '{sampler.card.name}' has no domains to ask for")
    labels = np.repeat(np.arange(len(condition.names)), count)
    return flat(sampler.apply(sampler.latents(len(labels), seed=seed), domain=labels)), labels


def flat(pictures: NDArray[np.uint8]) -> Pictures:
    """uint8 [N, H, W, C] as rows of 0..1."""
    return pictures.reshape(len(pictures), -1).astype(np.float32) / np.float32(255)


def classifier(pictures: Pictures, labels: Labels) -> Any:
    """A support vector machine that has learnt."""
    from sklearn.svm import SVC

    return SVC(C=10.0, gamma="scale").fit(pictures, labels)


def spread(pictures: Pictures, labels: Labels) -> float:
    """The mean distance between two pictures of one domain, averaged over the domains."""
    means = []
    for number in np.unique(labels):
        some = pictures[labels == number][:MOST_DISTANCES].astype(np.float64)
        lengths = (some**2).sum(1)
        distances = np.sqrt(np.maximum(lengths[:, None] + lengths[None] - 2 * some @ some.T, 0))
        means.append(distances.sum() / (len(some) * (len(some) - 1)))
    return float(np.mean(means))


def by_means(pictures: Pictures, labels: Labels, test: Pictures, test_labels: Labels) -> float:
    """How many of the test pictures are nearest to their own domain's mean picture."""
    means = np.stack([pictures[labels == number].mean(0) for number in np.unique(labels)])
    nearest = ((test[:, None] - means[None]) ** 2).sum(2).argmin(1)
    return float((nearest == test_labels).mean())


def judged(sampler: Sampler, root: Path, *, count: int, seed: int) -> dict[str, float]:
    """What `count` samples of every domain are worth, and what real pictures and their means are."""
    samples, asked = made(sampler, count, seed)
    train, labels = real(root, "train", sampler)
    test, test_labels = real(root, "test", sampler)
    taught_by_real = classifier(train, labels)
    return {
        "read": float(taught_by_real.score(samples, asked)),
        "teach": float(classifier(samples, asked).score(test, test_labels)),
        "spread": spread(samples, asked) / spread(train, labels),
        "real_teach": float(taught_by_real.score(test, test_labels)),
        "means_teach": by_means(train, labels, test, test_labels),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=int, default=200, metavar="N", help="samples of a domain (default: 200)")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    options = parser.parse_args()
    print("| model | read | teach | spread | real pictures teach | their means |\n|---|---|---|---|---|---|")
    for model in options.models:
        sampler = i2i.load(model)
        if not isinstance(sampler, Sampler):
            raise SystemExit(f"{model} translates pictures and makes none from noise")
        found = judged(sampler, options.data, count=options.count, seed=options.seed)
        print(f"| {model} | {' | '.join(f'{value:.3f}' for value in found.values())} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
