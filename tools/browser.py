"""The page in headless Chromium, as its tests and measurements drive it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# No GPU, no sandbox (root in a container has none), and nothing that dials out.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
SECONDS = 120


@contextmanager
def browser(**options: Any) -> Iterator[Any]:
    """A fresh Chromium as a playwright context; `options` are those of `launch_persistent_context`.

    Ends the program where chromium or playwright is missing.
    """
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise SystemExit("playwright is missing; run: pip install playwright") from None
    if chromium is None:
        raise SystemExit("chromium is missing; run: apt-get install chromium")
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        launch = playwright.chromium.launch_persistent_context
        context = launch(profile, executable_path=chromium, args=list(FLAGS), **options)
        context.set_default_timeout(1000 * SECONDS)
        yield context
        context.close()


@contextmanager
def served(folder: Path, command: Sequence[str] | None = None) -> Iterator[str]:
    """The address of a folder's serve.py while the block runs, or of another server that prints its own."""
    words = command or [sys.executable, str(folder / "serve.py"), "0"]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None  # it was asked for
        try:
            found = re.search(r"http://[\d.]+:\d+/", server.stdout.readline())
            if found is None:
                raise SystemExit(f"{words} does not say where it serves")
            yield found[0]
        finally:
            server.terminate()


def status(page: Any, pattern: str) -> str:
    """What the page's status says once it matches."""
    place = page.locator("#status", has_text=re.compile(pattern))
    place.wait_for()
    return str(place.text_content())
