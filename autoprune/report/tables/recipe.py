"""How learning rates were chosen, as a table for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_lowercase

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.report.units import score_words
from autoprune.runs.recipe import Choice, ChosenRates


def recipe_table(chosen: ChosenRates) -> RenderableType:
    """Every rate that was tried with its validation scores, the best one marked, and the cost."""
    plans = dict.fromkeys(plan for choice in chosen.choices for plan in choice.plans)
    letters = dict(zip(plans, ascii_lowercase, strict=False))
    said = [f"{letter}: {plan}" for plan, letter in letters.items()]
    said += [
        "* best of all samples together; one seed per plan, the same at every rate.",
        f"{chosen.trainings} trainings, {chosen.seconds / 60:.2g} minutes of one worker.",
        *chosen.doubts,
    ]
    tables = [
        part
        for choice in chosen.choices
        for part in (f"finetune.{choice.of}, tried on validation data", _table(choice, letters))
    ]
    return Group(*tables, Text("\n".join(said)))


def _table(choice: Choice, letters: Mapping[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    plans = [f"{letters[plan]} val %" for plan in choice.plans]
    for name in ("rate", *plans, "together [95 %]"):
        table.add_column(name, justify="right", no_wrap=True)
    for attempt in choice.attempts:
        scores = ("failed" if s is None else f"{100 * s:.1f}" for s in attempt.scores)
        best = "*" if attempt == choice.best else " "
        table.add_row(f"{attempt.rate:g}{best}", *scores, score_words(attempt.score))
    return table
