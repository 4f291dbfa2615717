"""Profile: the workload of any network in one call."""

from __future__ import annotations

from torch import Tensor, nn

from autoprune.networks.build import find_family
from autoprune.networks.inputs import check_time_axis
from autoprune.workload.census.count import count
from autoprune.workload.workload import Workload


def profile(
    model: nn.Module,
    inputs: Tensor,
    time_steps: int | None = None,
    *,
    activity: bool = True,
    product_sparsity: bool = False,
) -> Workload:
    """Count what `model` does on `inputs`, as the trials of a run count it; needs no adapter.

    Args:
        model: any network with spikingjelly's neurons in step mode 'm'. It stays as it is.
        inputs: images [samples, C, H, W], frames of events [samples, T, 2, H, W] of a network with
            an attribute T, or whatever else the network takes, samples first. A network that takes
            frames as [B, T, ...] says so by an attribute ``time_axis = 1``.
        time_steps: T; the network's attribute T where it is None.
        activity: whether windows, silence and empty groups of spikes are counted, too.
        product_sparsity: whether tiles are counted with them, for a machine that asks for them.

    Raises CountingError where an operation cannot be counted exactly, and CompressionError where
    the network takes the other axis of frames for time.

        import autoprune
        workload = autoprune.profile(network, images)
        workload.per_sample("effective_sops")
    """
    adapter = find_family(model) if time_steps is None else None
    training = [module for module in model.modules() if module.training]
    try:
        check_time_axis(model.eval(), inputs)
        return count(
            model,
            adapter,
            inputs,
            time_steps,
            activity=activity,
            product_sparsity=product_sparsity,
        )
    finally:
        for module in training:
            module.training = True
