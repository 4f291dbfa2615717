"""The benchmarks run; what they measure is read by people, not asserted."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["throughput.py", "--rounds", "1", "--plans", "2"], "ratio "),
        (["seeds.py", "--seeds", "1", "--trials", "2", "--workers", "0"], "gained over uniform"),
    ],
)
@pytest.mark.ray
def test_benchmark(root, tmp_path, arguments, expected):
    script = root / "benchmarks" / arguments[0]
    study = root / "tests" / "studies" / "short.toml"
    done = subprocess.run(
        [sys.executable, str(script), "--study", str(study), *arguments[1:]],
        env={**os.environ, "AUTOPRUNE_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
