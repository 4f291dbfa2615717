"""What is said below a front of what it is of, and of what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from autoprune.cost.cost import HostOperation
from autoprune.report.front.front import MachineFront
from autoprune.report.units import energy_words, score_words


def front_notes(front: MachineFront, *, tested: bool) -> list[str]:
    """What holds for a machine alone; with `tested`, also which test scores lack."""
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
        *_integer_words(front),
        *([_read_words(front)] if front.read_otherwise else []),
        *([_luck_words(front)] if front.luck is not None else []),
        f"{front.beating} of {len(front.rows)} beat (*) uniform compression at no more energy "
        f"outside both intervals; {front.unmatched} are cheaper than all of it.",
    ]
    lines += _untested(front) if tested else []
    if front.idle:
        idle = ", ".join(map(str, front.idle))
        lines.append(f"Without work for the machine, on no front and in no count: trial {idle}.")
    lines += list(_beside(front))
    lines += list(_beyond(front))
    if front.hosted:
        lines.append(
            "Mostly on the host, by share of its dense MACs, on no front and in no count: "
            f"{hosted_words(front)}."
        )
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


def uncounted_words(front: MachineFront) -> list[str]:
    """What the workload does not count: by share of dense MACs, then all without any."""
    silent = [name for name, share in front.uncounted if not share]
    return [
        *(f"{name} ({_share(share)} of dense MACs)" for name, share in front.uncounted if share),
        *([f"{', '.join(silent)} (without MACs)"] if silent else []),
    ]


def unpriced_lines(names: Sequence[str]) -> Iterator[str]:
    """What is said of machines of a run that have no front, in one line where there are any."""
    if names:
        yield (
            f"No published price, and so no energies: {', '.join(names)}. autoprune trial says "
            "whether a network fits there, in how many bytes and with which accuracy."
        )


def bits_words(front: MachineFront) -> str:
    """The bits of a weight with which accuracy was measured, and those that are priced."""
    score, bits = front.parent.name, front.accuracy_bits
    held = ", in its integers" if front.parent_in_integers else ""
    if bits == front.priced_bits:
        return f"{score} measured and energy priced at {bits} bits{held}"
    return f"{score} measured at {bits} bits{held}, energy priced at {front.priced_bits} bits"


def _integer_words(front: MachineFront) -> Iterator[str]:
    """What the machine's integers cost the members, and which they do not hold, and why."""
    if front.integer_loss is not None:
        by_bits, by_all = (
            (f"{abs(100 * loss):.1f}", "less" if loss >= 0 else "more")
            for loss in front.integer_loss
        )
        yield (
            f"In its integers members score {by_all[0]} points {by_all[1]} than in floating "
            f"point, on average; {' '.join(by_bits)} by the bits of weights alone."
        )
    unheld = {cause: [f"trial {_list(some)}"] for cause, some in front.not_in_integers.items()}
    if front.parent_not_held:
        unheld.setdefault(front.parent_not_held, []).insert(0, "the parent")
    for cause, networks in unheld.items():
        yield f"Not in its integers: {' and '.join(networks)}, since {cause}."


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
    found = [(row.name, row.figures.fits) for row in front.rows if row.figures]
    beyond = [(name, why) for name, why in found if why not in (None, "yes")]
    yield from (f"Does not fit: trial {name} ({why})." for name, why in beyond[:3])
    if len(beyond) > 3:
        yield f"Does not fit: {len(beyond) - 3} more members."
    if found and not beyond and found[0][1] is not None:
        yield "All members fit by the limits in the machine's file."


def host_words(work: HostOperation) -> str:
    """The share of a host's operation, and what it takes where the machine has a price for it."""
    energy = "" if work.energy_pj is None else f", {energy_words(1e-6 * work.energy_pj)}"
    return f"{_share(work.share)}{energy}"


def hosted_words(front: MachineFront) -> str:
    """The trials of which a host does more than the machine, each with its share."""
    return "trial " + ", ".join(f"{key} ({100 * share:.1f} %)" for key, share in front.hosted)


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
