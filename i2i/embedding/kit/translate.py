"""Runs model.onnx. Needs: pip install numpy pillow onnxruntime.

python translate.py INPUT OUTPUT [--domain NAME] [--set NAME=VALUE]...
python translate.py OUTPUT [--seed N] [--domain NAME] [--set NAME=VALUE]...   (a model that starts from noise)
python translate.py --self-test
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent
CARD = json.loads((HERE / "card.json").read_text(encoding="utf-8"))
SESSION = onnxruntime.InferenceSession(HERE / "model.onnx")


def translate(
    image: Image.Image | None = None,
    *,
    domain: str | None = None,
    set: Mapping[str, float] | None = None,  # noqa: A002
    seed: int = 0,
) -> Image.Image:
    """Translate a picture, or make one from the noise of `seed` where the model takes none."""
    following = uniform(seed)
    feed: dict[str, Any] = {}
    alpha = None
    if CARD["latent"]:
        feed["latent"] = np.array([noise(CARD["latent"], following)], np.float32)
    else:
        if image is None:
            raise ValueError(f"{CARD['name']} translates a picture; give it one")
        pixels, alpha = to_colours(image)
        feed["image"] = pixels[None]
    if CARD["condition"]:
        feed |= steering(domain, set or {}, following)
    elif domain is not None or set:
        raise ValueError(f"{CARD['name']} takes no domain and no attributes")
    out = SESSION.run(["image_out"], feed)[0][0]
    result = Image.fromarray(out[:, :, 0] if out.shape[2] == 1 else out)
    if alpha is not None and out.shape[2] < 4:
        result.putalpha(alpha.resize(result.size, Image.Resampling.BILINEAR))
    return result


def to_colours(image: Image.Image) -> tuple[np.ndarray, Image.Image | None]:
    """The picture upright, in the model's colours, and its alpha: laid over white unless the model takes alpha."""
    image = ImageOps.exif_transpose(image)
    mode = {"gray": "L", "rgb": "RGB", "rgba": "RGBA", "labels": "RGB"}[CARD["source"]["colour"]]
    alpha = None
    if image.has_transparency_data and mode != "RGBA":
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=alpha)
        image = white
    pixels = np.asarray(image.convert(mode))
    return pixels.reshape(*pixels.shape[:2], -1), alpha


def steering(domain: str | None, settings: Mapping[str, float], following: Callable[[], float]) -> dict[str, Any]:
    """The input beside the picture: the number of a domain, weights of domains, or attributes."""
    condition, names = CARD["condition"], CARD["condition"]["names"]
    for name in [*settings, *([] if domain is None else [domain])]:
        if name not in names:
            raise ValueError(f"unknown name '{name}'; {CARD['name']} knows: {', '.join(names)}")
    if condition["kind"] == "attributes":
        return {"condition": np.array([attributes(settings, following)], np.float32)}
    if domain is None:
        raise ValueError(f"name a domain, one of: {', '.join(names)}")
    if condition.get("mixed"):
        return {"condition": np.eye(len(names), dtype=np.float32)[[names.index(domain)]]}
    return {"domain": np.array([names.index(domain)], np.int64)}


def attributes(settings: Mapping[str, float], following: Callable[[], float]) -> list[float]:
    """NaN keeps what the picture shows; from noise, what nobody sets is drawn, and of an exclusive group one is on."""
    names = CARD["condition"]["names"]
    ends = dict(zip(names, CARD["condition"].get("ranges") or [(0.0, 1.0)] * len(names), strict=True))
    drawn = CARD["latent"]
    values = {name: low + following() * (high - low) if drawn else math.nan for name, (low, high) in ends.items()}
    for group in CARD["condition"].get("exclusive_groups", []):
        given = [name for name in group if name in settings]
        on = group[int(following() * len(group))] if drawn and not given else None
        if drawn or any(settings[name] > ends[name][0] for name in given):
            values |= {name: ends[name][name == on] for name in group}
    for name, value in settings.items():
        if not ends[name][0] <= value <= ends[name][1]:
            raise ValueError(f"attribute '{name}' runs from {ends[name][0]:g} to {ends[name][1]:g}, not {value:g}")
        values[name] = value
    return list(values.values())


def uniform(seed: int) -> Callable[[], float]:
    """Numbers in 0..1, a function of the seed: a counter through MurmurHash3's finaliser, as in model.js."""

    def mixed(value: int) -> int:
        value = ((value ^ value >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
        value = ((value ^ value >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
        return value ^ value >> 16

    state = mixed((seed + 1) & 0xFFFFFFFF)

    def following() -> float:
        nonlocal state
        state = (state + 0x9E3779B9) & 0xFFFFFFFF
        return (mixed(state) + 0.5) / 2**32

    return following


def noise(count: int, following: Callable[[], float]) -> list[float]:
    """Standard normal numbers (Box and Muller 1958), two of `following` each."""
    return [math.sqrt(-2 * math.log(following())) * math.cos(2 * math.pi * following()) for _ in range(count)]


def self_test() -> bool:
    """Translate the reference picture and compare it with what the model gave when this folder was written."""
    wanted = json.loads((HERE / "reference.json").read_text(encoding="utf-8"))
    expected = Image.open(HERE / "reference-output.png")
    got = translate(None if CARD["latent"] else Image.open(HERE / "reference-input.png"), **wanted)
    if got.size != expected.size or got.mode != expected.mode:
        print(f"self-test FAILED: {got.mode} {got.size}, not {expected.mode} {expected.size}")
        return False
    apart = np.abs(np.asarray(got, np.int16) - np.asarray(expected, np.int16)).max()
    print(f"self-test {'passed' if apart <= 1 else 'FAILED'}: at most {apart} of 255 apart")
    return bool(apart <= 1)


def main() -> int:
    """Translate a file, or test; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", metavar="INPUT OUTPUT")
    parser.add_argument("--domain", metavar="NAME")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--self-test", action="store_true")
    given = parser.parse_args()
    if given.self_test:
        return 0 if self_test() else 1
    if len(given.paths) != (1 if CARD["latent"] else 2):
        parser.error("OUTPUT is needed" if CARD["latent"] else "INPUT and OUTPUT are needed")
    settings = {text.partition("=")[0]: float(text.partition("=")[2]) for text in given.set or []}
    image = None if CARD["latent"] else Image.open(given.paths[0])
    translate(image, domain=given.domain, set=settings, seed=given.seed).save(given.paths[-1])
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        sys.exit(str(error))
