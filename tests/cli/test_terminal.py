"""What commands print on terminals of 80 columns, dumb ones, without colour, and into files."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from autoprune.report.plots.text import WIDTH

AUTOPRUNE = [sys.executable, "-c", "from autoprune.cli.main import main; main()"]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*\b(3|4|9|10)\d(;[0-9;]*)?m")
CLEAN = {"COLORTERM", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TERM", "TTY_COMPATIBLE"}


def environment(**more: str) -> dict[str, str]:
    """This process's, without what says how a terminal is."""
    return {name: value for name, value in os.environ.items() if name not in CLEAN} | more


def on_terminal(folder: Path, *arguments: str, **variables: str) -> str:
    """What `autoprune ARGUMENTS` writes to a real terminal of 80 x 30, in a folder."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
    env = environment(**variables)
    with subprocess.Popen(
        [*AUTOPRUNE, *arguments], cwd=folder, env=env, stdin=side, stdout=side, stderr=side
    ) as process:
        os.close(side)
        said = b""
        while True:
            try:
                said += os.read(main, 65536)
            except OSError:  # the way in which Linux says that the other side is closed
                break
    os.close(main)
    assert process.returncode == 0, said.decode()
    return said.decode()


def longest(said: str) -> int:
    """Columns of the longest line, without what moves the cursor or colours."""
    return max(map(len, re.split(r"[\r\n]+", ESCAPE.sub("", said))))


@pytest.fixture(scope="module")
def desk(root: Path, short_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short study and its run."""
    folder = tmp_path_factory.mktemp("terminal")
    for file in (root / "tests" / "studies").glob("short*.toml"):
        shutil.copy(file, folder)
    shutil.copytree(short_run, folder / "run")
    return folder


@pytest.fixture(scope="module")
def drawn(desk: Path) -> str:
    """What the run of the short study writes to a coloured terminal."""
    arguments = ("run", "short.toml", "--workers", "0", "--out", "drawn")
    return on_terminal(desk, *arguments, TERM="xterm-256color")


@pytest.mark.full
def test_the_front_and_the_time_left_are_drawn_while_a_sweep_runs(drawn) -> None:
    frames = ESCAPE.sub("", drawn)
    meanwhile = frames[: frames.index("plans measured")]
    assert re.search(r"Trials \S+ [1-6]/7 \S*.*\d:\d\d:\d\d left \d:\d\d:\d\d", meanwhile)
    assert "J per inference, logarithmic" in meanwhile
    assert "+" + "-" * WIDTH in meanwhile
    assert re.search(r"\d \|.*[o2-9]", meanwhile), "no network is drawn"
    assert "trial 7 of 7" not in drawn, "those are lines of a log"
    assert longest(drawn) <= 80


@pytest.mark.full
def test_colour_and_none(desk, drawn) -> None:
    assert COLOUR.search(drawn)
    arguments = ("run", "short.toml", "--workers", "0", "--out", "drawn", "--trials", "8")
    plain = on_terminal(desk, *arguments, TERM="xterm-256color", NO_COLOR="1")
    assert "plans measured" in plain
    assert not COLOUR.search(plain)


@pytest.mark.full
def test_a_dumb_terminal_gets_lines_and_no_escapes(desk) -> None:
    shutil.copytree(desk / "run", desk / "dumb")
    arguments = ("run", "short.toml", "--workers", "0", "--out", "dumb", "--trials", "12")
    said = on_terminal(desk, *arguments, TERM="dumb")
    assert "\x1b" not in said
    assert re.search(r"trial 12 of 12: .*front \d", said)
    assert re.search(r"trial 1[01] of 12: .*\d:\d\d:\d\d left, front \d", said)
    assert longest(said) <= 80


COMMANDS = [
    ("run", "short.toml", "--dry-run"),
    ("status", "run"),
    ("front", "run"),
    ("trials", "run"),
    ("trials", "run", "--failed"),
    ("trial", "run", "3"),
    ("trial", "run", "fine-tuned"),
    ("list",),
    ("price", "run:3", "--machine", "loihi1"),
    ("pick", "run", "--machine", "loihi1"),
    ("compare", "run", "--machine", "loihi1", "--machine", "ops45_fp32"),
]

ALL = """
import json, sys
from autoprune.cli.main import main

for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    try:
        main()
    except SystemExit as end:
        print(f"{end.code}\\0", end="", flush=True)
"""
"""Runs commands, one after the other; behind what each writes are its exit code and a zero byte."""


@pytest.fixture(scope="module")
def written(desk: Path) -> list[str]:
    """What each command writes into a file, from one process in which Latin 1 is spoken."""
    done = subprocess.run(
        [sys.executable, "-c", ALL, json.dumps(COMMANDS)],
        cwd=desk,
        env=environment(PYTHONIOENCODING="latin-1", TERM="xterm-256color"),
        capture_output=True,
    )
    assert done.stderr == b""
    return done.stdout.decode("latin-1").split("\0")


@pytest.mark.full
@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=lambda n: " ".join(COMMANDS[n]))
def test_80_columns_into_a_file_of_any_encoding(written, number) -> None:
    """Without a terminal: the width is 80, there are no escapes, and Latin 1 is enough."""
    said = written[number]
    assert said.endswith("\n0")
    assert "\x1b" not in said
    assert len(said.splitlines()) >= 2
    assert longest(said) <= 80


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "run", "--out", "page.html"], "Reading every trial"),
        pytest.param(["trials", "run"], "Reading every trial", marks=pytest.mark.full),
        pytest.param(["front", "run"], "Reading the trials", marks=pytest.mark.full),
        pytest.param(["compare", "run"], "Reading the trials", marks=pytest.mark.full),
        (["pick", "run", "--machine", "loihi1"], "Reading the trials"),
        pytest.param(["status", "run"], "Reading the trials", marks=pytest.mark.full),
        pytest.param(
            ["price", "run:0", "--machine", "loihi1", "--sensitivity", "0.5"],
            "Reading the trials",
            marks=pytest.mark.full,
        ),
    ],
)
def test_a_terminal_sees_that_a_command_is_at_work(desk, arguments, words) -> None:
    said = on_terminal(desk, *arguments, TERM="xterm-256color")
    assert words in said
    assert f"{words}\r\n\x1b[?25h\r\x1b[1A\x1b[2K" in said, "it is not wiped away at the end"


def test_a_dumb_terminal_does_not_see_it(desk) -> None:
    said = on_terminal(desk, "pick", "run", "--machine", "loihi1", TERM="dumb")
    assert "Reading" not in said


def test_front_and_status_draw_the_front_in_ascii(desk) -> None:
    for command in ("front", "status"):
        env = environment(PYTHONIOENCODING="ascii")
        done = subprocess.run(
            [*AUTOPRUNE, command, "run"], cwd=desk, env=env, capture_output=True, check=True
        )
        said = done.stdout.decode("ascii")
        machines = len(list((desk / "run" / "fronts").iterdir()))
        assert said.count("J per inference, logarithmic") == machines
        assert said.count("validation accuracy %") == machines
