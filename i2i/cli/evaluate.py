"""Measure a model on a folder with known answers, or a generator from noise on a folder of pictures.

MODEL is a run folder, a model folder, an .onnx file, or a name under pretrained/. Every picture of the split is
translated whole and compared with its partner. Where the pairs lie is taken from the recipe when MODEL is a run
folder; --data.source and --data.target name the folders otherwise. With --baselines three colour maps fitted on the
split `train` are measured as well, and MODEL may be left out. A model that was trained without pairs is measured where
the split has them: every picture of one side has a partner of its name on the other.

Of a generator from noise as many samples as the split has pictures are compared with them as a set: kid, and the
amounts of gradient, spectrum and checkerboard. One with domains or attributes makes what is known of each picture.
A translator between domains, or of attributes, translates every picture of the split to every domain that it is not of,
or with every attribute switched: accuracy (a classifier that learns from the split `train` reads what was asked for)
beside its accuracy on real pictures, kid, top1 and top5 where domains have pictures of one name, beside those of the
untranslated pictures, and cycle_psnr (there and back). With --domain it is measured against pairs.

A translator of fonts writes the held-out characters of every font, or of --domain: l1, psnr, ssim and ink_iou (overlap
of ink) beside the real glyphs. DIR is the folder of fonts, --data.source the source font's file; with --baselines the
source glyph as it is and the mean of the training glyphs are measured too. With `accuracy` among --metrics (or `all`) a
classifier learns from the real training glyphs, in about a minute, which font a glyph is of: accuracy is the share of
written glyphs that it reads as the font asked for, real_accuracy that of the real held-out ones. Without a run folder
--characters and --test-characters say which characters are held out.

--neighbours FILE.png shows samples beside the training pictures nearest to them: a generator that has learnt its
pictures by heart gives them back, and its samples are nearer to them than the split's own pictures are.

exit codes: 0 done, 2 usage, 3 bad data (all of it listed), 4 disk or memory
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from i2i.cli import evaluate_fonts, evaluate_pairs, evaluate_targets
from i2i.cli.model_options import add_direction
from i2i.errors import Exit, I2IError, missing_package, printable

if TYPE_CHECKING:
    from i2i.data.images_source import PicturesSource
    from i2i.evaluation.evaluate import Evaluation, Picture
    from i2i.runtime.sampler import Sampler


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", nargs="?", help="may be left out with --baselines")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the folder with train/, val/, test/ (run: its own)")
    parser.add_argument("--split", choices=["train", "val", "test"], default="test", help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values here, replacing an older file")
    parser.add_argument("--metrics", metavar="A,B", default="", help="names, or `all` (adds kid, top1, top5)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="of Inception, for the metric fid")
    parser.add_argument("--worst", type=int, metavar="N", default=8, help="how many to show (default: %(default)s)")
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="write a page, replacing an older one")
    parser.add_argument("--data.source", dest="source", metavar="X", help="name of the folder with the sources")
    parser.add_argument("--data.target", dest="target", metavar="Y", help="name of the folder with the answers")
    parser.add_argument("--domain", metavar="NAME", help="translate to this domain alone, and measure against pairs")
    add_direction(parser)
    parser.add_argument("--neighbours", type=Path, metavar="FILE.png", help="generators from noise: see above")
    parser.add_argument("--baselines", action="store_true", help="measure identity and three colour maps too")
    evaluate_fonts.add_arguments(parser)


def run(parser: argparse.ArgumentParser, argv: list[str]) -> int:
    """Evaluate as asked; returns the exit code."""
    arguments = parser.parse_args(argv)
    if arguments.model is None and not arguments.baselines:
        parser.error("MODEL is needed (or --baselines)")
    if arguments.worst < 0:
        parser.error("--worst takes a number of pictures")
    more: dict[str, object] = {}
    try:
        if evaluate_fonts.is_meant(arguments):
            return evaluate_fonts.run(arguments)
        evaluate_fonts.refuse_options(arguments)
        if evaluate_targets.is_meant(arguments):
            return evaluate_targets.run(arguments)
        sampler = _sampler(arguments)
        evaluations = (
            evaluate_pairs.evaluations(arguments) if sampler is None else _evaluate_samples(arguments, sampler, more)
        )
    except ModuleNotFoundError as error:
        raise missing_package(error.name or "torch", "train") from None
    _publish(arguments, evaluations, more)
    return int(Exit.DONE)


def _sampler(arguments: argparse.Namespace) -> Sampler | None:
    """The model, if it makes pictures from noise. Raises `I2IError` (E_USAGE) for options of the other kind."""
    from i2i.loading import open_session, resolve
    from i2i.runtime.sampler import Sampler

    model = None if arguments.model is None else resolve(arguments.model, direction=arguments.direction)
    if model is None or model.card().latent is None:
        if arguments.neighbours is not None:
            raise I2IError("E_USAGE", "--neighbours is about generators from noise")
        return None
    for name in ("source", "target", "domain", "baselines", "report"):
        if getattr(arguments, name):
            option = f"data.{name}" if name in ("source", "target") else name
            raise I2IError("E_USAGE", f"--{option} is about translators, and this model makes pictures from noise")
    return Sampler(open_session(model))


def _evaluate_samples(
    arguments: argparse.Namespace, sampler: Sampler, more: dict[str, object]
) -> dict[str, Evaluation]:
    """Compare sets; what stands beside the metrics in the JSON goes into `more`."""
    from tqdm import tqdm

    from i2i.evaluation import generated
    from i2i.metrics.suite import Suite

    asked = evaluate_targets.asked(arguments)
    names = generated.metric_names(sampler.card, () if asked == ["all"] else asked)
    source = _pictures(arguments, sampler)
    scan = source.scan()
    for warning in scan.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    scan.raise_if_bad()
    real = generated.real_pictures(source, arguments.split, sampler.card)
    samples = generated.generated(sampler, real)
    if arguments.neighbours is not None:
        more["neighbours"] = _neighbours(arguments, samples, real.pictures, source)
    with tqdm(total=len(samples), desc=sampler.card.name, unit="picture", leave=False, disable=None) as bar:
        suite = Suite(names, pixels=sampler.card.target, weights=arguments.weights)
        return {sampler.card.name: generated.compare(samples, real.pictures, suite=suite, progress=bar.update)}


def _pictures(arguments: argparse.Namespace, sampler: Sampler) -> PicturesSource:
    """The data: as in the recipe of the run, else what the card speaks of."""
    from i2i.evaluation.generated import source_for

    values = evaluate_targets.recipe_of(arguments)
    if not values:
        return source_for(sampler.card, evaluate_pairs.root_of(arguments, {}))
    return cast("PicturesSource", evaluate_targets.data_of(values, root=arguments.data))


def _neighbours(
    arguments: argparse.Namespace, samples: list[Picture], real: list[Picture], source: PicturesSource
) -> dict[str, float]:
    """Write the sheet; how far the nearest training picture is, in levels of 255: the median of samples and of real
    ones.
    """
    import statistics

    from i2i.evaluation.generated import neighbours, neighbours_sheet, shown
    from i2i.files import publish_bytes
    from i2i.images.codec import encode

    ours, others = neighbours(shown(samples), source), neighbours(shown(real), source)
    publish_bytes(arguments.neighbours, encode(neighbours_sheet(shown(samples), ours), format="png"), overwrite=True)
    found = {"samples": statistics.median(ours.distances), "pictures": statistics.median(others.distances)}
    print(
        f"nearest training picture, median: {found['samples']:.1f} levels of 255 from a sample, "
        f"{found['pictures']:.1f} from a picture of {arguments.split} -> {printable(arguments.neighbours)}"
    )
    return found


def _publish(arguments: argparse.Namespace, evaluations: dict[str, Evaluation], more: dict[str, object]) -> None:
    """Print the table and write the files asked for."""
    from i2i import files
    from i2i.evaluation.scores import scores_page, text_table

    name, first = next(iter(evaluations.items()))
    print(f"{first.n} pictures of {printable(arguments.split)}")
    print(text_table(evaluations))
    if arguments.json is not None:
        result = _result(evaluations, model=arguments.model is not None) | more
        text = json.dumps(result, indent=2, allow_nan=False)
        files.publish_text(arguments.json, text + "\n", overwrite=True)
    if arguments.report is not None:
        html = scores_page(evaluations, title=f"{name} on {arguments.split}")
        files.publish_text(arguments.report, html, overwrite=True)
        print(f"page: {printable(arguments.report)}")


def _result(evaluations: dict[str, Evaluation], *, model: bool) -> dict[str, object]:
    """The model's values at the top, those of the baselines under their names."""
    first = next(iter(evaluations.values()))
    baselines = {name: value.metrics for name, value in list(evaluations.items())[model:]}
    result = first.to_dict() if model else {"n": first.n}
    return result | ({"baselines": baselines} if baselines else {})
