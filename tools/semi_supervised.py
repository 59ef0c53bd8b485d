"""The bench of few labels: handwritten digits of 8 pixels, of which 5 or 20 of each kind have a label.

usage: python tools/semi_supervised.py [--csv FILE] [--rows NAME ...] [--labels N ...] [--seeds N ...]
                                                      runs what the file does not have; the tables
       python tools/semi_supervised.py --table        the tables of the results so far

Data: scikit-learn's digits (`sklearn_digits.py`): a seed draws 1,297 of them to learn from, the labelled ones among
these, and 500 to measure on. Rows, all with one perceptron, the same noise on its pictures and layers, its weights
normalised, and averaged over time:
supervised: on the labelled pictures alone. plain: `semi_supervised` on all of them, the labelled ones repeated.
feature_matching, minibatch_discrimination: the same with the stabiliser.
Beside them, on the same labels, scikit-learn's svc (SVC on labels alone, of a few C and gamma the best) and
label_spreading (LabelSpreading on all pictures, of a few gamma and neighbours the best): the best by the error on the
test pictures, which flatters the two.
Every (labels, row, seed) is a line of the CSV file, written when it is done; what is there is not run again.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from results import fill, read
from sklearn_digits import load
from torch import Tensor, nn

from i2i.adversarial.objectives.non_saturating import NonSaturating
from i2i.adversarial.stabilisers import STABILISERS
from i2i.data.conditioned import ConditionedBatch
from i2i.losses.classification import known_cross_entropy
from i2i.methods.parts import Parts
from i2i.methods.semi_supervised import SemiSupervised
from i2i.networks.mlp import MLP
from i2i.networks.mlp_critic import MLPCritic
from i2i.training import schedules
from i2i.training.averaging import Average
from i2i.training.engine import Engine
from i2i.training.optimisers import OptimiserSettings

HERE = Path(__file__).resolve().parent
TEST, CLASSES = 500, 10
STEPS, BATCH, LABELLED, CHANNELS, LAYERS, LATENT, RATE = 5000, 100, 50, 128, 3, 32, 3e-3
STABILISED: dict[str, dict[str, dict[str, Any]]] = {
    "plain": {},
    "feature_matching": {"feature_matching": {}},
    "minibatch_discrimination": {"minibatch_discrimination": {"rows": 16, "row_length": 4}},
}
REGULARISERS: dict[str, dict[str, Any]] = {
    "instance_noise": {"sigma": 0.3},
    "layer_noise": {"sigma": 0.5},
    "weight_norm": {},
}
CLASSICAL = ("svc", "label_spreading")
ROWS = ("supervised", *STABILISED, *CLASSICAL)


class Digits(NamedTuple):
    """Pictures (N, 1, 8, 8) in -1..1 and what they show (N,), which of them have a label, and those to measure on."""

    pictures: Tensor
    digits: Tensor
    labelled: Tensor
    test: Tensor
    answers: Tensor


def split(*, labels: int, seed: int) -> Digits:
    """The digits as a seed deals them; those of fewer labels are among those of more."""
    images, shown = load()
    order = np.random.default_rng(seed).permutation(len(shown))
    pictures = torch.from_numpy(images[order]).float()[:, None] / 127.5 - 1
    digits = torch.from_numpy(shown[order])
    count = len(shown) - TEST
    chosen = [torch.nonzero(digits[:count] == kind).flatten()[:labels] for kind in range(CLASSES)]
    return Digits(pictures[:count], digits[:count], torch.cat(chosen), pictures[count:], digits[count:])


def build(row: str) -> tuple[SemiSupervised, Engine]:
    """The method of a row and the engine that plays it."""
    stabilisers = {**STABILISED.get(row, {}), **REGULARISERS}
    parts = Parts(
        source_planes=0,
        target_planes=1,
        condition_numbers=CLASSES,
        generator=lambda planes, out: MLP(in_channels=planes, out_channels=out, channels=CHANNELS, gain=1.0),
        discriminator=lambda planes: MLPCritic(in_channels=planes, channels=CHANNELS, layers=LAYERS, gain=1.0),
        objective=NonSaturating,
        stabilisers=lambda: [STABILISERS[name](**options) for name, options in stabilisers.items()],
    )
    method = SemiSupervised(parts, latent_channels=LATENT)
    settings = dict.fromkeys(method.players(), OptimiserSettings(learning_rate=RATE))
    return method, Engine(method.players(), settings=settings, channels_last=False)


def batch(data: Digits, *, others: int) -> ConditionedBatch:
    """Labelled pictures, and `others` of all without their label."""
    known = data.labelled[torch.randint(len(data.labelled), (LABELLED,))]
    rest = torch.randint(len(data.pictures), (others,))
    labels = torch.cat((data.digits[known], torch.full((others,), -1)))
    return ConditionedBatch(data.pictures[torch.cat((known, rest))], labels)


def supervised_step(method: SemiSupervised, given: ConditionedBatch, engine: Engine) -> None:
    """The classifier alone, on labels alone."""
    with engine.turn("discriminator", stepped=lambda: method.duel.stepped("discriminator")) as turn:
        logits = method.duel.judge(given.image).output.classes
        assert logits is not None
        turn.minimise({"d_class": known_cross_entropy(logits, given.condition)})


def trained(row: str, data: Digits, *, seed: int, steps: int) -> nn.Module:
    """The averaged classifier of a row."""
    torch.manual_seed(seed)
    method, engine = build(row)
    average = Average(method.duel.discriminator, decay=0.995)
    for step in range(steps):
        factor = schedules.factor("linear_decay", step=step, steps=steps, constant_share=0.5, warmup_steps=0)
        engine.begin(seed=seed, step=step, rate_factor=factor)
        if row == "supervised":
            supervised_step(method, batch(data, others=0), engine)
        else:
            method.training_step(batch(data, others=BATCH - LABELLED), engine)
        average.update(method.duel.discriminator)
    return average.network


@torch.no_grad()
def mistaken(classifier: nn.Module, data: Digits) -> float:
    """The share of test pictures taken for another digit; shown in batches of the training's size."""
    guessed = torch.cat([classifier(part).classes.argmax(1) for part in torch.split(data.test, BATCH)])
    return float((guessed != data.answers).float().mean())


def classical(row: str, data: Digits) -> float:
    """The least test error of scikit-learn's classifiers of that name."""
    from sklearn.semi_supervised import LabelSpreading
    from sklearn.svm import SVC

    pictures, test = data.pictures.flatten(1).numpy(), data.test.flatten(1).numpy()
    known = data.labelled.numpy()
    labels = np.full(len(pictures), -1)
    labels[known] = data.digits.numpy()[known]
    if row == "svc":
        tried = [SVC(C=c, gamma=gamma) for c, gamma in itertools.product((1, 10, 100), ("scale", 0.003, 0.01, 0.03))]
        fitted = [model.fit(pictures[known], labels[known]) for model in tried]
    else:
        spread = [LabelSpreading(kernel="knn", n_neighbors=count, max_iter=200) for count in (5, 7, 10)]
        spread += [LabelSpreading(kernel="rbf", gamma=gamma, max_iter=200) for gamma in (0.03, 0.1, 0.3)]
        fitted = [model.fit(pictures, labels) for model in spread]
    return min(float((model.predict(test) != data.answers.numpy()).mean()) for model in fitted)


def measure(labels: int, row: str, seed: int, steps: int) -> dict[str, Any]:
    """One line of the CSV file."""
    start = time.process_time()
    data = split(labels=labels, seed=seed)
    error = classical(row, data) if row in CLASSICAL else mistaken(trained(row, data, seed=seed, steps=steps), data)
    line = {"labels": labels, "row": row, "seed": seed, "steps": steps, "error": round(error, 4)}
    return line | {"seconds": round(time.process_time() - start, 1)}


def table(lines: Sequence[dict[str, str]]) -> str:
    """A Markdown table for each number of labels: mean errors, and what each seed gains over `supervised`."""
    out: list[str] = []
    for labels in sorted({int(line["labels"]) for line in lines}):
        errors: dict[str, dict[str, float]] = {}
        for line in lines:
            if line["labels"] == str(labels):
                errors.setdefault(line["row"], {})[line["seed"]] = float(line["error"])
        out += [f"\n{labels} labels of each digit:\n", "| row | seeds | test error | less than supervised, +- 2 s.e. |"]
        out += ["|---|---|---|---|"]
        base = errors.get("supervised", {})
        for row in (row for row in ROWS if row in errors):
            gains = [base[seed] - error for seed, error in errors[row].items() if seed in base]
            gain = "" if row == "supervised" or len(gains) < 2 else paired(gains)
            out.append(f"| {row} | {len(errors[row])} | {statistics.fmean(errors[row].values()):.1%} | {gain} |")
    return "\n".join(out)


def paired(gains: Sequence[float]) -> str:
    """Mean and twice its standard error of paired differences."""
    error = statistics.stdev(gains) / len(gains) ** 0.5
    return f"{statistics.fmean(gains):+.1%} +- {2 * error:.1%}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", type=Path, default=HERE / "semi_supervised.csv", metavar="FILE")
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=ROWS, metavar="NAME")
    parser.add_argument("--labels", type=int, nargs="+", default=[5, 20], metavar="N", help="of each digit")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], metavar="N", help="default: 0..4")
    parser.add_argument("--steps", type=int, default=STEPS, metavar="N")
    parser.add_argument("--table", action="store_true", help="print the tables and end")
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on more
    runs = [] if options.table else list(itertools.product(options.seeds, options.labels, options.rows))
    keys = [{"labels": labels, "row": row, "seed": seed, "steps": options.steps} for seed, labels, row in runs]
    fill(options.csv, keys, measure)
    print(table(read(options.csv)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
