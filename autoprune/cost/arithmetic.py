"""Arithmetic of a machine's neurons; of what its file is silent on, nothing is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from autoprune.config import STRICT
from autoprune.networks.granularity import DIFFERING, Differing, Granularity, is_finer


class Finest(BaseModel):
    """The finest granularity at which neurons may differ in something.

    Attributes:
        finest: that granularity.
        evidence: ``specified`` by the makers, ``derived`` from what they specify, or ``assumed``.
        source: publication, or file of a published code.
    """

    model_config = STRICT
    finest: Granularity
    evidence: Literal["specified", "derived", "assumed"]
    source: Annotated[str, Field(pattern=r"\S")]


class NeuronArithmetic(BaseModel):
    """A machine's table ``[neurons]``: what its neurons hold.

    Attributes:
        threshold, decay: at which granularity they may differ; None where that is not known.
    """

    model_config = STRICT
    threshold: Finest | None = None
    decay: Finest | None = None

    def known(self) -> dict[Differing, Finest]:
        """What is known, by what may differ."""
        found: dict[Differing, Finest | None] = {"threshold": self.threshold, "decay": self.decay}
        return {what: own for what, own in found.items() if own is not None}

    def lacks(self, asked: Mapping[Differing, Granularity]) -> dict[Differing, Finest]:
        """What is asked for in finer granularity than there is, and what there is."""
        return {
            what: own
            for what, own in self.known().items()
            if what in asked and is_finer(asked[what], own.finest)
        }

    def unknown(self, asked: Mapping[Differing, Granularity]) -> list[str]:
        """What is asked for and may be there or not, in words: ``a threshold per channel``."""
        return [words(w, a) for w, a in asked.items() if w not in self.known()]

    def lines(self) -> list[str]:
        """All of it in words, also what is not known."""
        known = self.known()
        return [
            f"{what}: one per {own.finest} at the finest ({own.evidence}; {own.source})"
            if (own := known.get(what))
            else f"{what}: at which granularity it may differ is not known"
            for what in DIFFERING
        ]


def words(what: Differing, granularity: Granularity) -> str:
    """Such as ``a threshold per channel``."""
    return f"a {what} per {granularity}"
