"""`autoprune price`: what one workload costs on one machine, by cause and by operation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from autoprune.cli.options import import_option, machine_option
from autoprune.cli.output import waiting

if TYPE_CHECKING:
    from autoprune.report.front.cost_report import CostReport


@click.command()
@click.argument("what", metavar="WORKLOAD|RUN:TRIAL")
@machine_option
@click.option(
    "--explain", "explained", is_flag=True, help="Every term: count, rule, price, source."
)
@click.option(
    "--sensitivity",
    type=click.FloatRange(0, 1, min_open=True),
    help="Move each price by this share, such as 0.5; of a trial, also the front of its run.",
)
@click.option("--json", "as_json", is_flag=True, help="For scripts: every term.")
@import_option
def price(  # noqa: PLR0913 - the options of the command line
    what: str,
    machine: str,
    *,
    explained: bool,
    sensitivity: float | None,
    as_json: bool,
    imports: bool,
) -> None:
    """Price a workload or a recorded trial on a machine.

    A workload is one that `profile` or `workload` wrote, or a list of layers in JSON or CSV, each
    with layer, dense_macs, input_rate, weight_density and time_steps; what is derived of these is
    said. A trial is a number, or a baseline such as fine-tuned.

    \b
    autoprune price runs/digits:17 --machine loihi1
    autoprune price runs/digits:17 --machine loihi1 --explain
    autoprune price runs/digits:17 --machine loihi1 --sensitivity 0.5
    autoprune price w.json --machine my_chip.toml --json
    autoprune price layers.csv --machine ops45_int8
    """
    if sum((explained, sensitivity is not None, as_json)) > 1:
        raise click.UsageError("one of --explain, --sensitivity and --json")
    from autoprune import api

    if sensitivity is not None:
        from autoprune.cli.console import plain_console
        from autoprune.report.tables.sensitivity import sensitivity_table

        with waiting("Reading the trials"):
            moved = api.sensitivity(what, machine, sensitivity, imports=imports)
        plain_console().print(sensitivity_table(moved))
        return
    found = api.cost_report(what, machine, imports=imports)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=1))
    else:
        print_report(found, explained=explained)


def print_report(found: CostReport, *, explained: bool) -> None:
    """Print what a workload costs; every term where it is to be `explained`."""
    from rich.text import Text

    from autoprune.cli.console import plain_console
    from autoprune.report.tables.explain import explain
    from autoprune.report.tables.price import figure_lines, head_lines, remark_lines, share_tables

    console = plain_console()
    total, about = head_lines(found)
    console.print(total, style="bold")
    console.print(about)
    for line in figure_lines(found):
        console.print(Text(line))
    if explained:
        for line in explain(found.cost, found.model):
            console.print(Text(line), soft_wrap=True)
    else:
        for table in share_tables(found.cost):
            console.print(table)
    for line in remark_lines(found):
        console.print(Text(line))
