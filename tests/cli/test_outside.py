"""Text that is another's is shown by every command: it is no markup, and commands no terminal."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from autoprune.cli.console import showing
from autoprune.report.frames import to_csv
from autoprune.report.outside import cell, printable
from autoprune.runs.folder import RunFolder
from autoprune.trial.key import TrialKey

HOSTILE = (
    "\x1b]8;;http://evil.example\x07click\x1b]8;;\x07 \x1b[2J\u202e [bold]x[/bold] :smile: [/INST]"
)
SHOWN = (
    r"\x1b]8;;http://evil.example\x07click\x1b]8;;\x07 \x1b[2J\u202e [bold]x[/bold] :smile: [/INST]"
)
COMMANDS = {
    "front": ["RUN"],
    "front of one": ["RUN", "--machine", "loihi1"],
    "front csv": ["RUN", "--csv"],
    "pick": ["RUN", "--machine", "loihi1"],
    "status": ["RUN"],
    "trials": ["RUN"],
    "trials failed": ["RUN", "--failed"],
    "trials csv": ["RUN", "--csv"],
    "trial": ["RUN", "2"],
    "compare": ["RUN"],
    "price": ["RUN:1", "--machine", "loihi1", "--explain"],
    "show": ["CHIP"],
    "check": ["CHIP"],
}


@pytest.fixture
def hostile(run_folder) -> Path:
    """A run whose titles, data and cause hold what terminals and rich obey."""
    folder = RunFolder(run_folder)
    folder.write_record(replace(folder.record, title=HOSTILE, data=HOSTILE))
    folder.write(replace(folder.read(TrialKey(2)), cause=HOSTILE))
    for file in folder.machines.glob("*.toml"):
        lines = file.read_text(encoding="utf-8").splitlines()
        titled = next(i for i, line in enumerate(lines) if line.startswith("title"))
        lines[titled] = f"title = {json.dumps(HOSTILE)}"
        file.write_text("\n".join(lines), encoding="utf-8")
    return run_folder


@pytest.mark.parametrize("command", COMMANDS)
def test_it_is_shown(autoprune, hostile, command):
    chip = str(hostile / "machines" / "loihi1.toml")
    words = [w.replace("RUN", str(hostile)).replace("CHIP", chip) for w in COMMANDS[command]]
    said = autoprune(command.split()[0], *words)
    assert said.code == 0, said.err
    text = said.out + said.err
    assert printable(text) == text
    assert "☺" not in text and "😄" not in text
    if command in ("front", "status", "trials failed", "trials csv", "trial", "show"):
        assert SHOWN[:25] in text.replace("\n", ""), "rich leaves the bell out"


def test_a_message_about_a_file_shows_what_the_file_says(autoprune, tmp_path):
    (tmp_path / "chip.toml").write_text(f"title = 1\n{json.dumps(HOSTILE)} = 2", encoding="utf-8")
    said = autoprune("check", tmp_path / "chip.toml")
    assert said.code == 2
    assert printable(said.err) == said.err
    assert "Traceback" not in said.err


def test_closed_streams_are_written_to_nowhere(monkeypatch):
    """Python has no stdout where the shell closed it."""
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    with showing():
        sys.stdout.write("to nobody")
        sys.stderr.write("to nobody")
    assert sys.stdout is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("µ θ — Ünïcode, 文\ta line\nmore", "µ θ — Ünïcode, 文\ta line\nmore"),
        ("\x00\x07\x08\r\x7f\x9b", r"\x00\x07\x08\r\x7f\x9b"),
        ("a\u202eb\u2028c\u200ed", r"a\u202eb\u2028c\u200ed"),
    ],
)
def test_every_control_character_is_shown(given, shown):
    assert printable(given) == shown


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t"])
def test_no_cell_is_a_formula(sign):
    frame = pd.DataFrame(
        {"trial": [1, 2], "cause": [f"{sign}cmd|' /C calc'!A0", "-"], "x": [-1, 2]}
    )
    said = to_csv(frame.set_index("trial"))
    assert f"\n1,'{sign}cmd" in said or f"\n1,\"'{sign}cmd" in said
    assert ",-1\n" in said, "a number stays one"
    assert "\n2,-,2\n" in said
    assert (cell(-1.5), cell(None), cell("a=b")) == (-1.5, None, "a=b")
