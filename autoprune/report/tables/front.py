"""Fronts and branches as tables for a terminal of 80 columns, readable without colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.cost.cost import HostOperation
from autoprune.report.front.diagnostics import Diagnostics
from autoprune.report.front.front import MachineFront, Row
from autoprune.report.units import EnergyUnit, energy_words, significant
from autoprune.trial.key import LETTERS
from autoprune.trial.measurement import Score

WIDE = 120
"""Columns of a terminal from which a front has its further columns, too."""

_WORTH: Final = (
    "worth: the score in % that all trials lead one to expect of a member; P: the chance that it "
    "is on the front of true scores."
)


def front_table(front: MachineFront, width: int = 80) -> RenderableType:
    """The front of a machine on a terminal of some columns, with what holds for it alone.

    What holds for all fronts of a run is `front_legend`.
    """
    unit = EnergyUnit.of(row.energy_uj for row in front.rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), collapse_padding=True)
    judged = _judged(front.rows)
    heads = ("trial", "val % [95 %]", *judged, "test", unit.name, "ratio", "uniform")
    columns = {name: [_words(row, unit)[name] for row in front.rows] for name in heads}
    columns |= _figures(front, unit, every=width >= WIDE)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("plan", overflow="fold")
    for place, row in enumerate(front.rows):
        table.add_row(*(cells[place] for cells in columns.values()), row.plan)
    lines = [
        f"{front.machine}: front of {len(front.rows)} out of {_networks(front)}",
        front.title,
    ]
    return Group(Text("\n".join(lines), style="bold"), table, Text("\n".join(_footer(front))))


def _judged(rows: Sequence[Row]) -> tuple[str, ...]:
    """The columns of what all trials say, where they are enough."""
    return ("worth", "P") if any(row.posterior for row in rows) else ()


_FIGURES: Final[Mapping[str, Callable[[Row, Diagnostics], float | None]]] = {
    "latency µs": lambda _, found: found.latency_us,
    "KiB": lambda _, found: found.memory_kib,
    "host %": lambda _, found: 100 * found.host_share or None,
}
"""Further columns of a wide terminal, by their heads: out of a row and its figures."""


def _figures(front: MachineFront, unit: EnergyUnit, *, every: bool) -> dict[str, list[str]]:
    """The energies beside the total where they differ from it, and with `every` what else is known.

    A column that nothing fills is left out.
    """
    wanted: dict[str, Callable[[Row, Diagnostics], float | None]] = {
        f"least {unit.name}": lambda _, found: _in(unit, found.least_uj)
    }
    if every:
        wanted |= {
            f"dynamic {unit.name}": lambda row, found: (
                _in(unit, found.dynamic_uj) if found.dynamic_uj < row.energy_uj else None
            ),
            **_FIGURES,
        }
    columns = {
        name: [value(row, row.figures) if row.figures else None for row in front.rows]
        for name, value in wanted.items()
    }
    return {
        name: ["-" if value is None else significant(value) for value in values]
        for name, values in columns.items()
        if {*values} - {None}
    }


def _in(unit: EnergyUnit, energy_uj: float | None) -> float | None:
    return None if energy_uj is None else energy_uj / unit.in_uj


def bits_words(front: MachineFront) -> str:
    """The bits of a weight with which accuracy was measured, and those that are priced."""
    score, bits = front.parent.name, front.accuracy_bits
    if bits == front.priced_bits:
        return f"{score} measured and energy priced at {bits} bits"
    return f"{score} measured at {bits} bits, energy priced at {front.priced_bits} bits"


def _name(row: Row) -> str:
    number, at, steps = str(row.trial).partition("@")
    return f"{number}{LETTERS[row.origin]}{at}{steps}"


def pick_table(rows: Sequence[Row]) -> RenderableType:
    """Some trials on a machine, then the plan of each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), collapse_padding=True)
    unit = EnergyUnit.of(row.energy_uj for row in rows)
    further = ("ratio", "parameters", "kept %", "host %")
    names = ("number", "val % [95 %]", *_judged(rows), "test", unit.name, *further)
    for name in names:
        table.add_column("trial" if name == "number" else name, justify="right", no_wrap=True)
    for row in rows:
        words = _words(row, unit)
        table.add_row(*(words[name] for name in names))
    return Group(table, Text("\n".join(f"{row.trial:>5}  {row.plan}" for row in rows)))


def _words(row: Row, unit: EnergyUnit) -> dict[str, str]:
    """What tables show of a trial on a machine, by the head of the column."""
    uniform = f"{100 * row.uniform.accuracy:.1f}" if row.uniform else "-"
    return {
        "number": str(row.trial),
        "trial": _name(row),
        "val % [95 %]": score_words(row.validation),
        "worth": f"{100 * row.worth:.1f}",
        "P": f"{row.posterior.chance:.2f}" if row.posterior else "-",
        "test": f"{100 * row.test.accuracy:.1f}" if row.test else "-",
        unit.name: unit.digits(row.energy_uj),
        "ratio": f"{row.energy_ratio:.3f}",
        "parameters": str(row.parameters),
        "kept %": f"{100 * row.kept_weights:.1f}",
        "host %": f"{100 * row.host_share:.1f}",
        "uniform": uniform + ("*" if row.beats_uniform else ""),
    }


def score_words(score: Score | None) -> str:
    """Percent, with the ends of the 95 % interval; a dash of none."""
    if score is None:
        return "-"
    low, high = score.interval
    return f"{100 * score.accuracy:.1f} [{100 * low:.0f} {100 * high:.0f}]"


def _networks(front: MachineFront) -> str:
    """How many there are, and how many with all times at which they are read."""
    networks, points = len({row.key.whole for row in front.points}), len(front.points)
    return f"{networks} networks" + (f", {points} readings" if points > networks else "")


def _read_words(front: MachineFront) -> str:
    return (
        f"{front.read_otherwise} of {len(front.rows)} are read after other time steps than they "
        f"were trained for (T4@2: trained for 4, read after 2); without these readings the "
        f"hypervolume is {front.trained_hypervolume:.4f}."
    )


def _luck_words(front: MachineFront) -> str:
    luck = 100 * (front.luck or 0.0)
    more = "less" if luck >= 0 else "more"
    return (
        f"By all trials together members are worth {abs(luck):.1f} points {more} than measured, on "
        "average: the front and the hypervolumes are of what they are worth."
    )


def _footer(front: MachineFront) -> list[str]:
    accuracy, energy = front.reference
    lines = [
        f"Fine-tuned parent: validation {score_words(front.parent)} %, test "
        f"{score_words(front.parent_test)} %, {energy_words(front.parent_energy_uj)}.",
        f"{_capitalised(bits_words(front))}.",
        *(
            f"Of {bits} bits, as the plan says, and measured so: trial {_list(trials)}."
            for bits, trials in front.coarser.items()
        ),
        f"Hypervolume {front.hypervolume:.4f}, of the uniform sweep alone "
        f"{front.uniform_hypervolume:.4f}, above {100 * accuracy:.1f} % and "
        f"{energy_words(energy)}.",
        *([_read_words(front)] if front.read_otherwise else []),
        *([_luck_words(front)] if front.luck is not None else []),
        f"{front.beating} of {len(front.rows)} beat (*) uniform compression at no more energy "
        f"outside both intervals; {front.unmatched} are cheaper than all of it.",
    ]
    lines += _untested(front)
    if front.idle:
        idle = ", ".join(map(str, front.idle))
        lines.append(f"Without work for the machine, on no front and in no count: trial {idle}.")
    lines += list(_beside(front))
    lines += list(_beyond(front))
    if front.hosted:
        lines.append(f"Mostly on the host, on no front and in no count: {hosted_words(front)}.")
    lines += [f"Infeasible there: trial {key} ({why})." for key, why in front.infeasible[:5]]
    if len(front.infeasible) > 5:
        lines.append(f"Infeasible there: {len(front.infeasible) - 5} more trials.")
    if front.ranges:
        lines.append(f"Energies at the upper end, the least at the lower end of {front.ranges}.")
    lines += [f"Emulated: {rule}." for rule in front.emulated]
    for place, counted in (("outside", False), ("in", True)):
        found = [h for h in front.host if h.counted is counted]
        if found:
            work = "; ".join(f"{h.name} ({host_words(h)})" for h in found)
            lines.append(
                f"On the host, {place} the total, by share of the parent's dense MACs: {work}."
            )
    lines += [f"Not modelled: {line}." for line in front.not_modelled]
    return lines


def front_legend(fronts: Sequence[MachineFront]) -> list[str]:
    """What holds for all fronts of a run: what columns and letters mean, what was not counted."""
    letters = {
        "uniform": "u: of the uniform sweep",
        "baseline": "b: the parent, or a branch or block removed",
        "probe": "p: a branch probed",
        "warm": "w: measured by the run that this one began with",
    }
    met = {row.origin for front in fronts for row in front.rows}
    legend = dict.fromkeys(words for front in fronts for words in front.legend)
    marks = "; ".join(words for origin, words in letters.items() if origin in met)
    lines = [
        *([_WORTH] if any(front.luck is not None for front in fronts) else []),
        "ratio: energy to the fine-tuned parent's. uniform: best validation % of the uniform sweep "
        "at no more energy; * where the trial beats it outside both intervals.",
        *([f"Behind a trial's number, {marks}."] if marks else []),
        "plan: T time steps; then per block its branches"
        + (f", as in the parent but for: {', '.join(legend)}." if legend else "."),
        *([f"Data: {fronts[0].data}."] if fronts and fronts[0].data else []),
    ]
    uncounted = fronts[0].uncounted if fronts else ()
    missed = [f"{name} ({_share(share)})" for name, share in uncounted if share]
    silent = [name for name, share in uncounted if not share]
    if missed:
        lines.append(f"Not counted, by share of dense MACs: {'; '.join(missed)}.")
    if silent:
        lines.append(f"Not counted, without MACs: {', '.join(silent)}.")
    return lines


def _beside(front: MachineFront) -> Iterator[str]:
    """What a host does of the members, and static power takes of their energies, least to most.

    Of each member it is a column of a wide terminal.
    """
    shares = [100 * row.host_share for row in front.rows]
    if any(shares):
        place = "in" if front.prices_host else "outside"
        yield f"A host does {_span(shares)} % of the members' dense MACs, {place} the energy."
    static = [
        100 * (1 - row.figures.dynamic_uj / row.energy_uj) for row in front.rows if row.figures
    ]
    if any(share > 0 for share in static):
        yield f"Static power takes {_span(static)} % of the members' energies."


def _span(values: Sequence[float]) -> str:
    low, high = (f"{end:.1f}" for end in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _beyond(front: MachineFront) -> Iterator[str]:
    """The members that do not fit, and why."""
    found = [(_name(row), row.figures.fits) for row in front.rows if row.figures]
    beyond = [(name, why) for name, why in found if why not in (None, "yes")]
    yield from (f"Does not fit: trial {name} ({why})." for name, why in beyond[:3])
    if len(beyond) > 3:
        yield f"Does not fit: {len(beyond) - 3} more members."
    if found and not beyond and found[0][1] is not None:
        yield "All members fit by the limits in the machine's file."


def host_words(work: HostOperation) -> str:
    """The share of a host's operation, and what it takes where the machine has a price for it."""
    energy = "" if work.energy_pj is None else f", {work.energy_pj * 1e-6:.3g} µJ"
    return f"{_share(work.share)}{energy}"


def hosted_words(front: MachineFront) -> str:
    """The trials of which a host does more than the machine, each with its share."""
    return "trial " + ", ".join(
        f"{key} ({100 * share:.1f} % of its dense MACs)" for key, share in front.hosted
    )


def _untested(front: MachineFront) -> list[str]:
    """Why members have no test score."""
    found = [str(row.key) for row in front.rows if row.test is None]
    if not found:
        return []
    return [
        "test -: test data are evaluated of the members of a run's own fronts when it ends, and by "
        f"confirm; not of trial {_list(found)}."
    ]


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _list(trials: Iterable[int | str]) -> str:
    return ", ".join(str(trial) for trial in trials)


def _share(share: float) -> str:
    return f"{100 * share:.2f} %"
