"""Where the pictures of a data set lie, found by what is on the disk, never guessed.

Pairs, three layouts:

DIR/{train,val,test}/{A,B}/name.png     one folder for each side (any names; see `ORDERED` for those known)
DIR/{trainA,trainB,valA,valB,testA,testB}/name.png
DIR/{train,val,test}/name.png           both sides in one picture, side by side

Two sides without pairs: the first two of these layouts, and
DIR/{A,B}/name.png                      all of them for training

Pictures of one kind, two layouts, folders in folders included:
DIR/{train,val,test}/name.png
DIR/name.png                            all of them for training

Pictures of several domains, two layouts; `unlabelled/` beside the domains holds those whose domain is not known:
DIR/{train,val,test}/<domain>/name.png
DIR/<domain>/name.png                   all of them for training
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from i2i.errors import I2IError, printable
from i2i.images.codec import SUFFIXES, list_images

SPLITS = ("train", "val", "test")

# Pairs of folder names that say by themselves which one is translated into which.
ORDERED = (("a", "b"), ("source", "target"), ("input", "output"), ("input", "target"), ("before", "after"))

UNLABELLED = "unlabelled"

_SHOWN = 10


class Layout(NamedTuple):
    """The folders of both sides; one and the same folder when `side_by_side`, and then where the source is."""

    source: Path
    target: Path
    side_by_side: bool = False
    source_left: bool = True


def splits(root: Path, *, source: str | None = None, target: str | None = None) -> tuple[str, ...]:
    """The splits that exist below `root`, in the order train, val, test. `source` and `target` as in `find_layout`."""
    sides = _flat_sides(source, target)
    return tuple(
        split
        for split in SPLITS
        if (root / split).is_dir() or all((root / f"{split}{side}").is_dir() for side in sides)
    )


def find_layout(root: Path, *, split: str, source: str | None = None, target: str | None = None) -> Layout:
    """Decide where the pairs of one split lie.

    `source` and `target` are folder names; with both sides in one picture they are `left` and `right`. Raises
    `I2IError` (E_LAYOUT), saying what was found, when nothing fits or more than one thing does.
    """
    if not root.is_dir():
        raise I2IError("E_LAYOUT", "is not a folder; --data takes the folder that holds train/ and test/", path=root)
    inside = root / split
    nested, loose = _contents(inside) if inside.is_dir() else ([], False)
    flat = [side for side in sorted(_flat_sides(source, target)) if (root / f"{split}{side}").is_dir()]
    kinds = [bool(nested), loose, len(flat) == 2]
    if sum(kinds) > 1:
        raise I2IError("E_LAYOUT", _ambiguous(split, nested, loose=loose, flat=flat), path=root)
    if nested:
        first, second = _sides(inside, nested, source, target)
        return Layout(inside / first, inside / second)
    if loose:
        return Layout(inside, inside, side_by_side=True, source_left=_source_left(inside, source, target))
    if len(flat) == 2:
        first, second = _sides(root, flat, source, target)
        return Layout(root / f"{split}{first}", root / f"{split}{second}")
    raise I2IError("E_LAYOUT", _nothing(root, split), path=root)


def find_sides(root: Path, *, source: str | None = None, target: str | None = None) -> dict[str, Layout]:
    """The folders of both sides by split, where pictures are not paired; all are `train` where there are no splits.

    `source` and `target` are folder names; they choose two among several. Raises `I2IError` (E_LAYOUT), saying what was
    found, when nothing fits or more than one thing does.
    """
    if not root.is_dir():
        raise I2IError("E_LAYOUT", "is not a folder; --data takes the folder that holds the pictures", path=root)
    found = splits(root, source=source, target=target)
    if not found:
        first, second = _sides(root, _two_or_more(root), source, target)
        return {"train": Layout(root / first, root / second)}
    sides = {split: find_layout(root, split=split, source=source, target=target) for split in found}
    for split in (split for split, layout in sides.items() if layout.side_by_side):
        message = (
            f"{split}/ holds pictures of its own; without pairs each side has a folder: {split}/A and {split}/B (or "
            f"other names, given with --data.source and --data.target), or {split}A and {split}B"
        )
        raise I2IError("E_LAYOUT", message, path=root)
    return sides


def find_images(root: Path) -> dict[str, list[Path]]:
    """The pictures of one kind by split, relative to `root`, sorted; all are `train` where there are no splits.

    Raises `I2IError`: E_LAYOUT when pictures lie beside the folders of the splits, or `root` is no folder; E_NO_IMAGES
    for a split, or a folder, without pictures.
    """
    if not root.is_dir():
        raise I2IError("E_LAYOUT", "is not a folder; --data takes the folder that holds the pictures", path=root)
    nested, loose = _contents(root)
    found = [split for split in SPLITS if split in nested]
    if found and loose:
        message = f"holds pictures of its own beside {' and '.join(f'{split}/' for split in found)}; move them into one"
        raise I2IError("E_LAYOUT", message, path=root)
    pictures = {split: [Path(split) / name for name in list_images(root / split)] for split in found}
    pictures = pictures or {"train": list_images(root)}
    for split, names in pictures.items():
        if not names:
            folder = root / split if found else root
            raise I2IError("E_NO_IMAGES", "holds no pictures (links to files elsewhere do not count)", path=folder)
    return pictures


def domain_names(root: Path) -> tuple[str, ...]:
    """The domains: the sorted names of the folders in `train/`, or in `root` where there are no splits.

    Raises `I2IError` (E_LAYOUT) for less than two, for pictures beside their folders, and for folders in val/ or test/
    that train/ does not have.
    """
    folders = _domain_folders(root)
    if "train" not in folders:
        message = f"there is no split 'train', only {', '.join(folders)}; the domains are its folders: add it"
        raise I2IError("E_LAYOUT", message, path=root)
    names = tuple(name for name in folders["train"] if name != UNLABELLED)
    for folder in (name for name in names if not name.isprintable()):
        raise I2IError("E_LAYOUT", f"a domain cannot be named '{printable(folder)}'; rename the folder", path=root)
    if len(names) < 2:
        message = (
            f"the folders of the domains are {_listed(list(names))}, and there have to be two at least; "
            "pictures of one kind need none: --data.type images"
        )
        raise I2IError("E_LAYOUT", message, path=root)
    for split, found in folders.items():
        other = [name for name in found if name not in {*names, UNLABELLED}]
        if other:
            message = f"{split}/ has the domains {_listed(other)}, train/ has not; rename them, or add them to train/"
            raise I2IError("E_LAYOUT", message, path=root)
    return names


def find_domains(root: Path) -> dict[str, dict[str, list[Path]]]:
    """The pictures by split and there by domain (as in `domain_names`, and last `UNLABELLED`), relative to `root`.

    Raises `I2IError`: E_LAYOUT as `domain_names`, E_EMPTY_DOMAIN for a folder without pictures.
    """
    names = domain_names(root)
    found: dict[str, dict[str, list[Path]]] = {}
    for split, folders in _domain_folders(root).items():
        inside = Path(split) if (root / split).is_dir() else Path()
        chosen = [name for name in (*names, UNLABELLED) if name in folders]
        found[split] = {name: [inside / name / path for path in list_images(root / inside / name)] for name in chosen}
        for name in (name for name, pictures in found[split].items() if not pictures):
            message = "holds no pictures (links to files elsewhere do not count); add some, or remove the folder"
            raise I2IError("E_EMPTY_DOMAIN", message, path=root / inside / name)
    return found


def _domain_folders(root: Path) -> dict[str, list[str]]:
    """The folders of each split, or of `root` as those of `train`. Raises `I2IError` (E_LAYOUT) for loose pictures."""
    if not root.is_dir():
        raise I2IError(
            "E_LAYOUT", "is not a folder; --data takes the folder that holds the domains' folders", path=root
        )
    top = _contents(root)
    inside = {split: _contents(root / split) for split in SPLITS if split in top[0]}
    if {"trainA", "trainB"} <= set(top[0]):
        raise I2IError("E_LAYOUT", "trainA and trainB are two sides, not domains; use train/A and train/B", path=root)
    for name, (_, loose) in {"": top, **inside}.items():
        if loose:
            message = f"holds pictures beside the folders; move them into a domain's folder, or into {UNLABELLED}/"
            raise I2IError("E_LAYOUT", message, path=root / name)
    for split, (folders, _) in inside.items():
        if not folders:
            raise I2IError("E_NO_IMAGES", "holds no folders of domains; add them, or remove it", path=root / split)
    return {split: folders for split, (folders, _) in (inside or {"train": top}).items()}


def _two_or_more(root: Path) -> list[str]:
    """The folders in `root`. Raises `I2IError` (E_LAYOUT) for less than the two that both sides need."""
    names = _contents(root)[0]
    if len(names) < 2:
        message = (
            "there are no two sides: expected train/A and train/B (or other names, given with --data.source and "
            f"--data.target), trainA and trainB, or A and B; found the folders: {_listed(names)}"
        )
        raise I2IError("E_LAYOUT", message, path=root)
    return names


def _flat_sides(source: str | None, target: str | None) -> set[str]:
    """The endings of the folder names `trainA` and `trainB`."""
    if source is None and target is None:
        return {"A", "B"}
    return {source or ("A" if target == "B" else "B"), target or ("A" if source == "B" else "B")}


def _contents(folder: Path) -> tuple[list[str], bool]:
    """The names of the folders in a folder, and whether pictures lie directly in it. Hidden names do not count."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        folders = [entry.name for entry in entries if entry.is_dir()]
        return folders, any(entry.suffix.lower() in SUFFIXES and entry.is_file() for entry in entries)
    except OSError as error:
        raise I2IError("E_IO", f"the folder cannot be read: {error.strerror}", path=folder) from None


def _sides(folder: Path, names: list[str], source: str | None, target: str | None) -> tuple[str, str]:
    for option, name in (("--data.source", source), ("--data.target", target)):
        if name is not None and name not in names:
            raise I2IError("E_LAYOUT", f"{option} '{name}' does not exist here; found: {_listed(names)}", path=folder)
    if source is not None and source == target:
        raise I2IError("E_LAYOUT", f"--data.source and --data.target are both '{source}'", path=folder)
    if source is not None and target is not None:
        return source, target
    if len(names) == 2:
        if source is not None:
            return source, names[1 - names.index(source)]
        if target is not None:
            return names[1 - names.index(target)], target
        by_lower = {name.lower(): name for name in names}
        for first, second in ORDERED:
            if set(by_lower) == {first, second}:
                return by_lower[first], by_lower[second]
    message = (
        f"which folder is translated into which? found: {_listed(names)}; "
        "name them with --data.source FOLDER --data.target FOLDER"
    )
    raise I2IError("E_LAYOUT", message, path=folder)


def _source_left(folder: Path, source: str | None, target: str | None) -> bool:
    for option, name in (("--data.source", source), ("--data.target", target)):
        if name not in {None, "left", "right"}:
            message = f"pictures lie side by side in here, so {option} is left or right, not '{name}'"
            raise I2IError("E_LAYOUT", message, path=folder)
    if source is not None and source == target:
        raise I2IError("E_LAYOUT", f"--data.source and --data.target are both '{source}'", path=folder)
    return source == "left" or (source is None and target != "left")


def _ambiguous(split: str, nested: list[str], *, loose: bool, flat: list[str]) -> str:
    found = [f"{split}/ holds the folders {_listed(nested)}"] if nested else []
    found += [f"{split}/ holds pictures of its own"] if loose else []
    found += [f"there are {' and '.join(split + name for name in flat)}"] if len(flat) == 2 else []
    return f"more than one layout at once: {'; '.join(found)}; move all but one of them elsewhere"


def _nothing(root: Path, split: str) -> str:
    names = _contents(root)[0]
    hint = ""
    if (root / split).is_dir():
        hint = f"; {split}/ holds neither folders nor pictures"
    elif root.name in SPLITS or any(root.name == f"{name}{side}" for name in SPLITS for side in "AB"):
        hint = f"; --data takes the folder above: {printable(root.parent)}"
    return (
        f"no pairs for the split '{split}': expected {split}/A and {split}/B (or other names, given with --data.source "
        f"and --data.target), {split}A and {split}B, or pictures side by side in {split}/; "
        f"found the folders: {_listed(names)}{hint}"
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:_SHOWN]) or "none"
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
