"""Trainings that a script starts: run to their end from wherever they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def python(*words: str) -> None:
    """Run a script or a module of the checkout; ends the program when it fails."""
    ended = subprocess.run([sys.executable, *words], cwd=ROOT, check=False).returncode
    if ended:
        raise SystemExit(ended)


def finish(run: Path, preset: str, *options: str) -> None:
    """Bring a run to its end: begun with `options`, resumed where it was interrupted, left alone where it is done."""
    if (run / "report.html").exists():
        return
    begun = (run / "recipe.yaml").exists()
    python("-m", "i2i", "train", preset, "--out", str(run.absolute()), *(["--resume"] if begun else options))
