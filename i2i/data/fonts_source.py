"""Fonts as a recipe names them: one that is the source, those to learn, and which characters."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from i2i.data.augment import Augmentation
from i2i.data.charsets import by_digest, characters, split
from i2i.data.folder import chosen_split
from i2i.data.glyphs import GRAY, Glyph, GlyphFolder, Jitter, StyledBatch, StyledFolder
from i2i.data.problems import Problem
from i2i.data.scan import Scan
from i2i.data.source import DataSource
from i2i.data.typeface import SUFFIXES, Typeface, located, typeface
from i2i.errors import I2IError, printable
from i2i.files import sha256
from i2i.images.card import Condition, Drawing, Placing
from i2i.tables import unknown

GLYPHS = Augmentation(size=64, mode="resize", flips=())
ZI2ZI = Jitter()
CENTRED = Placing()
_SHOWN = 8


class FontsSource(DataSource):
    """Font files below `root` (TTF, OTF, TTC, WOFF2): glyphs of the font `source` and of the fonts `targets`.

    A font is named by its file, relative to `root` or a whole path, with `#2` behind it for the third one of a
    collection. Without `targets`: every font file in `root` itself but the source's, by name (of a collection the first
    font). The domains are the fonts' names in that order. `characters`: `gb2312-1`, `gb2312-2`, a file of text, or the
    characters themselves; of these `test_characters` and `val_characters` are held out, the same for every font, and at
    most `train_characters` of the rest are learnt from (0: all). What a font does not really have is left out, and the
    scan says so.

    Pictures are `augmentation.size` pixels wide and high, with characters on them as `placing` says, and are changed at
    random by `jitter`. In an epoch every font comes as often as the one with the most glyphs. `validation_split`: what
    is looked at during training, `val`, or `test` where there is no `val`, unless named. Glyphs are kept within
    `cache_megabytes`. Raises `I2IError` (E_RECIPE) for an augmentation that glyphs do not bear.
    """

    batch_type: ClassVar[type[Any]] = StyledBatch
    monitor: ClassVar[str] = "styled"

    def __init__(
        self,
        *,
        root: Path,
        source: str = "",
        targets: Sequence[str] = (),
        characters: str = "gb2312-1",
        test_characters: int = 300,
        val_characters: int = 0,
        train_characters: int = 0,
        placing: Placing = CENTRED,
        augmentation: Augmentation = GLYPHS,
        jitter: Jitter = ZI2ZI,
        validation_split: str | None = None,
        cache_megabytes: int = 2048,
    ) -> None:
        _check(augmentation, test_characters, val_characters, train_characters)
        self.root = Path(root)
        self.source = source
        self.targets = tuple(targets)
        self.characters = characters
        self.test_characters = test_characters
        self.val_characters = val_characters
        self.train_characters = train_characters
        self.placing = placing
        self.augmentation = augmentation
        self.jitter = jitter
        self.validation_split = validation_split
        self.cache_megabytes = cache_megabytes
        self.source_pixels = self.target_pixels = GRAY

    @property
    def condition(self) -> Condition:
        """The names of the target fonts. Raises `I2IError` as `typefaces`."""
        return Condition(kind="domains", names=tuple(self.names))

    @property
    def drawing(self) -> Drawing:
        """How the source's characters are drawn."""
        face = self.source_typeface
        file = face.path.name + (f"#{face.index}" if face.index else "")
        return Drawing(font=face.name, file=file, **dict(self.placing))

    @cached_property
    def source_typeface(self) -> Typeface:
        """The source font. Raises `I2IError` (E_RECIPE, and as `Typeface`)."""
        if not self.source:
            found = ", ".join(path.name for path in self._files())
            if not found:
                raise I2IError("E_NO_IMAGES", "holds no fonts (TTF, OTF, TTC, WOFF2)", path=self.root)
            raise I2IError("E_RECIPE", f"which font is the source? --data.source FILE; there are: {found}")
        return self._typeface(self.source)

    @cached_property
    def typefaces(self) -> list[Typeface]:
        """The target fonts. Raises `I2IError`: E_NO_IMAGES for none, and as `Typeface`."""
        first = self.source_typeface
        named = self.targets or [path.name for path in self._files()]
        faces = [self._typeface(name) for name in named]
        if not self.targets:
            faces = [face for face in faces if face.path.resolve() != first.path.resolve()]
        if not faces:
            raise I2IError("E_NO_IMAGES", "holds no font but the source; put those to learn there", path=self.root)
        return faces

    @cached_property
    def names(self) -> list[str]:
        """The names of the target fonts, with the file's name where two fonts share one."""
        names = [face.name for face in self.typefaces]
        twice = {name for name in names if names.count(name) > 1}
        whole = [
            f"{name} ({face.path.stem})" if name in twice else name
            for name, face in zip(names, self.typefaces, strict=True)
        ]
        if len(set(whole)) < len(whole):
            again = next(name for name in whole if whole.count(name) > 1)
            raise I2IError("E_RECIPE", f"data.targets: the font {again} is there twice")
        return whole

    def glyphs(self) -> dict[str, list[Glyph]]:
        """The glyphs of every split, font by font, that both the source and their font have."""
        parts = split(characters(self.characters), test=self.test_characters, val=self.val_characters)
        if self.train_characters:
            kept = set(by_digest(parts["train"])[: self.train_characters])
            parts["train"] = "".join(c for c in parts["train"] if c in kept)
        known = {name: [c for c in part if self.source_typeface.lacks(c) is None] for name, part in parts.items()}
        return {
            name: [
                Glyph(c, font, number)
                for number, (font, face) in enumerate(zip(self.names, self.typefaces, strict=True))
                for c in part
                if face.lacks(c) is None
            ]
            for name, part in known.items()
        }

    def held_out(self) -> str:
        """The characters of the split `test`, whatever a font has of them; empty without one."""
        return split(characters(self.characters), test=self.test_characters, val=self.val_characters).get("test", "")

    def scan(self) -> Scan:
        """Look at every character of every font, and say what a font lacks. Raises `I2IError` for a file that is no
        font, and as `typefaces`.
        """
        whole = characters(self.characters)
        fonts = [(f"source {self.source_typeface.name}", self.source_typeface)]
        fonts += list(zip(self.names, self.typefaces, strict=True))
        samples = self.glyphs()
        problems = [
            Problem("E_EMPTY_DOMAIN", face.path, f"{name} has none of the characters to learn; take others or leave it")
            for number, (name, face) in enumerate(fonts[1:])
            if not any(glyph.number == number for glyph in samples.get("train", []))
        ]
        digests = {f"{name}#{face.index}": sha256(face.path) for name, face in fonts}
        digests |= {f"{part}/{name}": _digest(of, name) for part, of in samples.items() for name in self.names}
        warnings = tuple(line for name, face in fonts for line in _said(name, face, whole))
        return Scan(samples=dict(samples), problems=tuple(problems), warnings=warnings, digests=digests)

    def training_set(self, *, value_range: tuple[float, float], seed: int) -> StyledFolder:
        """The data set of the split `train`."""
        return self.folder(self.glyphs()["train"], value_range=value_range, seed=seed)

    def monitored(self, scan: Scan, *, count: int) -> list[tuple[np.ndarray, np.ndarray, int]]:
        """At most `count` fixed glyphs as they are, the fonts in turn: source and target, uint8 (H, W, 1), and the
        font's number, of the monitored split, or without one of the training's.
        """
        name = chosen_split([name for name, of in scan.samples.items() if of], self.validation_split, root=self.root)
        folder = self.folder(scan.samples[name or "train"], value_range=(-1.0, 1.0), seed=0).glyphs
        return [(*folder.whole(at), folder.items[at].number) for at in _in_turn(folder.items, count)]

    def folder(self, glyphs: list[Glyph], *, value_range: tuple[float, float], seed: int) -> StyledFolder:
        """The samples of some of the glyphs."""
        drawn = GlyphFolder(
            glyphs,
            source=self.source_typeface,
            targets=self.typefaces,
            jitter=self.jitter,
            value_range=value_range,
            augmentation=self.augmentation,
            seed=seed,
            cache_bytes=self.cache_megabytes << 20,
        )
        return StyledFolder(drawn)

    def _typeface(self, name: str) -> Typeface:
        path, _ = located(self.root / name)
        if not path.exists():
            here = [file.name for file in self._files()]
            raise I2IError("E_UNREADABLE", f"{unknown('font', path.name, here)} in {printable(self.root)}", path=path)
        return typeface(self.root / name, size=self.augmentation.shape[0], placing=self.placing)

    def _files(self) -> list[Path]:
        if not self.root.is_dir():
            raise I2IError("E_LAYOUT", "is not a folder of fonts", path=self.root)
        return sorted(path for path in self.root.iterdir() if path.suffix.lower() in SUFFIXES)


def _check(augmentation: Augmentation, test: int, val: int, train: int) -> None:
    height, width = augmentation.shape
    if height != width:
        raise I2IError("E_RECIPE", f"data.augmentation.size {width}x{height}: glyphs are drawn on squares")
    if augmentation.flips or augmentation.photometric:
        message = "writing has a direction and no colours; set data.augmentation.flips [] and photometric false"
        raise I2IError("E_RECIPE", message)
    if augmentation.turn or augmentation.zoom:
        message = "glyphs are varied as they are drawn, by data.jitter; set data.augmentation.turn and zoom 0"
        raise I2IError("E_RECIPE", message)
    if min(test, val, train) < 0:
        raise ValueError(f"numbers of characters are not negative, got test {test}, val {val}, train {train}")


def _digest(glyphs: list[Glyph], font: str) -> str:
    """SHA-256 of the characters of one font, as hexadecimal."""
    return hashlib.sha256("".join(glyph.character for glyph in glyphs if glyph.font == font).encode()).hexdigest()


def _said(name: str, face: Typeface, wanted: str) -> list[str]:
    """What the scan says of one font: the characters left out, and those whose ink is cut off."""
    lines = []
    lacking = {why: [c for c in wanted if face.lacks(c) == why] for why in ("absent", "blank")}
    count = sum(map(len, lacking.values()))
    if count:
        listed = [f"{len(of)} {why} ({_shown(of)})" for why, of in lacking.items() if of]
        lines.append(f"{name}: {count} of {len(wanted)} characters left out: {', '.join(listed)}")
    cut = [c for c in wanted if face.lacks(c) is None and not face.fits(c)]
    if cut:
        remedy = "a smaller data.placing.character_share leaves more room"
        lines.append(f"{name}: of {len(cut)} characters ink reaches beyond the picture ({_shown(cut)}); {remedy}")
    return lines


def _shown(some: list[str]) -> str:
    return "".join(some[:_SHOWN]) + (" ..." if len(some) > _SHOWN else "")


def _in_turn(glyphs: Sequence[Glyph], count: int) -> list[int]:
    """Places of at most `count` glyphs, the fonts in turn, evenly spread over each font's."""
    fonts = sorted({glyph.number for glyph in glyphs})
    each = -(-count // len(fonts))
    columns = []
    for font in fonts:
        own = [at for at, glyph in enumerate(glyphs) if glyph.number == font]
        columns.append([own[i] for i in np.unique(np.linspace(0, len(own) - 1, each).round().astype(int))])
    rows = [column[row] for row in range(each) for column in columns if row < len(column)]
    return rows[:count]
