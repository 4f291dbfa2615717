"""The manifest of an exported folder: what the network is, and what was proved of it."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from autoprune.deploy.load import FORMAT, MANIFEST, described
from autoprune.deploy.member import Member
from autoprune.runs.machines import run_machines
from autoprune.trial.measurement import Score

README = "README.md"


def facts(member: Member) -> dict[str, Any]:
    """Where the network comes from and what was measured, as it stands on record."""
    measurement = member.measurement
    return {
        "title": member.run.record.title,
        "trial": member.key,
        "trained_as": member.same_as,
        "weights_trained_again": member.rebuilt,
        "seed": measurement.seed,
        "plan": measurement.plan.short(member.shape),
        "data": str(member.setup.data.about),
        "input": _input(member),
        "time_steps": measurement.plan.effort.time_steps,
        "validation": _score(measurement.validation),
        "test": _score(measurement.test),
        "accuracy_bits": measurement.precisions[0].bits,
        "parameters": measurement.parameters,
        "effective_sops_per_sample": measurement.workload.per_sample("effective_sops"),
        "machines": _machines(member),
        "versions": versions(),
    }


def _input(member: Member) -> list[int | str]:
    """Shape of what the network is called with, the number of samples as ``B``."""
    one, two = (member.inputs(count).shape for count in (1, 2))
    return [size if size == other else "B" for size, other in zip(one, two, strict=True)]


def _score(score: Score) -> dict[str, Any]:
    low, high = score.interval
    return {
        "score": score.name,
        "correct": score.correct,
        "total": score.total,
        "value": score.accuracy,
        "interval_95": [low, high],
    }


def _machines(member: Member) -> dict[str, Any]:
    """Scores, energy and latency on every machine of the run; null where a machine defines none.

    The scores are those of the network with its weights rounded to `accuracy_bits` bits.
    """
    found = {}
    for model in run_machines(member.run):
        measured = member.measurement.at(model.machine.weight_bits)
        cost = model.price(measured.workload)
        found[model.machine.name] = {
            "validation": _score(measured.validation),
            "test": _score(measured.test),
            "accuracy_bits": measured.bits,
            "energy_uj": cost.energy_uj,
            "latency_us": cost.latency_us,
            "priced_bits": model.machine.weight_bits,
        }
    return found


def versions() -> dict[str, str]:
    """Of what made the folder."""
    found = {"python": platform.python_version()}
    for name in ("torch", "spikingjelly", "safetensors", "autoprune"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def write_manifest(folder: Path, document: dict[str, Any], files: Iterable[str]) -> None:
    """Write the manifest with size and SHA-256 of every file."""
    listed = {name: described(folder / name) for name in sorted(files)}
    whole = {"autoprune_export": FORMAT, **document, "files": listed}
    (folder / MANIFEST).write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def write_readme(folder: Path, document: dict[str, Any]) -> str:
    """Write six lines: what this is and how it is loaded; returns the file's name."""
    network, score = document["network"], document["validation"]
    key = document["trial"]
    what = f"trial {key}" if key.isdecimal() else f"the baseline {key!r}"
    own = [name for name in (network["model"], network["adapter"]) if name and ":" in name]
    modules = ", ".join(sorted({f"`{name.partition(':')[0]}`" for name in own}))
    needed = "torch, safetensors and spikingjelly" + (f", and {modules} importable" if own else "")
    shape = " x ".join(map(str, document["input"]))
    lines = (
        f"# {network['class']}, {what} of *{document['title']}*",
        f"Plan `{document['plan']}`; validation {score['score']} {100 * score['value']:.1f} %; "
        f"input {shape}; everything else is in `manifest.json`.",
        f"Without autoprune (it needs {needed}):",
        '`import runpy; network = runpy.run_path("FOLDER/load_network.py")["load"]()`',
        'With autoprune: `import autoprune; network = autoprune.load("FOLDER")`',
        "Before every input: `spikingjelly.activation_based.functional.reset_net(network)`",
    )
    (folder / README).write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return README
