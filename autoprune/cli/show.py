"""`autoprune show`: a machine, search space or study with all its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autoprune.cli import complete
from autoprune.cli.options import import_option
from autoprune.cli.output import laid_out

if TYPE_CHECKING:
    from rich.console import RenderableType

    from autoprune.cost.machine import Machine
    from autoprune.cost.model import CostModel
    from autoprune.cost.price import Price, Quantity
    from autoprune.study.shown import Shown


@click.command()
@click.argument("name_or_file", shell_complete=complete.anything)
@import_option
def show(name_or_file: str, *, imports: bool) -> None:
    """Show a machine, search space or study with all its numbers.

    Of a machine every price is shown with unit, evidence and source.

    \b
    autoprune show loihi1
    autoprune show digits
    """
    from autoprune import api

    for shown in api.show(name_or_file, imports=imports):
        if shown.model is not None:
            _machine(shown, shown.model)
        else:
            click.echo(f"# {shown.kind}: {shown.file}\n")
            click.echo(shown.text)


def _machine(shown: Shown, model: CostModel) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from autoprune.cli.console import plain_console

    console, machine = plain_console(), model.machine
    console.print(Text(f"{machine.name}: {machine.title}", style="bold"))
    scopes = ", ".join(sorted({price.scope.replace("_", " ") for price in machine.prices}))
    console.print(Text(str(shown.file)))
    console.print(
        Text(
            f"family {machine.family}, weights at {machine.weight_bits} bits, held "
            f"{' or '.join(model.held_as)}, prices {scopes}"
            + (f", zeros skipped by {' and '.join(p)}" if (p := machine.skipped_patterns) else "")
        )
    )
    console.print(_numbers(machine))
    for title, lines in (
        ("Choices", [f"{name}: {word}" for name, word in machine.choices.items()]),
        ("Capabilities", [f"{k}: {v}" for k, v in machine.capabilities.model_dump().items()]),
        ("Neurons", machine.neurons.lines()),
        ("Arithmetic", machine.fixed_point.lines() if machine.fixed_point else []),
        ("Emulated", machine.emulated),
        ("Not modelled", machine.not_modelled),
        ("References", machine.references),
    ):
        if lines:
            console.print(Text(f"{title}:", style="bold"))
            for line in lines:
                console.print(Padding(Text(line), (0, 0, 0, 2)))
    console.print(Text("Formulas:", style="bold"))
    click.echo(laid_out(shown.formulas))


def _numbers(machine: Machine) -> RenderableType:
    """Every number with unit, evidence and source."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("number", "value", "unit", "evidence"):
        table.add_column(name, no_wrap=True, justify="right" if name == "value" else "left")
    table.add_column("source", overflow="fold")
    host = (price for _, price in machine.host)
    numbers: tuple[Price | Quantity, ...] = (
        *machine.prices,
        *host,
        *machine.parameters,
        *machine.limits,
    )
    for number in numbers:
        bits = getattr(number, "access_bits", None)  # a Quantity has none
        unit = f"{number.unit} / {bits} bit" if bits else number.unit
        value = getattr(number, "range", f"{number.value:g}")  # a Quantity has none
        table.add_row(number.name, value, unit, number.evidence, number.source)
    return table
