"""`autoprune show`: a machine, search space or study with all its numbers."""

from __future__ import annotations

from pathlib import Path

import click

from autoprune.cli.kinds import find_all


@click.command()
@click.argument("name_or_file")
def show(name_or_file: str) -> None:
    """Show a machine, search space or study with all its numbers.

    Of a machine every price is shown with unit, evidence and source.

    \b
    autoprune show loihi1
    autoprune show digits
    """
    for kind, path in find_all(name_or_file):
        if kind == "machine":
            _machine(path)
        else:
            click.echo(f"# {kind}: {path}\n")
            click.echo(path.read_text(encoding="utf-8"))


def _machine(path: Path) -> None:
    import inspect
    import sys

    from rich.console import Console
    from rich.table import Table

    from autoprune.cost.load import load_machine
    from autoprune.cost.price import Price

    model = load_machine(str(path))
    machine = model.machine
    console = Console()
    console.print(f"{machine.name}: {machine.title}", style="bold", markup=False)
    console.print(f"{path}\nfamily {machine.family}, weights at {machine.weight_bits} bits")
    table = Table("number", "value", "unit", "evidence", "source")
    for number in (*machine.prices, *machine.parameters):
        per = f" per {number.access_bits} bit" if isinstance(number, Price) and number.access_bits else ""
        table.add_row(
            number.name, f"{number.value:g}", f"{number.unit}{per}", number.evidence, number.source
        )
    console.print(table)
    for title, lines in (
        ("Choices", [f"{name}: {word}" for name, word in machine.choices.items()]),
        ("Capabilities", [f"{k}: {v}" for k, v in machine.capabilities.model_dump().items()]),
        ("Emulated", machine.emulated),
        ("Not modelled", machine.not_modelled),
        ("References", machine.references),
    ):
        if lines:
            console.print(f"{title}:", style="bold")
            for line in lines:
                console.print(f"  {line}", markup=False, highlight=False)
    console.print("Formulas:", style="bold")
    console.print(inspect.getdoc(sys.modules[type(model).__module__]), markup=False, highlight=False)
