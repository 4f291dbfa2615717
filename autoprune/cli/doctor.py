"""`autoprune doctor`: whether the installation works, and what to do where it does not."""

from __future__ import annotations

import json
from dataclasses import asdict

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def doctor(*, as_json: bool) -> None:
    """Check the installation: versions, imports, threads, memory, GPU, Ray, folders.

    Ray is started and runs a task, which takes seconds. Exit code 1 where something is broken.

    \b
    autoprune doctor
    autoprune doctor --json
    """
    from autoprune.sweep.doctor import examine

    findings = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            click.echo(f"{finding.level:7}  {finding.subject}: {finding.found}")
            if finding.remedy:
                click.echo(f"         -> {finding.remedy}")
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    if any(finding.level == "error" for finding in findings):
        raise click.exceptions.Exit(1)
