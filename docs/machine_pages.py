"""Write docs/machines: a page per family of machines, and a table of all published figures.

Formulas come from the families' own docstrings, numbers from the machines' files, published figures
from the tests that check them: they are run, and note what they find.

    python docs/machine_pages.py [--out docs/machines]
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from autoprune.config import bundled_names
from autoprune.cost.load import FAMILIES, load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.monotone import AXES, gained
from autoprune.cost.price import Price

_OF_CHIPS = "none of its own: the price is that of Tang et al. 2023, Table 3, a whole chip in it"

_NO_PRICE = "none: no energy is published that can be checked"

CHECKED = {
    "a100": (
        "none: a published time went into its time per operation",
        "",
    ),
    "loas": ("none: layers by hand alone, what it publishes needs layers that are not given", ""),
    "loihi1": (
        "KerasSpiking's examples by its rule at their prices; neurons per mm²",
        "shapes, prices, capacities",
    ),
    "loihi2": (_NO_PRICE, ""),
    "loihi1_sanafe": ("none of its own: the rule of `loihi1` at SANA-FE's prices", ""),
    "loihi1_sanafe_2023": ("none of its own: the rule of `loihi1` at SANA-FE's prices", ""),
    "mem45": (
        "spikingjelly's estimator of Lemaire's terms, on random layers",
        "shapes, spikes, weights, prices",
    ),
    "neuronflow": (_OF_CHIPS, ""),
    "odin": (_OF_CHIPS, ""),
    "ops45_fp16": ("none of its own: the rule of `ops45_fp32` at spikingjelly's prices", ""),
    "ops45_fp32": ("Spikingformer-8-512, ImageNet, energy", "shapes, densities, prices"),
    "ops45_int8": ("none of its own: the rule of `ops45_fp32` at spikingjelly's prices", ""),
    "prosperity": ("VGG9 and LeNet5, densities, cycles and bits", "shapes, spikes"),
    "prosperity_eyeriss": ("Spikformer, VGG16, ResNet18, time and energy", "shapes, prices"),
    "prosperity_mint": (
        "SDT, VGG16, ResNet18, Spikformer, time and energy",
        "shapes, densities, prices",
    ),
    "reckon": (_OF_CHIPS, ""),
    "sata": ("layers of three networks, cycles", "shapes"),
    "seneca": (_OF_CHIPS, ""),
    "spikesim_rram": ("VGG9, energy, area, PEs and latency", "shapes, prices"),
    "spinnaker2": (_OF_CHIPS, ""),
    "systolic_14x12": ("none of its own: SCALE-Sim's cycles on arrays of other sizes", "shapes"),
    "systolic_32x32": ("AlexNet conv1, cycles of SCALE-Sim", "shapes"),
    "tianjic": (_OF_CHIPS, ""),
    "truenorth": ("power at one operating point", "shapes, densities, prices"),
    "ubrain": (_OF_CHIPS, ""),
    "speck": (_NO_PRICE, ""),
    "xylo": (_NO_PRICE, ""),
}
"""By machine, the published figure that it gives, and what went in."""

ROOT = Path(__file__).resolve().parent.parent
Row = dict[str, Any]


def oracles() -> list[Row]:
    """Every published figure that the tests check, with what is ours."""
    with tempfile.TemporaryDirectory() as place:
        notes = Path(place) / "oracles.jsonl"
        environment = {**os.environ, "AUTOPRUNE_ORACLES": str(notes), "OMP_NUM_THREADS": "1"}
        environment.pop("PYTEST_ADDOPTS", None)  # two processes would note them in another order
        command = [sys.executable, "-m", "pytest", "-q", "-m", "oracle", "tests/cost"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        return [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A Markdown table."""
    head = list(head)
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "/") for cell in row) + " |"


def formulas(name: str) -> str:
    """What a family says of itself; its first line is ``NAME: physics.``."""
    return inspect.getdoc(importlib.import_module(FAMILIES[name].partition(":")[0])) or ""


def page(name: str, models: list[CostModel], rows: list[Row]) -> str:
    """The page of a family."""
    lines = [f"# {name}", "", "```text", formulas(name), "```", ""]
    for model in models:
        lines += [*machine(model), ""]
    if not models:
        lines += ["No machine of this family ships: its numbers are its user's.", ""]
    lines += ["## Published figures", ""]
    if rows:
        lines += [*figures(rows), ""]
        sources = dict.fromkeys(f"- `{row['test']}`: {row['source']}" for row in rows)
        lines += ["Where they are from, by the test that checks them:", "", *sources, ""]
    else:
        lines += [
            "No published figure of this family can be recomputed from what is published; its",
            "formulas are tested by hand-computed examples and properties.",
            "",
        ]
    example = f"`cost_models/{models[0].machine.name}.toml`" if models else "`docs/my_gpu.toml`"
    lines += [
        "## A machine of your own of this family",
        "",
        f"Copy {example}, give it your numbers, each with unit, evidence and source, and run",
        "`autoprune check my_chip.toml`. Every key above is needed, and no other is known.",
    ]
    return "\n".join(lines) + "\n"


def machine(model: CostModel) -> Iterator[str]:
    """A machine with all its numbers, and what its totals leave out."""
    own = model.machine
    yield from (f"## {own.name}", "", own.title, "")
    numbers = [
        (p, f"{p.unit} / {p.access_bits} bit" if p.access_bits else p.unit)
        for p in (*own.prices, *(price for _, price in own.host))
    ]
    numbers += [(q, q.unit) for q in (*own.parameters, *own.limits)]
    cells = [
        (n.name, n.range if isinstance(n, Price) else f"{n.value:g}", unit, n.evidence, n.source)
        for n, unit in numbers
    ]
    yield from table(("number", "value", "unit", "evidence", "source"), cells)
    yield ""
    words = {**dict(own.choices), **own.capabilities.model_dump()}
    settled = ", ".join(f"{key} {word}" for key, word in words.items())
    yield f"Weights of {own.weight_bits} bits, held {' or '.join(model.held_as)}; {settled}."
    yield from ("", "Its neurons:", "", *(f"- {line}" for line in own.neurons.lines()))
    if own.fixed_point:
        yield from ("", "Its arithmetic:", "", *(f"- {line}" for line in own.fixed_point.lines()))
    yield from ("", "It ignores:", "", *(f"- {line}" for line in own.not_modelled))
    if own.emulation:
        yield from ("", "It emulates:", "", *(f"- {rule}" for rule in own.emulation.values()))


def figures(rows: list[Row]) -> Iterator[str]:
    """Ours beside the published figures."""
    cells = [
        (
            r["what"],
            f"{r['ours']:.10g}",
            f"{r['published']:.10g}",
            r["unit"],
            difference(r),
            r["tolerance"],
            r["went_in"],
        )
        for r in rows
    ]
    head = ("what", "ours", "published", "unit", "difference", "tolerance", "what went in")
    yield from table(head, cells)


def difference(row: Row) -> str:
    """Relative difference of ours from the published figure."""
    return "0" if row["ours"] == row["published"] else f"{row['ours'] / row['published'] - 1:+.1e}"


def falls(models: list[CostModel]) -> Iterator[str]:
    """Where less work is dearer, slower or larger, over all that compression varies."""
    sizes = sum(len(axis.sizes) for axis in AXES)
    found = [f"{m.machine.name}: {words}" for m in models for a in AXES if (words := gained(m, a))]
    yield "## Less work is never dearer"
    yield ""
    yield (
        f"Of all {len(models)} machines with prices energy, latency on as many chips, and memory "
        f"were compared along {', '.join(axis.name for axis in AXES)} ({sizes} sizes of a small "
        f"network): they fall where there is more to do in {len(found)} cases."
    )
    yield from (f"- {words}" for words in found)
    yield ""


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "machines")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    models = [load_machine(name) for name in bundled_names("cost_models")]
    rows = oracles()
    for name in FAMILIES:
        own = [model for model in models if model.machine.family == name]
        found = [row for row in rows if row["family"] == name]
        (out / f"{name}.md").write_text(page(name, own, found), encoding="utf-8")
    index = [
        "# Machines",
        "",
        "Families, their machines, and every published figure that is checked.",
        "",
    ]
    cells = [
        (
            f"[{name}]({name}.md)",
            formulas(name).splitlines()[0].partition(": ")[2].rstrip("."),
            ", ".join(m.machine.name for m in models if m.machine.family == name) or "-",
        )
        for name in FAMILIES
    ]
    index += [
        *table(("family", "physics", "machines"), cells),
        "",
        "## What each is checked by",
        "",
    ]
    checked = [(f"`{m.machine.name}`", *CHECKED[m.machine.name]) for m in models]
    index += [*table(("machine", "published figure that it gives", "what went in"), checked), ""]
    index += [*falls([model for model in models if model.PRICED]), "## Published figures", ""]
    for kind in dict.fromkeys(row["family"] for row in rows):
        index += [f"{kind}:", "", *figures([row for row in rows if row["family"] == kind]), ""]
    index += [
        "A published figure counts only where nothing published went in but shapes, densities or",
        "spikes, and the machine's own prices and capacities. These are therefore tests and none",
        "of the above: the energy of Spikformer-4-384 on CIFAR10, whose counts of operations are",
        "published and not its rates; LoAS's loss of 88 % with dense weights, whose layers and",
        "spikes are not given; the idle and active steps of Loihi, which are our own arithmetic;",
        "the 11.4 ms of Spikformer on CIFAR10-DVS on an A100 (11.8 here), whose time per operation",
        "is derived from the 19 ms that another Spikformer took there.",
        "",
        "PTB (982 mW, 2.53 times Prosperity's traffic) and SATO (319.5 mW, 4.85 times), which",
        "Prosperity's authors simulate, too, are left out: their rules need more than counts. SATO",
        "gives every row of spikes to the least loaded of 128 lanes, and the slowest decides; with",
        "rows dealt out evenly its published times come out 11 % too short for SDT on CIFAR10 and",
        "47 % for VGG16 on CIFAR100, and the cycles of its rule on the spikes that are released",
        "(LeNet5, VGG9) 41 and 61 % too short, most of it in layers of one row, which have one",
        "lane. PTB joins two rows of a window of four steps and eight positions where no position",
        "has both. From the share of inputs that fire in a window, which the census has, its",
        "compute cycles on the same spikes come out 131 and 120 % too long where no rows are",
        "joined, 20 and 11 % where all that may be are: its rule lies between, nearer to neither.",
        "",
        "No machine ships prices that are not published. Of Loihi 2, whose figures stand",
        "in a blog, of Speck, Xylo, Akida and BrainScaleS-2 we found no energy per operation that",
        "could be. SNE publishes 0.221 pJ an operation, and 80 and 261 uJ on DVS Gesture at an",
        "activity of 1.2 and 4.9 %, of a network whose layers we did not find: the energies are",
        "3.3 times apart, the activities 4.1, so that no price per operation alone gives both (a",
        "line through them costs 21 uJ without any spike). Spike-IAND-Former publishes 6912",
        "operations a cycle at 500 MHz and 90.15 mW, which are its 38.3 TSOPS/W, and 46.72 frames",
        "a second of a network that we do not know: the 33.5 G dense MACs of Spikingformer-8-512,",
        "two operations each, would make 51.7.",
        "",
        "Left out are Spikformer's energies on ImageNet other than that of Spikingformer-8-512,",
        "which all carry the first layer of one width, and the Spike-driven Transformer's 17 ms on",
        "an A100, whose number of blocks is not said: 14.2 ms with 2, 24.2 with 4.",
        "`memory_hierarchy` is compared with spikingjelly's estimator term by term, and the census",
        "with the counters of spikingjelly and NeuroBench, on random layers.",
    ]
    (out / "README.md").write_text("\n".join(index) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
