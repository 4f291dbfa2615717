"""`autoprune trial`: one trial of a run, explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoprune.cli.options import import_option
from autoprune.cli.output import wrapped

if TYPE_CHECKING:
    from autoprune.runs.folder import RunFolder
    from autoprune.runs.outcome import Outcome


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("trial")
@click.option("--json", "as_json", is_flag=True, help="All of it, for scripts.")
@import_option
def trial(run: Path, trial: str, *, as_json: bool, imports: bool) -> None:
    """Explain one trial: its plan, scores, energies, how it was proposed, why it failed.

    TRIAL is a number, or a baseline: parent, fine-tuned, "without blocks.0.mlp".

    \b
    autoprune trial runs/digits 40
    autoprune trial runs/digits fine-tuned --json
    """
    from autoprune.runs.folder import RunFolder

    folder = RunFolder.opened(run, imports=imports)
    found = _document(folder, folder.read(trial))
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        for line in _lines(found):
            # A cause stands as it was raised, and a command is there to be copied.
            verbatim = line.startswith(("Cause:", "Export: "))
            click.echo(line if verbatim else wrapped(line))


def _document(folder: RunFolder, outcome: Outcome) -> dict[str, Any]:
    from autoprune.compress.plan import branch_words
    from autoprune.report.front.candidates import RunFronts
    from autoprune.report.front.trial import export_command, on_machine
    from autoprune.runs.machines import run_machines

    shape, found = folder.record.shape, outcome.measurement
    fronts, baselines = RunFronts(folder, folder.read_heads()), folder.read_baselines()
    return {
        "trial": outcome.key,
        "state": outcome.state,
        "same_as": outcome.same_as,
        "origin": outcome.origin,
        "expected_gain": _gain(folder, outcome),
        "seed": outcome.seed,
        "plan": outcome.plan.short(shape),
        "branches": {
            str(place): branch_words(branch, planned)
            for (place, branch), planned in zip(
                shape.branches(), outcome.plan.branches, strict=True
            )
        },
        "scores": [
            {"bits": precision.bits, "set": name, "score": score.name}
            | {"value": score.accuracy, "interval": score.interval}
            for precision in (found.precisions if found else ())
            for name, score in (("validation", precision.validation), ("test", precision.test))
        ],
        "parameters": found.parameters if found else None,
        "kept_weights": found.kept_weights if found else None,
        "machines": [
            asdict(on_machine(outcome, fronts.members(model), baselines, model))
            for model in run_machines(folder)
        ]
        if found
        else [],
        "seconds": asdict(found.seconds) if found and not outcome.same_as else None,
        "broken_budgets": dict(outcome.broken),
        "cause": outcome.cause,
        "export": export_command(folder.path, outcome.same_as or outcome.key) if found else None,
    }


def _gain(folder: RunFolder, outcome: Outcome) -> float | None:
    """What the sampler expected of it; only a sampler expects anything."""
    if outcome.origin != "sampled":
        return None
    from autoprune.search.proposals import read_proposals

    proposal = read_proposals(folder).get(outcome.key)
    return proposal.gain if proposal else None


def _lines(found: dict[str, Any]) -> Iterator[str]:
    same = f" of {found['same_as']}, not trained again" if found["same_as"] else ""
    yield f"Trial {found['trial']}: {found['state']}{same}"
    gain = found["expected_gain"]
    said = f", expected gain of hypervolume {gain:.3g}" if gain is not None else ""
    yield f"Proposed by: {found['origin']}{said}; seed {found['seed']}"
    yield f"Plan: {found['plan']}"
    for branch, words in found["branches"].items():
        yield f"  {branch}: {words}"
    for score in found["scores"]:
        low, high = (100 * end for end in score["interval"])
        name = f"{score['set']} {score['score']}, {score['bits']} bits"
        yield f"{name}: {100 * score['value']:.1f} % [{low:.1f} {high:.1f}]"
    if found["parameters"] is not None:
        kept = 100 * found["kept_weights"]
        yield f"{found['parameters']} nonzero parameters; {kept:.1f} % of block weights kept"
    for machine in found["machines"]:
        yield from _machine(machine)
    if found["seconds"]:
        parts = ", ".join(f"{name} {value:.1f} s" for name, value in found["seconds"].items())
        yield f"Time: {parts}"
    for budget, excess in found["broken_budgets"].items():
        yield f"Breaks {budget} by {100 * excess:.1f} %"
    if found["cause"]:
        yield f"Cause:\n{found['cause']}"
    if found["export"]:
        yield f"Export: {found['export']}"


def _machine(on: dict[str, Any]) -> Iterator[str]:
    if on["energy_uj"] is None:
        yield f"{on['machine']}: cannot run it: {on['missing']}"
        return
    ratio = on["energy_ratio"]
    compared = f", {ratio:.3f} of the fine-tuned parent" if ratio is not None else ""
    latency = f", {on['latency_us']:.4g} µs" if on["latency_us"] is not None else ""
    yield f"{on['machine']}: {on['energy_uj']:.4g} µJ at {on['bits']} bits{compared}{latency}"
    if on["on_front"]:
        yield "  on the front"
    elif on["dominated_by"]:
        yield f"  dominated by {', '.join(map(str, on['dominated_by']))}"
    else:
        yield "  not a candidate for the front, and no trial there dominates it"
    whole = sum(on["by_cause"].values())
    for cause, energy in on["by_cause"].items():
        if energy:
            yield f"  {100 * energy / whole:5.1f} %  {cause}"
