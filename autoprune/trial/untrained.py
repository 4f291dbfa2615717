"""The census of a network of a user's function: on random inputs, or on those that it is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from autoprune.compress.surgery.batch_norm import reestimate
from autoprune.errors import AutopruneError, InputError
from autoprune.networks.build import build
from autoprune.networks.inputs import FRAMES, IMAGES
from autoprune.plugin import make_importable
from autoprune.workload.census.profile import profile
from autoprune.workload.workload import Workload


def profile_untrained(  # noqa: PLR0913 - the options of `autoprune profile`
    name: str,
    sizes: Sequence[int],
    samples: int,
    time_steps: int | None,
    time_axis: int | None,
    *,
    product_sparsity: bool,
) -> Workload:
    """Count what the network of a user's ``module:function`` does on random inputs.

    Batch norm is re-estimated on them, so that it fires; spikes are those of noise.

    Args:
        name: of what makes the network, called without arguments.
        sizes: of one sample. Numbers from 0 to 1, of frames [T, 2, H, W] 0 or 1.
        samples: of the batch.
        time_steps: T; the network's attribute T where it is None.
        time_axis: where the network takes the time of samples [T, ...]; what it says where None.
        product_sparsity: see `autoprune.workload.census.profile.profile`.

    Raises InputError where there is no such function or its network does not run on such samples,
    and CountingError where an operation cannot be counted exactly.
    """
    if time_axis is not None and len(sizes) in (1, IMAGES - 1):
        given = f"given {time_axis}, for samples of {'x'.join(map(str, sizes))}"
        raise InputError("--time-axis", given, "samples with time, such as frames 16x2x64x64")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = _built(name, time_steps, time_axis)

        def counted() -> Workload:
            inputs = torch.rand(samples, *sizes)
            inputs = inputs.round() if inputs.ndim == FRAMES else inputs
            reestimate(network, [inputs])
            return profile(network, inputs, time_steps, product_sparsity=product_sparsity)

        return _run(name, (samples, *sizes), counted)


def profile_shown(
    name: str,
    inputs: Tensor,
    time_steps: int | None,
    time_axis: int | None,
    *,
    product_sparsity: bool,
) -> Workload:
    """Count what the network of a user's ``module:function`` does on inputs [samples, ...].

    It is counted as it is made, so that one whose function loads weights is counted with them; the
    rest is as in `profile_untrained`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = _built(name, time_steps, time_axis)

        def counted() -> Workload:
            return profile(network, inputs, time_steps, product_sparsity=product_sparsity)

        return _run(name, tuple(inputs.shape), counted)


def _built(name: str, time_steps: int | None, time_axis: int | None) -> nn.Module:
    """The network, told what it does not say itself."""
    make_importable(Path())
    if ":" not in name:
        raise InputError("profile", f"given {name!r}", "module:function")
    network = build(name, {}, {} if time_axis is None else {"time_axis": time_axis})
    if time_steps is not None and not hasattr(network, "T"):
        network.T = time_steps  # type: ignore[assignment]
    return network


def _run(name: str, sizes: tuple[int, ...], counted: Callable[[], Workload]) -> Workload:
    """What is counted; InputError, with the sizes of the inputs, where the network does not run."""
    try:
        return counted()
    except AutopruneError:
        raise
    except Exception as error:
        samples, *one = sizes
        shape, said = "x".join(map(str, one)), str(error).partition("\n")[0]
        raise InputError(
            f"profile {name}",
            f"does not run on {samples} x {shape} ({type(error).__name__}: {said})",
        ) from error
