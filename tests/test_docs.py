"""The pages of the machines are those that the code and its published figures give."""

from __future__ import annotations

import subprocess
import sys


def test_the_pages_of_the_machines_are_up_to_date(root, tmp_path):
    """Else run ``python docs/machine_pages.py``."""
    script = root / "docs" / "machine_pages.py"
    subprocess.run([sys.executable, script, "--out", tmp_path], check=True, capture_output=True)
    pages = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    kept = root / "docs" / "machines"
    assert pages == {f.name: f.read_text(encoding="utf-8") for f in kept.iterdir()}
    assert "| 112283 | 112283 |" in pages["systolic.md"]
