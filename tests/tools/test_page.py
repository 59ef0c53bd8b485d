"""The demo page: every shipped model is on its menu, what is drawn on first."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_shipped_model_is_on_the_menu(tmp_path):
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        (runtime / name).write_bytes(b"")
    command = [sys.executable, "tools/page.py", str(tmp_path / "page"), "--onnxruntime-web", str(runtime)]
    subprocess.run(command, cwd=ROOT, check=True)
    entries = json.loads((tmp_path / "page" / "models.json").read_text())["models"]
    shipped = {path.parent.name for path in (ROOT / "pretrained").glob("*/model.onnx")}
    assert {entry["name"] for entry in entries} == shipped
    by_name = {entry["name"]: entry for entry in entries}
    assert by_name["line2emoji"]["canvas"]
    assert not by_name["satellite2relief"]["canvas"]
    assert [entry["noise"] for entry in entries] == sorted(entry["noise"] for entry in entries)
    assert by_name["line2emoji"]["licences"] == ["licences/MIT-Microsoft-fluent-emoji.txt"]
    assert by_name["satellite2relief"]["licences"] == []
    assert all((tmp_path / "page" / path).exists() for entry in entries for path in entry["licences"])
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 3  # a folder that is there is not touched
