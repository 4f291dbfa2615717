"""Capabilities: what a machine does with sparsity, and what it leaves to others."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, model_validator

from autoprune.config import STRICT

Sparsity = Literal["none", "gate", "skip"]
Support = Literal["native", "host", "emulated", "unsupported"]
RealTimesSpike = Literal["ac", "mac", "host"]


class Capabilities(BaseModel):
    """What a machine does with sparsity, and what it cannot do itself.

    Attributes:
        spike_sparsity, weight_sparsity: what a zero buys: ``none``; ``gate``, energy but no time;
            or ``skip``, both.
        real_input: the stem's pixels and the head's means. dynamic_product: a product of two
            activations. integer_spike: an input that counts two spikes or more. neuron: the
            update of a membrane. Each ``native``, done by a ``host`` outside the total,
            ``emulated`` or ``unsupported``.
        real_times_spike: what a product of a real activation with spikes takes per event and row
            of the real one: an accumulation (``ac``), as a column of weights, or a ``mac``; or it
            is left to a ``host``. Left out: ``mac`` where real inputs and products of activations
            are both native, else ``host``. ``ac`` has its rule, with the evidence, among the rules
            of emulation.
    """

    model_config = STRICT
    spike_sparsity: Sparsity
    weight_sparsity: Sparsity
    real_input: Support
    dynamic_product: Support
    integer_spike: Support
    neuron: Support
    real_times_spike: RealTimesSpike | None = None

    @model_validator(mode="after")
    def _settled(self) -> Self:
        if self.real_times_spike is None:
            native = self.real_input == self.dynamic_product == "native"
            object.__setattr__(self, "real_times_spike", "mac" if native else "host")
        if self.real_times_spike != "host" and self.dynamic_product in ("host", "unsupported"):
            raise ValueError(
                f"real_times_spike is {self.real_times_spike!r} with dynamic_product "
                f"{self.dynamic_product!r}: expected 'host'"
            )
        return self
