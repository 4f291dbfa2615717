"""Measure a network as a trial does, and compare that with what is on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from autoprune.compress.surgery.surgery import matrices
from autoprune.errors import ExportError
from autoprune.trial.measurement import Measurement, Precision, Score
from autoprune.trial.setup import Setup
from autoprune.trial.trial import measure, numbers_of
from autoprune.workload.workload import Workload

Facts = Mapping[str, Score | Workload | int]
"""What is compared, by what it is called in a message."""


def validation_samples(setup: Setup, count: int) -> Tensor:
    """The first validation samples, at most `count`."""
    return setup.data.validation.inputs(slice(count)).clone()


def remeasured(setup: Setup, network: nn.Module, measurement: Measurement) -> Facts:
    """What is on record of a network, measured again as a trial measures it."""
    network = network.to(setup.device)
    bits, held = numbers_of(setup, network.eval(), measurement.precisions)
    found: Facts = {
        **_by_numbers(measure(setup, network, bits, held, test=True)),
        "parameters": sum(int(torch.count_nonzero(p)) for p in network.parameters()),
        "block weights": sum(
            int(torch.count_nonzero(m.weight)) for m in matrices(network, setup.adapter)
        ),
    }
    network.to("cpu")
    return found


def recorded(measurement: Measurement, weights: int) -> Facts:
    """What `remeasured` has to find; `weights` are those of the parent's blocks."""
    return {
        **_by_numbers(measurement.precisions),
        "parameters": measurement.parameters,
        "block weights": round(measurement.kept_weights * weights),
    }


def _by_numbers(precisions: Sequence[Precision]) -> Facts:
    return {
        f"{name} at {precision.words}": getattr(precision, name)
        for precision in precisions
        for name in ("validation", "test", "workload")
        if getattr(precision, name) is not None
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
