"""FixedPoint: a machine's table ``[arithmetic]``, every number of it with its source."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from autoprune.compress.arithmetic import Arithmetic, DecayForm, Reset
from autoprune.config import STRICT
from autoprune.cost.arithmetic import NeuronArithmetic

_EXACT = 53
"""Bits of whole numbers whose products and sums float64 holds exactly."""


class Bits(BaseModel):
    """How many bits something has.

    Attributes:
        bits: of it. evidence, source: as in `autoprune.cost.arithmetic.Finest`.
    """

    model_config = STRICT
    bits: Annotated[int, Field(ge=0, le=62)]
    evidence: Literal["specified", "derived", "assumed"]
    source: Annotated[str, Field(pattern=r"\S")]


class DecayBits(BaseModel):
    """How a decay is held.

    Attributes:
        form: see `DecayForm`. bits: of it, 0 of the form ``none``. evidence, source: as in `Bits`.
    """

    model_config = STRICT
    form: DecayForm = "fraction"
    bits: Annotated[int, Field(ge=0, le=24)]
    evidence: Literal["specified", "derived", "assumed"]
    source: Annotated[str, Field(pattern=r"\S")]

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if (self.form == "none") != (self.bits == 0):
            raise ValueError(f"{self.bits} bits of the form {self.form!r}; expected 0 of 'none'")
        return self


class ResetWord(BaseModel):
    """What a spike does.

    Attributes:
        word: see `Reset`. evidence, source: as in `Bits`.
    """

    model_config = STRICT
    word: Reset
    evidence: Literal["specified", "derived", "assumed"]
    source: Annotated[str, Field(pattern=r"\S")]


class FixedPoint(BaseModel):
    """The integers in which a machine's neurons compute.

    `autoprune.compress.surgery.integers.neuron` has the formulas, and `Arithmetic` what each is.
    """

    model_config = STRICT
    state: Bits
    fraction: Bits
    threshold: Bits
    decay: DecayBits
    reset: ResetWord = ResetWord(
        word="zero", evidence="assumed", source="as Loihi's, where a file does not say"
    )
    bias: Bits
    bias_exponent: Bits

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        needed = self.threshold.bits + self.fraction.bits + 1
        if self.state.bits < needed:
            raise ValueError(
                f"a state of {self.state.bits} bits; expected at least {needed}, for a threshold "
                f"of {self.threshold.bits}, a fraction of {self.fraction.bits} and the sign"
            )
        if self.state.bits + self.decay.bits > _EXACT:
            raise ValueError(
                f"a state of {self.state.bits} bits and a decay of {self.decay.bits}; expected "
                f"at most {_EXACT} together, in which they are computed exactly"
            )
        return self

    def arithmetic(self, weight_bits: int, neurons: NeuronArithmetic) -> Arithmetic:
        """It as a value, with weights of so many bits and what is known of neurons."""
        named = ("state", "fraction", "threshold", "decay", "bias", "bias_exponent")
        finest = {what: own.finest for what, own in neurons.known().items()}
        return Arithmetic(
            weight_bits=weight_bits,
            **{name: getattr(self, name).bits for name in named},
            decay_form=self.decay.form,
            reset=self.reset.word,
            threshold_per=finest.get("threshold", "neuron"),
            decay_per=finest.get("decay", "neuron"),
        )

    def lines(self) -> list[str]:
        """All of it in words."""
        return [
            f"{name.replace('_', ' ')}: {_words(own)} ({own.evidence}; {own.source})"
            for name in type(self).model_fields
            for own in (getattr(self, name),)
        ]


def _words(own: Bits | DecayBits | ResetWord) -> str:
    """A line's value in words."""
    if isinstance(own, ResetWord):
        return {
            "zero": "a spike sets V to 0",
            "subtraction": "a spike takes the threshold off V",
            "either": "a spike sets V to 0 or takes the threshold off it",
        }[own.word]
    form = f", as a {own.form}" if isinstance(own, DecayBits) and own.bits else ""
    return f"{own.bits} bits{form}" if own.bits else "none"
