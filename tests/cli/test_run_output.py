"""`autoprune run --quiet` and `--json-lines`: what a script reads."""

from __future__ import annotations

import io
import json

from rich.console import Console

from autoprune.cli.progress import Terminal
from autoprune.tracker import Standing


def test_events_then_one_line(autoprune, root, tmp_path) -> None:
    study, folder = root / "tests" / "studies" / "short.toml", tmp_path / "run"
    said = autoprune("run", study, "--workers", "0", "--out", folder, "--json-lines")
    assert said.code == 0, said.err
    events = [json.loads(line) for line in said.out.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[-1] == "finished" and kinds.count("baselines") == 1
    last = [event for event in events if event["event"] == "progress"][-1]
    assert (last["done"], last["trials"]) == (7, 7)
    front = json.loads((folder / "fronts" / "loihi1" / "front.json").read_text())["front"]
    assert last["fronts"]["loihi1"] == [row["trial"] for row in front]
    assert "plans measured" in said.err

    said = autoprune("run", study, "--workers", "0", "--out", folder, "--quiet")
    assert (said.code, said.err) == (0, "")
    [line] = said.out.splitlines()
    assert line.startswith(f"{folder}: 7 plans measured")


def test_quiet_refusals_are_still_told(autoprune) -> None:
    said = autoprune("run", "digts", "--quiet")
    assert (said.code, said.out) == (2, "")
    assert "did you mean 'digits'?" in said.err
    assert autoprune("run", "digits", "--quiet", "--dry-run").code == 2


def test_progress_counts_running_and_failed_trials() -> None:
    text = io.StringIO()
    states = {"measured": 2, "failed": 1}
    standing = Standing(
        done=3, trials=10, running=2, states=states, best=0.97, fronts={"loihi1": []}
    )
    with Terminal(Console(file=text, width=80)) as terminal:
        terminal.progress(standing)
    said = "trial 3 of 10: 2 running, 1 failed, front 0 on loihi1, best 97.0 %\n"
    assert text.getvalue() == said
