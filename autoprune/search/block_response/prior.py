"""Prior: what is known of a study before its first trial."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


def before_last_dot(name: str) -> str:
    """``blocks.0.mlp`` of ``blocks.0.mlp.l1p``; a name without a dot is a group of its own."""
    return name.rsplit(".", 1)[0]


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What a user knows of a study; everything has a neutral default.

    Attributes:
        group: of a parameter's name the part that it belongs to; parameters of a part act
            together, parts add up.
        monotone: by parameter, per objective: 1 where its value, as the study has it, rises with
            the parameter, -1 where it falls, 0 where that is unknown.
        logarithmic: per objective, whether its logarithm adds up over parts; of positive values.
        fronts: the objectives, by index, of each front whose hypervolume counts; all together
            where it is empty.
        reference: per objective, the value at which a front ends; where it is empty, a tenth of
            the range beyond the worst values on the front, or the median of all values where
            that is worse.
        earlier: parameters and values of trials of a study like this one, such as another seed:
            fitted along with half the weight and an offset of their own, and on no front.
        identity: what makes two configurations the same; by default their parameters.
    """

    group: Callable[[str], str] = before_last_dot
    monotone: Mapping[str, Sequence[int]] = field(default_factory=dict)
    logarithmic: Sequence[bool] = ()
    fronts: Sequence[Sequence[int]] = ()
    reference: Sequence[float] = ()
    earlier: Sequence[tuple[Mapping[str, Any], Sequence[float]]] = ()
    identity: Callable[[Mapping[str, Any]], Hashable] | None = None
