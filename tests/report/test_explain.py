"""What `--explain` prints can be added up again."""

from __future__ import annotations

import math
import re

import pytest

from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload
from autoprune.report.tables.explain import explain
from tests.operations import PRICED


@pytest.mark.parametrize("name", PRICED)
def test_every_line_is_count_times_price_and_the_lines_are_the_total(name):
    model = load_machine(name)
    cost = model.price(sample_workload(samples=3))
    lines = list(explain(cost, model))
    sources = {line.split("]")[0]: line for line in lines if line.startswith("[")}
    results = []
    for line in lines:
        term = re.fullmatch(
            r"  (.+): ([\d.e+-]+)(?: ns)? \((.+)\) x (\S+) (?:pJ|mW) = (\S+) pJ (\[\d+)\]", line
        )
        if term:
            count, price, result = (float(term[place]) for place in (2, 4, 5))
            assert count * price == result
            source = sources[term[6]]
            assert re.search(rf": ({re.escape(repr(price))}|{int(price)}) (pJ|mW)", source)
            results.append(result)
    assert len(results) == len(cost.terms) > 1
    assert lines[-1] == f"{len(results)} terms add up to {math.fsum(results)!r} pJ"
    assert math.fsum(results) == cost.energy_pj == pytest.approx(cost.energy_uj * 1e6)
