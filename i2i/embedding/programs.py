"""The programs of the kit: those that read the card as they are, those in compiled languages filled in for one model.

A line of `translate.cpp` or `Translate.cs` that ends in a mark (`//? image`) is only for models of that kind, so that
what a user gets holds nothing that their model does not need; `@NAME@` stands for what the card says.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from importlib.resources import files as resources

from i2i.images.card import ImageCard

# Run as they are: they read card.json.
PLAIN = ("translate.py", "translate.mjs", "model.js", "package.json", "Translate.csproj")
_MARK = re.compile(r"\s*//\? (\w+)$")


def resource(name: str) -> bytes:
    """A file of the kit as it lies in the package."""
    return (resources("i2i.embedding") / "kit" / name).read_bytes()


def programs(card: ImageCard, reference: Sequence[float]) -> dict[str, bytes]:
    """Every program by its file name; `reference` are the numbers that steer the self-test, none for a plain model."""
    contents = {name: resource(name) for name in PLAIN}
    for name, nan in (("translate.cpp", "NAN"), ("Translate.cs", "double.NaN")):
        contents[name] = _filled(resource(name).decode("utf-8"), card, reference, nan).encode("utf-8")
    return contents


def _filled(template: str, card: ImageCard, reference: Sequence[float], nan: str) -> str:
    kept = [_MARK.sub("", line) for line in template.splitlines() if _belongs(line, card)]
    words = _words(card, [nan if math.isnan(value) else f"{value:g}" for value in reference])
    return re.sub(r"@([A-Z_]+)@", lambda found: words[found[1]], re.sub(r"\n{3,}", "\n\n", "\n".join(kept))) + "\n"


def _belongs(line: str, card: ImageCard) -> bool:
    mark = _MARK.search(line)
    kinds = {"image" if card.latent is None else "latent"}
    if card.condition is not None:
        kinds |= {"told", card.condition.port}
    return mark is None or mark[1] in kinds


def _words(card: ImageCard, reference: Sequence[str]) -> dict[str, str]:
    names = () if card.condition is None else card.condition.names
    is_domain = card.condition is not None and card.condition.port == "domain"
    # A name may hold anything; in a comment it must stay on its line, and must not end it with a backslash.
    shown = [re.sub(r"[^\w .,()+-]", "_", name) for name in names]
    return {
        "NAME": re.sub(r"[^\w .-]", "_", card.name),
        "NAMES": ", ".join(shown),
        "NUMBERED": ", ".join(f"{number} {name}" for number, name in enumerate(shown)),
        "IN": str(card.source.channels),
        "OUT": str(card.target.channels),
        "LATENT": str(card.latent or 0),
        "COUNT": str(len(reference)),
        "REFERENCE": ", ".join(reference),
        "TOLD_REFERENCE": "REFERENCE" if reference else "{}",
        "TYPE": "int64_t" if is_domain else "float",
        "RANK": "1" if is_domain else "2",
        "PORT": "domain" if is_domain else "condition",
    }
