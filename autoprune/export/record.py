"""Measure a network as a trial does, and compare that with what is on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from autoprune.census.count import count
from autoprune.compress.network import matrices
from autoprune.export.failure import ExportError
from autoprune.measurement import Measurement, Score
from autoprune.trial import Bench, score
from autoprune.workload import Workload

Facts = Mapping[str, Score | Workload | int]
"""What is compared, by what it is called in a message."""


def validation_samples(bench: Bench, count: int) -> Tensor:
    """The first validation samples, at most `count`."""
    return bench.data.validation.inputs(slice(count)).clone()


def remeasured(bench: Bench, network: nn.Module) -> Facts:
    """Scores, workload and parameters of a network, measured as a trial measures them."""
    network = network.to(bench.device)
    samples = validation_samples(bench, bench.census_samples).to(bench.device)
    found: Facts = {
        "validation": score(bench, network, bench.data.validation),
        "test": score(bench, network, bench.data.test),
        "workload": count(network, bench.adapter, samples),
        "parameters": sum(int(torch.count_nonzero(p)) for p in network.parameters()),
        "block weights": sum(
            int(torch.count_nonzero(m.weight)) for m in matrices(network, bench.adapter)
        ),
    }
    network.to("cpu")
    return found


def recorded(measurement: Measurement, weights: int) -> Facts:
    """What `remeasured` has to find; `weights` are those of the parent's blocks."""
    return {
        "validation": measurement.validation,
        "test": measurement.test,
        "workload": measurement.workload,
        "parameters": measurement.parameters,
        "block weights": round(measurement.kept_weights * weights),
    }


def compare(
    found: Facts,
    wanted: Facts,
    what: str,
) -> None:
    """Raise ExportError with every difference between what was found and what is on record."""
    lines = list(_differences(found, wanted))
    if lines:
        raise ExportError(f"{what} is not the network on record: {'; '.join(lines)}")


def _differences(found: Facts, wanted: Facts) -> Iterator[str]:
    for name, value in wanted.items():
        if found[name] != value:
            yield f"{name} {_shown(found[name])}, on record {_shown(value)}"


def _shown(value: Score | Workload | int) -> str:
    if isinstance(value, Score):
        return f"{value.correct:g} of {value.total}"
    if isinstance(value, Workload):
        return f"{value.per_sample('effective_sops'):.6g} effective SOPs in {len(value.ops)} ops"
    return str(value)
