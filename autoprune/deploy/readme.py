"""The README of an exported folder: what the network is, what it expects, and how it is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from autoprune.data.preparation import Preparation
from autoprune.deploy.form import Form
from autoprune.deploy.manifest import Facts
from autoprune.trial.key import TrialKey

README = "README.md"
_EVENTS = 5
"""Dimensions of frames of events, [time steps, samples, 2, H, W]; images have one less."""


def write_readme(folder: Path, facts: Facts, form: Form) -> str:
    """Write what this is, what it expects and a whole program; returns the file's name."""
    network, score = form.network, facts.validation
    what = TrialKey.parse(facts.trial).words
    modules = ", ".join(sorted({f"`{name.partition(':')[0]}`" for name in network.code}))
    needed = "torch, safetensors and spikingjelly"
    needed += f", and {modules} importable" if modules else ""
    allowed = ", imports=True" if modules else ""
    shape = " x ".join(map(str, facts.input))
    parts = (
        f"# {network.kind}, {what} of *{facts.title}*",
        f"Plan `{facts.plan}`; validation {score.name} {100 * score.accuracy:.1f} %; "
        f"input {shape}; everything else is in `manifest.json`.",
        " ".join(_expected(facts)),
        f"Without autoprune (it needs {needed}), FOLDER being this folder:",
        "\n".join(("```python", *program(facts), "```")),
        f'With autoprune: `import autoprune; network = autoprune.load("FOLDER"{allowed})`.',
    )
    (folder / README).write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return README


def _expected(facts: Facts) -> Iterator[str]:
    """What becomes of raw samples, what the network then sees, and what its outputs mean."""
    how = facts.preparation
    yield f"Raw samples: {how}." if how else "Samples as the study's own function gives them."
    low, high = facts.input_range
    yield (
        f"What the network was then called with lay between {low:.4g} and {high:.4g} on "
        f"{facts.input_samples} validation samples; anything else is noise to it."
    )
    if facts.class_names:
        yield f"Classes: {', '.join(facts.class_names)}."


def program(facts: Facts) -> Iterator[str]:
    """A program that classifies samples, line by line."""
    how = facts.preparation or Preparation(raw="as the study's own function gives them")
    yield from (
        "import json",
        "import runpy",
        "",
        "import torch",
        "from spikingjelly.activation_based import functional",
        "",
        'network = runpy.run_path("FOLDER/load_network.py")["load"]()',
    )
    events = len(facts.input) == _EVENTS
    sizes = [1 if size == "B" else size for size in facts.input]
    if events:  # a sample may have more frames than the network has time steps
        sizes = [1, facts.time_steps, *sizes[2:]]
    yield f"raw = torch.zeros({', '.join(map(str, sizes))})  # yours: {how.raw}"
    yield from _prepared(how)
    if events:
        steps = f"{facts.time_steps} time steps; more frames are added up"
        turned, seen = ("", 1) if facts.input[0] == "B" else (".transpose(0, 1)", 0)
        read = facts.input[seen]
        early = "" if read == facts.time_steps else f"[:, :{read}]"
        steps += f", read after {read}" if early else ""
        yield f"x = x.unflatten(1, ({facts.time_steps}, -1)).sum(2){early}{turned}  # {steps}"
    yield from (
        "functional.reset_net(network)  # before every input",
        "with torch.no_grad():",
        "    out = network(x)",
        "scores = out.mean(0) if out.ndim == 3 else out  # a mean over time steps",
        "labels = scores.argmax(-1).tolist()",
    )
    if facts.class_names:
        yield 'names = json.load(open("FOLDER/manifest.json", encoding="utf-8"))["class_names"]'
        yield "print([names[label] for label in labels])"
    else:
        yield "print(labels)"


def _prepared(how: Preparation) -> Iterator[str]:
    """The lines that make the network's input ``x`` of raw samples."""
    yield "x = raw.float()" + (f" / {how.divisor:g}" if how.divisor != 1 else "")
    if how.mean:
        yield f"mean, deviation = torch.tensor({[how.mean, how.deviation]}).reshape(2, -1, 1, 1)"
        yield "x = (x - mean) / deviation"
