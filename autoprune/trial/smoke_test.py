"""Smoke test: a trial on two samples, so that what would fail in every trial fails before any."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from autoprune.compress.configuration import make_plan
from autoprune.compress.domain import Domain
from autoprune.compress.effort import EFFORT, Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.registry import settings_at
from autoprune.compress.setting import Value
from autoprune.compress.space import setting_of
from autoprune.compress.surgery.apply import Manner, compress
from autoprune.errors import CompressionError
from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.inputs import check_time_axis, has_time
from autoprune.networks.place import MODEL
from autoprune.networks.shape import NetworkShape
from autoprune.trial.channels import Channels, check_channels
from autoprune.trial.failed_pass import FailedPassError, run_pass
from autoprune.workload.census.count import count
from autoprune.workload.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What a smoke test found out about a network.

    Attributes:
        shape: what it offers to compression. workload: what it does on one sample.
        channels: of its neurons, where the space has them learn per channel; else None.
    """

    shape: NetworkShape
    workload: Workload
    channels: Channels | None


def smoke_test(
    network: nn.Module,
    adapter: ModelAdapter,
    space: Mapping[Parameter, Domain],
    effort: Effort,
    manner: Manner,
) -> Tested:
    """Run the network, a neutral copy, the smallest of the space, and one without its branches.

    Args:
        network: untrained; stays as it is.
        adapter: of its family.
        space: the domains of `SearchSpace.parameters`.
        effort: the study's.
        manner: the study's, with one or two samples of the data set.

    Raises CompressionError or CountingError with what does not work, where in the network, and
    which parameters of the space are enough for it.
    """
    samples = manner.samples
    assert samples is not None
    shape = adapter.shape(network)
    check_time_axis(network.eval(), samples)
    neutral = compress(network, make_plan({}, shape, effort), adapter, manner)
    smallest = make_plan(_smallest(space), shape, replace(effort, epochs=1))
    with torch.inference_mode():
        expected = _attempt("the network itself", network, adapter, samples)
        if not torch.equal(_attempt("a copy of it", neutral, adapter, samples), expected):
            raise CompressionError(
                f"{type(network).__name__}: a neutral plan changes what the network computes"
            )
        searched = space.get(Parameter(MODEL, "time_steps"))
        for steps in searched.all if searched is not None else ():
            adapter.set_time_steps(neutral, int(steps))
            _attempt(f"it in {steps} time steps", neutral, adapter, samples)
    learns = _learns_per_channel(space)
    channels = check_channels(network, adapter, samples[:1]) if learns else None
    without = _without_branches(shape)
    for form, configuration, plan in (
        ("its smallest form", _smallest(space), smallest),
        ("it without its branches", without, make_plan(without, shape, effort)),
    ):
        try:
            with torch.inference_mode():
                run_pass(compress(network, plan, adapter, manner), adapter, samples)
        except FailedPassError as error:
            alone = _enough_alone(network, adapter, configuration, effort, manner)
            whole = f"{form} ({plan.short(shape)})"
            raise CompressionError(_told(whole, samples, error, alone)) from error
    workload = count(network, adapter, samples[:1])
    return Tested(shape=shape, workload=workload, channels=channels)


def _without_branches(shape: NetworkShape) -> dict[Parameter, Value]:
    """Every branch that can be removed is: a search begins with networks that lack some."""
    [removing, *_] = (s for s in settings_at("branch") if s.removes is not None)
    nothing = removing.removes
    assert nothing is not None
    return {Parameter(p, removing.name): nothing for p, b in shape.branches() if not b.fixed}


def _learns_per_channel(space: Mapping[Parameter, Domain]) -> bool:
    return any("channel" in d.all for p, d in space.items() if p.place.kind == "neuron")


def _enough_alone(
    network: nn.Module,
    adapter: ModelAdapter,
    values: Mapping[Parameter, Value],
    effort: Effort,
    manner: Manner,
) -> dict[str, list[str]]:
    """Where the network does not run, and parameters any of which is enough; the first of alike."""
    samples, found = manner.samples, defaultdict(list)
    assert samples is not None
    alike: dict[tuple[str, str], Parameter] = {}
    for parameter in sorted(values):
        alike.setdefault((parameter.place.part, parameter.setting), parameter)
    for parameter in alike.values():
        plan = make_plan({parameter: values[parameter]}, adapter.shape(network), effort)
        try:
            with torch.inference_mode():
                run_pass(compress(network, plan, adapter, manner), adapter, samples)
        except FailedPassError as error:
            found[str(error)].append(f"{parameter} = {values[parameter]!r}")
    return dict(found)


def _told(form: str, samples: Tensor, error: Exception, alone: Mapping[str, list[str]]) -> str:
    causes = [f"with {' or '.join(names)} alone: {said}" for said, names in alone.items()]
    return (
        f"does not run on samples of {list(samples.shape[1:])} once it is compressed: "
        f"{'; '.join(causes) or f'{form}: {error}'}; "
        "expected lines that read the sizes that are left off their input; or in the adapter's "
        "Inside a subclass with such a forward pass as local, or why no size may change as fixed; "
        'and residual="inside" of a branch that adds its input itself'
    )


def try_readings(
    network: nn.Module, adapter: ModelAdapter, readings: Sequence[int], samples: Tensor
) -> None:
    """Read a network after every number of time steps; it stays as it is.

    Of samples with time it is shown as many frames as it sees by then.

    Raises CompressionError with the first that does not work.
    """
    trained = adapter.time_steps(network) if readings else 0
    network.eval()
    with torch.inference_mode():
        for steps in readings:
            shown = samples
            if has_time(network, samples):
                if steps >= trained:  # of those that a plan trains for, the space's most
                    continue
                shown = samples[:, : samples.shape[1] * steps // trained]
            adapter.set_time_steps(network, steps)
            what = f"the network after {steps} steps (measure.anytime)"
            _attempt(what, network, adapter, shown)
    if readings:
        adapter.set_time_steps(network, trained)


def _smallest(space: Mapping[Parameter, Domain]) -> dict[Parameter, Value]:
    """The harshest that the space offers of every method without removing a branch."""
    found: dict[Parameter, Value] = {}
    for parameter, domain in space.items():
        setting = setting_of(parameter)
        values = setting.by_harshness(domain.all)
        if values and setting not in EFFORT:
            found[parameter] = values[-1]
    return found


def _attempt(what: str, model: nn.Module, adapter: ModelAdapter, samples: Tensor) -> Tensor:
    try:
        return run_pass(model, adapter, samples)
    except FailedPassError as error:
        raise CompressionError(
            f"{what} does not run on samples of {list(samples.shape[1:])}: {error}"
        ) from error
