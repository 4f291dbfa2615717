"""The table [compression] of a study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel

from autoprune.config import STRICT


class CompressionSpec(BaseModel):
    """How to compress.

    Attributes:
        methods: methods of your own, ``module:Class``, besides those of this project.
        dsp_score: how DSP ranks dimensions, by weights, spikes or both: see
            `autoprune.compress.surgery.criteria`.
        l1p_schedule: zeros at once before fine-tuning, or more and more while it goes on (cubic):
            see `autoprune.compress.surgery.l1p`.
    """

    model_config = STRICT
    methods: list[str] = []
    dsp_score: Literal["l1", "activity", "l1_activity"] = "l1"
    l1p_schedule: Literal["one_shot", "gradual"] = "one_shot"

    @property
    def options(self) -> Mapping[str, str]:
        """All but the methods, as those read it."""
        return self.model_dump(exclude={"methods"})
