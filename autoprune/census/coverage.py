"""What the census missed: fvcore's dense count of the network beside the workload's own."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Mapping

from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.errors import CountingError
from autoprune.workload import Uncounted

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # fvcore still uses torch.jit
    from fvcore.nn import FlopCountAnalysis

_FOLDED = {"batch_norm": "folded into the product before it; fvcore's scale and shift"}


def uncounted(
    model: nn.Module, sample: Tensor, counts: Mapping[str, int], samples: int
) -> list[Uncounted]:
    """Every operation that fvcore sees and `counts` lacks, with its dense MACs over `samples`.

    Args:
        model: the network that was counted.
        sample: one sample as the network is called, [1, C, H, W] or [T, 1, 2, H, W].
        counts: dense MACs that were counted, by fvcore's name of the operation.
        samples: how many samples it was counted on.

    Raises CountingError where more was counted than fvcore sees: then one of the two is wrong.
    """
    counted = Counter({name: macs // samples for name, macs in counts.items()})
    seen, silent = _dense_counts(model, sample)
    missing = []
    for name, macs in sorted(seen.items()):
        macs -= counted.pop(name, 0)
        reason = _FOLDED.get(name, "not counted: the census does not know this function")
        if macs < 0:
            raise CountingError(f"{name}: counted {-macs} dense MACs more than fvcore sees")
        if macs:
            missing.append(Uncounted(name=name, dense_macs=macs * samples, reason=reason))
    if any(counted.values()):
        raise CountingError(f"fvcore sees no {', '.join(counted)}, which the census counted")
    missing += [
        Uncounted(name=name, dense_macs=0, reason=f"element by element, {times} times: no MAC")
        for name, times in sorted(silent.items())
    ]
    return missing


def _dense_counts(model: nn.Module, sample: Tensor) -> tuple[Counter[str], Counter[str]]:
    """Fvcore's MACs by operator, and how often it met each operator that it does not count."""
    functional.reset_net(model)
    logger = logging.getLogger("fvcore.nn.jit_analysis")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit.trace announces its deprecation
            analysis = FlopCountAnalysis(model, sample).unsupported_ops_warnings(False)
            analysis.uncalled_modules_warnings(False)
            seen = Counter({name: int(macs) for name, macs in analysis.by_operator().items()})
            silent: Counter[str] = Counter(analysis.unsupported_ops())
    finally:
        logger.setLevel(level)
        functional.reset_net(model)
    return seen, silent
