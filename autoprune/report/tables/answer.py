"""What a run found, one line per machine, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.report.front.answer import Answer
from autoprune.report.front.trial import export_command
from autoprune.report.units import energy_words, score_words, significant


def answer_table(answers: Sequence[Answer], score: str) -> RenderableType:
    """The pick of every machine: its score, its energy, and how many times less that is."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), collapse_padding=True)
    table.add_column("machine", no_wrap=True)
    judged = any(one.row is not None and one.row.posterior for one in answers)
    heads = ("trial", f"val {score}\n% [95 %]", *(["worth\n%"] if judged else []), "energy",
             "less than\nthe parent", "less than\nuniform")  # fmt: skip
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for one in answers:
        if one.row is None:
            table.add_row(one.machine, *["-"] * len(heads))
            continue
        table.add_row(
            one.machine,
            str(one.row.trial),
            score_words(one.row.validation),
            *([f"{100 * one.row.worth:.1f}"] if judged else []),
            energy_words(one.row.energy_uj),
            _times(one.less_than_parent),
            _times(one.less_than_uniform),
        )
    lines = [f"{one.machine}: {one.reason}." for one in answers if one.row is None]
    if judged:
        lines.append("Worth: what all trials lead one to expect, by which fronts are chosen.")
    lines.append(
        "Taken is the knee of each front. Times less energy: than the fine-tuned parent, and than "
        "the cheapest uniform compression that is as accurate (-: none is)."
    )
    return Group(table, Text("\n".join(lines)))


def next_lines(run: Path, answers: Sequence[Answer]) -> Iterator[str]:
    """The commands that come next, each with what it gives: those of fronts where there are any."""
    taken = [one for one in answers if one.row is not None]
    commands = [
        (shlex.join(["autoprune", "report", str(run)]), "everything on one page"),
        (shlex.join(["autoprune", "front", str(run)]), "every front, explained"),
    ]
    if not answers:
        commands = [(shlex.join(["autoprune", "trials", str(run)]), "how every trial ended")]
    if taken and taken[0].row is not None:
        export = export_command(run, taken[0].row.key)
        commands.append((export, f"the one for {taken[0].machine}"))
    width = max(len(command) for command, _ in commands)
    for command, what in commands:
        yield f"  {command:{width}}  {what}"


def _times(value: float | None) -> str:
    return "-" if value is None else f"{significant(value, 2)} x"
