"""What scores without fine-tuning would tell: do they order the first trials as trained ones do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autoprune.report.front.order import kendall_tau
from autoprune.runs.outcome import Head


@dataclass(frozen=True, slots=True, kw_only=True)
class OneShot:
    """Trials that were evaluated without fine-tuning as well.

    Attributes:
        trials: how many. tau: Kendall's of the two scores; None where there is no order.
    """

    trials: int
    tau: float | None


def one_shot(heads: Iterable[Head]) -> OneShot | None:
    """Agreement over a run's trials; None where none was evaluated without fine-tuning."""
    pairs = [
        (head.one_shot, head.ended.score)
        for head in heads
        if head.one_shot is not None and head.ended.score is not None and not head.ended.same_as
    ]
    if not pairs:
        return None
    early, trained = zip(*pairs, strict=True)
    return OneShot(trials=len(pairs), tau=kendall_tau(early, trained))
