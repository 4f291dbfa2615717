"""`autoprune run --quiet` and `--json-lines`: what a script reads."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import count

import pytest
from rich.console import Console

from autoprune.cli.output import wrapped
from autoprune.runs.folder import RunFolder
from autoprune.sweep.progress import SearchProgress
from autoprune.sweep.terminal import Terminal


@pytest.mark.full
def test_events_then_one_line(autoprune, root, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("AUTOPRUNE_CACHE", str(tmp_path / "cache"))  # hence the parent is trained
    study, folder = root / "tests" / "studies" / "short.toml", tmp_path / "run"
    said = autoprune("run", study, "--workers", "0", "--out", folder, "--json-lines")
    assert said.code == 0, said.err
    events = [json.loads(line) for line in said.out.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[-1] == "finished" and kinds.count("baselines") == 1
    assert set(kinds) == {"training", "measuring", "baselines", "progress", "finished"}
    epochs = [(e["epoch"], e["epochs"]) for e in events if e["event"] == "training"]
    assert epochs == [(0, 3), (1, 3), (2, 3), (3, 3)]
    measured = [(e["done"], e["total"]) for e in events if e["event"] == "measuring"]
    assert sorted(set(measured)) == [(done, 5) for done in range(6)]
    scores = next(e["scores"] for e in events if e["event"] == "baselines")
    assert len(scores) == 5 and all(0 < score <= 1 for score in scores.values())
    assert events[-1] == {"event": "finished", "folder": str(folder), "interrupted": False}
    last = [event for event in events if event["event"] == "progress"][-1]
    assert (last["done"], last["trials"], last["running"]) == (7, 7, 0)
    assert last["states"] == {"measured": 9}
    assert last["best"] == max(
        t.measurement.validation.accuracy for t in RunFolder(folder).read_trials()
    )
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
    standing = SearchProgress(
        done=3, trials=10, running=2, states=states, best=0.97, fronts={"loihi1": []}
    )
    with Terminal(Console(file=text, width=80)) as terminal:
        terminal.progress(standing)
    said = "trial 3 of 10: 2 running, 1 failed, front 0 on loihi1, best 97.0 %\n"
    assert text.getvalue() == said


class Log:
    """A terminal that is none, with a clock that is set by hand."""

    def __init__(self) -> None:
        self.text, self.now = io.StringIO(), 0.0
        console = Console(file=self.text, width=80, get_time=lambda: self.now)
        self.terminal = Terminal(console)

    @property
    def lines(self) -> list[str]:
        return self.text.getvalue().splitlines()

    def trials(self, trials: int, seconds: float) -> Iterator[int]:
        """Trials end one by one, each after so many seconds."""
        for done in range(trials + 1):
            self.now += seconds if done else 0
            self.terminal.progress(
                SearchProgress(
                    done=done, trials=trials, running=1, states={}, best=None, fronts={"a": []}
                )
            )
            yield done


def test_a_log_of_quick_trials_has_a_line_per_tenth_with_the_time_left() -> None:
    log = Log()
    list(log.trials(1000, seconds=1))
    assert len(log.lines) == 10
    assert log.lines[2] == "trial 300 of 1000: 1 running, 0:11:40 left, front 0 on a"
    assert log.lines[-1] == "trial 1000 of 1000: 1 running, front 0 on a"


def test_a_log_of_slow_trials_is_never_silent_for_long() -> None:
    log = Log()
    said = [len(log.lines) for _ in log.trials(1000, seconds=100)]
    assert said[3] == 1 and said[2] == 0, "five minutes are three trials"
    assert 300 < len(log.lines) < 350
    assert log.lines[1] == "trial 6 of 1000: 1 running, 1 day, 3:36:40 left, front 0 on a"


def test_a_run_that_goes_on_counts_only_its_own_trials_for_the_time_left() -> None:
    log = Log()
    for done in (50, 51, 52, 60):
        log.now += 10 if done in (51, 52) else 80 if done == 60 else 0
        log.terminal.progress(
            SearchProgress(done=done, trials=100, running=1, states={}, best=None, fronts={"a": []})
        )
    assert log.lines[-1] == "trial 60 of 100: 1 running, 0:06:40 left, front 0 on a"


def test_a_log_tells_of_a_long_training_and_of_baselines() -> None:
    log = Log()
    for epoch in range(1, 11):
        log.now += 200
        log.terminal.training(epoch, 10)
    for done in range(4):
        log.now += 400 * (done > 0)
        log.terminal.measuring(done, 3)
    assert log.lines == [
        "parent, epoch 2 of 10: 0:26:40 left",
        "parent, epoch 4 of 10: 0:20:00 left",
        "parent, epoch 6 of 10: 0:13:20 left",
        "parent, epoch 8 of 10: 0:06:40 left",
        "Parent trained for 10 epochs.",
        "baseline 0 of 3",
        "baseline 1 of 3",
        "baseline 2 of 3: 0:06:40 left",
        "baseline 3 of 3",
    ]


@pytest.mark.parametrize("words", [3, 40])
def test_long_lines_break_between_words_and_long_words_do_not(words) -> None:
    line = "  " + ", ".join(str(n) for n, _ in zip(count(1000), range(words), strict=False))
    found = wrapped(line).splitlines()
    assert max(map(len, found)) <= 80
    assert "".join(part.strip() + " " for part in found).strip() == line.strip()
    assert all(part.startswith("    ") for part in found[1:])
    assert (len(found) == 1) == (words == 3)
    path = "/x" * 60
    assert path in wrapped(f"Data of {path} here").splitlines()[1]
