"""The method of the documentation, written outside the package, compresses on Ray's workers."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import autoprune
from autoprune.cli.main import cli
from autoprune.compress.registry import forget
from autoprune.runs.folder import RunFolder

NAME = "my_method:RandomZeros"
SPACE = """
title = "zeros at random"
[branch.mlp]
random_zeros = { values = [0.0, 0.5, 0.9] }
[branch.attention]
l1p = { values = [0.0, 0.5] }
"""
SCORES = """
import torch


def last(weights, rates):
    assert not (rates == 1).all()  # they were measured
    return torch.arange(weights.shape[1]).expand(weights.shape)
"""


def command(*arguments: str) -> str:
    done = CliRunner().invoke(cli, list(arguments))
    assert done.exit_code == 0, f"{done.output}{done.exception!r}"
    return done.output


@pytest.fixture
def folder(root, short_study, tmp_path, monkeypatch):
    """A folder with the page's method, and a study that names it."""
    monkeypatch.chdir(tmp_path)
    page = (root / "docs" / "own_method.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(code.splitlines()) <= 40
    Path("my_method.py").write_text(code, encoding="utf-8")
    Path("my_scores.py").write_text(SCORES, encoding="utf-8")
    Path("space.toml").write_text(SPACE, encoding="utf-8")
    own = f'[compression]\nmethods = ["{NAME}"]\nl1p_score = "my_scores:last"'
    short_study(("short_space.toml", "space.toml"), after=own)
    yield tmp_path
    forget([NAME])
    for name in ("my_method", "my_scores"):
        sys.modules.pop(name, None)


def test_the_page_shows_what_check_prints(folder, root):
    page = (root / "docs" / "own_method.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    assert shown in command("check", NAME)


@pytest.mark.full
@pytest.mark.ray
def test_a_run_by_a_method_and_a_score_of_ones_own(folder):
    command("run", "study.toml", "--out", "out")
    run = RunFolder.opened(Path("out"))
    trials, shape = run.read_trials(), run.record.shape
    assert {outcome.state for outcome in trials} <= {"measured", "duplicate"}
    thinned = [o for o in trials if o.plan.part("random_zeros").amounts]
    assert len(thinned) > 1
    for outcome in thinned:
        assert outcome.measurement.kept_weights < 1
        assert outcome.measurement.kept_weights == (
            outcome.plan.kept_weights(shape) / shape.block_weights
        )
    both = next(outcome for outcome in thinned if outcome.plan.part("l1p").amounts)
    command("export", "out", str(both.key), "--out", "net", "--import")
    block = autoprune.load("net").blocks[0]
    hidden, out = block.mlp.fc1[0].weight, block.attn.proj_conv_bn[0].weight.flatten(1)
    assert (hidden == 0).float().mean() > 0.4
    assert (out[:, :8] == 0).all() and not (out[:, 8:] == 0).any()
    forget([NAME])
    assert "random_zeros?" in command("trials", "out")  # read without its code
