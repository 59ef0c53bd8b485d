"""The time before anything happens. The limits are the promised ones times three: a busy machine must not fail them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LIMITS = {"import i2i": 0.3, "i2i --help": 0.6}


def test_help_and_import_start_at_once(root: Path) -> None:
    command = [sys.executable, "tools/startup.py", "--runs", "5"]
    lines = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.splitlines()
    above = {line[:16].strip(): float(line.split()[-3]) for line in lines[1:]}
    assert set(LIMITS) < set(above)
    assert {name: above[name] for name, limit in LIMITS.items() if above[name] > limit} == {}
