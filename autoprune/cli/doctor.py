"""`autoprune doctor`: whether the installation works, and what to do where it does not."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from autoprune.sweep.doctor import Finding


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def doctor(*, as_json: bool) -> None:
    """Check the installation: versions, imports, threads, memory, GPU, Ray, folders.

    Ray is started and runs a task, which takes seconds. Exit code 1 where something is broken.

    \b
    autoprune doctor
    autoprune doctor --json
    """
    from autoprune import api

    findings = api.doctor() if as_json else api.doctor(_print)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    if any(finding.level == "error" for finding in findings):
        raise click.exceptions.Exit(1)


def _print(finding: Finding) -> None:
    click.echo(f"{finding.level:7}  {finding.subject}: {finding.found}")
    if finding.remedy:
        click.echo(f"         -> {finding.remedy}")
