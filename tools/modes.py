"""The bench of modes: which objective and stabiliser keep a GAN from collapsing, on mixtures of Gaussians.

usage: python tools/modes.py [--csv FILE] [--data ring|grid|wide] [--protocol NAME] [--rows NAME ...] [--seeds N]
       python tools/modes.py --table            the table of the results so far: modes covered (in each seed), share
                                                of samples of high quality, reverse KL to uniform, means over the seeds
       python tools/modes.py --picture FILE     samples over time, a line per row (trains seed 0 of each row again)

Data: a ring of 8 (radius 2, deviation 0.02; wide: 0.2) or a grid of 25 (spacing 2, deviation 0.05). A mode counts as
covered when it holds at least 20 % of its fair share of 5,000 samples within three deviations. Every (data, protocol,
row, seed) is one line of the CSV file, written when it is done; what is there is not run again.

weak: after the example that Metz et al. 2017 (arXiv 1611.02163) published for their appendix A: noise of 256 numbers,
two hidden layers of 128 units (the critic's are tanh), Adam with beta1 0.5 at 0.001 for the generator and a slow
critic, beside which a plain GAN collapses. Deviations, for time: batches of 128 instead of 512, 15,000 steps instead of
25,000, a critic's rate of 0.0002 instead of 0.0001.
own: the recipe that we would give a user: noise of 2 numbers, three hidden layers, batches of 256, Adam (0, 0.9),
a rate that decays over all the steps, 20,000 of them, averaged weights.
short: as weak, with a critic as fast as its generator, batches of 64 and 1,000 steps: on the wide ring a generator
then makes one to four of the modes. It is for AdaGAN, whose row divides the steps among its components: 5,000 steps of
`adagan` are five times 1,000 of `plain`; 5,000 of `plain` cost about half as much.
A step is a turn of the critic: with `critic_steps` the generator has fewer.
A new objective or stabiliser joins by one line in ROWS.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mixtures import Mixture, mixture
from results import fill, read
from torch import Tensor, nn

from i2i.adversarial.objectives import OBJECTIVES
from i2i.adversarial.stabilisers import STABILISERS
from i2i.data.images import ImageBatch
from i2i.methods.adagan import AdaGAN
from i2i.methods.gan import Gan
from i2i.methods.mdgan import MDGAN
from i2i.methods.mode_regularised import ModeRegularised
from i2i.methods.parts import Parts
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.mlp import MLP
from i2i.networks.mlp_critic import MLPCritic
from i2i.training import schedules
from i2i.training.averaging import Average
from i2i.training.engine import Engine
from i2i.training.optimisers import OptimiserSettings

HERE = Path(__file__).resolve().parent
METHODS = {"gan": Gan, "adagan": AdaGAN, "mode_regularised": ModeRegularised, "mdgan": MDGAN}
SAMPLES = 5000


@dataclass(frozen=True)
class Row:
    """One combination. `stabilisers` maps names to options; the rest changes the protocol's own choices."""

    objective: str = "non_saturating"
    options: dict[str, Any] = field(default_factory=dict)
    stabilisers: dict[str, dict[str, Any]] = field(default_factory=dict)
    method: str = "gan"
    components: int = 1
    norm: str = "none"
    autoencoder: bool = False
    optimiser: dict[str, Any] = field(default_factory=dict)
    order: Any = "alternating"
    critic_rate: float = 1.0  # times the protocol's


def alone(stabiliser: str, **options: Any) -> Row:
    """The non-saturating game with one stabiliser."""
    return Row(stabilisers={stabiliser: options})


ROWS = {
    "plain": Row(),
    "unrolled_5": alone("unrolled", steps=5, learning_rate=2e-4),
    "unrolled_10": alone("unrolled", steps=10, learning_rate=2e-4),
    "minibatch_discrimination": alone("minibatch_discrimination", rows=8, row_length=3),
    # each objective with its canonical stabiliser
    "minimax": Row("minimax"),
    "least_squares": Row("least_squares"),
    "loss_sensitive": Row("loss_sensitive", stabilisers={"weight_norm": {}}),
    "wasserstein_clipping": Row(
        "wasserstein",
        stabilisers={"weight_clipping": {"bound": 0.1}, "critic_steps": {"count": 5}},
        optimiser={"type": "rmsprop", "beta2": 0.99},
    ),
    "wasserstein_gradient_penalty": Row(
        "wasserstein", stabilisers={"gradient_penalty": {"weight": 0.1}, "critic_steps": {"count": 5}}
    ),
    "hinge_spectral_norm": Row("hinge", stabilisers={"spectral_norm": {}}),
    "relativistic_average": Row("relativistic_average"),
    "began": Row("began", autoencoder=True),
    # non-saturating with each stabiliser alone
    "label_smoothing": Row(options={"real_label": 0.9}),
    "gradient_penalty": alone("gradient_penalty", weight=0.1),
    "dragan": alone("dragan", weight=0.1),
    "r1": alone("r1", gamma=0.02),
    "spectral_norm": alone("spectral_norm"),
    "weight_norm": alone("weight_norm"),
    "instance_noise": alone("instance_noise", sigma=0.5, decay_steps=10000),
    "layer_noise": alone("layer_noise"),
    "feature_matching": alone("feature_matching"),
    "minibatch_stddev": alone("minibatch_stddev"),
    "packing": alone("packing", packed=2),
    "virtual_batch_norm": Row(norm="batch", stabilisers={"virtual_batch_norm": {"reference": 64}}),
    "historical_averaging": alone("historical_averaging"),
    "history_pool": alone("history_pool", size=1000),
    "critic_steps": alone("critic_steps", count=5),
    "two_time_scales": Row(critic_rate=4.0),
    "optimistic_adam": Row(optimiser={"type": "optimistic_adam"}),
    "extragradient": Row(order="extragradient"),
    "mode_regularised": Row(method="mode_regularised"),
    "mdgan": Row(method="mdgan"),
    "adagan": Row(method="adagan", components=5),
    # combinations
    "packing_r1": Row(stabilisers={"packing": {"packed": 2}, "r1": {"gamma": 0.02}}),
    "minibatch_stddev_r1": Row(stabilisers={"minibatch_stddev": {}, "r1": {"gamma": 0.02}}),
    "relativistic_r1": Row("relativistic_average", stabilisers={"r1": {"gamma": 0.02}}),
}


@dataclass(frozen=True)
class Protocol:
    """Everything that a row leaves alone."""

    steps: int
    batch: int
    latent: int
    generator: dict[str, Any]
    critic: dict[str, Any]
    rate: float
    critic_rate: float
    moments: dict[str, float] = field(default_factory=dict)
    schedule: schedules.ScheduleName = "constant"
    constant_share: float = 0.0
    average: float | None = None


PROTOCOLS = {
    "weak": Protocol(
        steps=15000,
        batch=128,
        latent=256,
        generator={"channels": 128, "layers": 2},
        critic={"channels": 128, "layers": 2, "hidden": "tanh"},
        rate=1e-3,
        critic_rate=2e-4,
    ),
    "short": Protocol(
        steps=1000,
        batch=64,
        latent=256,
        generator={"channels": 128, "layers": 2},
        critic={"channels": 128, "layers": 2, "hidden": "tanh"},
        rate=1e-3,
        critic_rate=1e-3,
    ),
    "own": Protocol(
        steps=20000,
        batch=256,
        latent=2,
        generator={"channels": 128, "layers": 3, "gain": 1.4},
        critic={"channels": 128, "layers": 3, "gain": 1.4, "input_scale": 0.25},
        rate=1e-3,
        critic_rate=1e-3,
        moments={"beta1": 0.0, "beta2": 0.9},
        schedule="linear_decay",
        constant_share=0.3,
        average=0.999,
    ),
}


class AutoencoderCritic(nn.Module):
    """BEGAN's critic for points: an MLP that restores its input; the score is minus the mean absolute error."""

    autoencoder = True

    def __init__(self, *, in_channels: int, channels: int, input_scale: float = 1.0) -> None:
        super().__init__()
        self.input_scale = input_scale
        self.encoder = MLP(in_channels=in_channels, out_channels=channels, size=1, channels=channels, layers=1)
        self.decoder = MLP(in_channels=channels, out_channels=in_channels, size=1, channels=channels, output="linear")

    def forward(self, planes: Tensor) -> CriticOutput:
        """Score points (N, 2, 1, 1)."""
        given = planes.flatten(1) * self.input_scale
        code = self.encoder(given).flatten(1)
        return CriticOutput(-(self.decoder(code).flatten(1) - given).abs().mean(1, keepdim=True), (code,))


def build(row: Row, protocol: Protocol, *, steps: int) -> tuple[Any, Engine]:
    """The method of a row and the engine that plays it."""

    def critic(planes: int) -> nn.Module:
        scale = protocol.critic.get("input_scale", 1.0)
        if row.autoencoder:
            return AutoencoderCritic(in_channels=planes, channels=protocol.critic["channels"], input_scale=scale)
        return MLPCritic(in_channels=planes, size=1, norm=row.norm, **protocol.critic)  # type: ignore[arg-type]

    parts = Parts(
        source_planes=0,
        target_planes=2,
        generator=lambda planes, out: MLP(
            in_channels=planes, out_channels=out, size=1, output="linear", **protocol.generator
        ),
        discriminator=critic,
        objective=lambda: OBJECTIVES[row.objective](**row.options),
        stabilisers=lambda: [STABILISERS[name](**options) for name, options in row.stabilisers.items()],
    )
    share = {"components": row.components, "steps_per_component": max(1, steps // row.components)}
    options = share if row.method == "adagan" else {}
    method = METHODS[row.method](parts, latent_channels=protocol.latent, **options)
    rates = {
        name: protocol.rate if name == "generator" else protocol.critic_rate * row.critic_rate
        for name in method.players()
    }
    settings = {
        name: OptimiserSettings(learning_rate=rate, **{**protocol.moments, **row.optimiser})
        for name, rate in rates.items()
    }
    return method, Engine(method.players(), settings=settings, order=row.order, channels_last=False)


def play(row: Row, protocol: Protocol, data: Mixture, *, seed: int, steps: int) -> Iterator[tuple[int, nn.Module]]:
    """Train; gives the step and the generator to look at after every step, the averaged one where there is one."""
    torch.manual_seed(seed)
    method, engine = build(row, protocol, steps=steps)
    average = None if protocol.average is None else Average(method.generator, decay=protocol.average)
    for step in range(steps):
        factor = schedules.factor(
            protocol.schedule, step=step, steps=steps, constant_share=protocol.constant_share, warmup_steps=0
        )
        engine.begin(seed=seed, step=step, rate_factor=factor)
        method.training_step(ImageBatch(data.draw(protocol.batch)), engine)
        engine.end()
        if average is not None:
            average.update(method.generator)
        yield step + 1, method.generator if average is None else average.network


@torch.no_grad()
def points(generator: Any, *, seed: int, count: int = SAMPLES) -> Tensor:
    """Samples (count, 2) from noise that is a function of the seed."""
    noise = torch.randn(count, generator.latent_channels, generator=torch.Generator().manual_seed(1000 + seed))
    return generator(noise).flatten(1)  # type: ignore[no-any-return]


def measure(data: str, protocol: str, row: str, seed: int, steps: int) -> dict[str, Any]:
    """One line of the CSV file."""
    start = time.perf_counter()
    mix, chosen = mixture(data), PROTOCOLS[protocol]
    *_, (_, generator) = play(ROWS[row], chosen, mix, seed=seed, steps=steps)
    found = mix.judged(points(generator, seed=seed))
    key = {"data": data, "protocol": protocol, "row": row, "seed": seed, "steps": steps}
    return (
        key
        | {name: round(value, 4) for name, value in found.items()}
        | {"seconds": round(time.perf_counter() - start, 1)}
    )


def table(lines: Sequence[dict[str, str]]) -> str:
    """A Markdown table, a line per row and a column per data set, protocol and number of steps."""
    groups = sorted({(line["protocol"], line["data"], int(line["steps"])) for line in lines}, reverse=True)
    heads = [f"{data} of {len(mixture(data).centres)}, {protocol}, {steps:,} steps" for protocol, data, steps in groups]
    out = [f"| row | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for row in [name for name in ROWS if any(line["row"] == name for line in lines)]:
        cells = [_cell([line for line in lines if line["row"] == row and _group(line) == group]) for group in groups]
        out.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(out)


def _group(line: dict[str, str]) -> tuple[str, str, int]:
    return line["protocol"], line["data"], int(line["steps"])


def _cell(lines: Sequence[dict[str, str]]) -> str:
    """Means over the seeds, each seed's modes in brackets."""
    if not lines:
        return ""
    found = sorted(lines, key=lambda line: int(line["seed"]))
    each = " ".join(f"{float(line['modes']):.0f}" for line in found)
    return f"{_mean(found, 'modes'):.1f} ({each}) {_mean(found, 'high_quality'):.0%}, {_mean(found, 'reverse_kl'):.2f}"


def _mean(lines: Sequence[dict[str, str]], name: str) -> float:
    return statistics.fmean(float(line[name]) for line in lines)


def picture(path: Path, data: str, protocol: str, rows: Sequence[str], steps: int) -> None:
    """Samples over time: a line per row, the truth at the end."""
    from PIL import Image, ImageDraw

    mix, chosen, looks, side = mixture(data), PROTOCOLS[protocol], 6, 120
    sheet = Image.new("RGB", (side * (looks + 1), (side + 14) * len(rows)), "white")
    draw = ImageDraw.Draw(sheet)
    for index, name in enumerate(rows):
        top = index * (side + 14) + 14
        draw.text(
            (4, top - 13),
            f"{name}: steps {', '.join(str(steps * (i + 1) // looks) for i in range(looks))}; data",
            fill="black",
        )
        column = 0
        for step, generator in play(ROWS[name], chosen, mix, seed=0, steps=steps):
            if step * looks // steps > column:
                _scatter(sheet, points(generator, seed=0, count=1000), column * side, top, side)
                column += 1
        _scatter(sheet, mix.draw(1000).flatten(1), looks * side, top, side)
    sheet.save(path)


def _scatter(sheet: Any, samples: Tensor, left: int, top: int, side: int) -> None:
    reach = 5.5 if float(samples.abs().max()) > 3 else 3.0
    places = ((samples / reach + 1) / 2 * side).round().long()
    for x, y in places.tolist():
        if 0 <= x < side and 0 <= y < side:
            sheet.putpixel((left + x, top + side - 1 - y), (20, 60, 160))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", type=Path, default=HERE / "modes.csv", metavar="FILE")
    parser.add_argument("--data", choices=("ring", "wide", "grid"), default="ring")
    parser.add_argument("--protocol", choices=list(PROTOCOLS), default="weak")
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS), metavar="NAME")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], metavar="N", help="which (default: 0..4)"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="instead of the protocol's")
    parser.add_argument("--table", action="store_true", help="print the table and end")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw samples over time and end")
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on more
    steps = options.steps or PROTOCOLS[options.protocol].steps
    if options.table:
        print(table(read(options.csv)))
        return 0
    if options.picture:
        picture(options.picture, options.data, options.protocol, options.rows, steps)
        return 0
    shared = {"data": options.data, "protocol": options.protocol, "steps": steps}
    runs = [shared | {"row": row, "seed": seed} for seed in options.seeds for row in options.rows]
    fill(options.csv, runs, measure)
    return 0


if __name__ == "__main__":
    sys.exit(main())
