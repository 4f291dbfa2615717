"""Every term of a cost, so that anybody can add it up again: count, rule, price, source, result."""

from __future__ import annotations

from collections.abc import Iterator

from autoprune.cost.cost import Cost, Term
from autoprune.cost.model import CostModel


def explain(cost: Cost, model: CostModel) -> Iterator[str]:
    """The terms by operation, then the prices with their sources, then the total.

    Numbers stand at full precision: each result is count times price in float64, and the total is
    the exactly rounded sum of the results.
    """
    numbers = {price.name: place for place, price in enumerate(model.machine.charged, start=1)}
    op = None
    for term in cost.terms:
        if term.op != op:
            op = term.op
            yield op
        yield f"  {_line(term, model)} [{numbers[term.price]}]"
    yield ""
    for price in model.machine.charged:
        if any(term.price == price.name for term in cost.terms):
            access = f" per {price.access_bits} bits" if price.access_bits else ""
            yield (
                f"[{numbers[price.name]}] {price.name}: {price.value!r} {price.unit}{access}, "
                f"{price.evidence}, {price.scope.replace('_', ' ')}; {price.source}"
            )
    yield ""
    yield f"{len(cost.terms)} terms add up to {cost.energy_pj!r} pJ"
    if cost.unpriced:
        yield f"{len(cost.unpriced)} actions have no price, so that the energy is not known"


def _line(term: Term, model: CostModel) -> str:
    """A power in mW times nanoseconds is picojoules, too."""
    price = model.machine_price(term.price)
    unit = " ns" if price.unit == "mW" else ""
    rule = f" ({term.rule})" if term.rule else ""
    return (
        f"{term.cause}: {term.count!r}{unit}{rule} x {price.value!r} {price.unit} = "
        f"{term.energy_pj!r} pJ"
    )
