"""FixedPoint: the integers in which a machine's neurons compute.

One step of a weight is the unit of what neurons take up; their state has some more bits below it.

    U[t] = U[t-1] (1 - (du + 1) / 2^decay) + 2^fraction X[t]       wrapped to the state's bits
    V[t] = V[t-1] (1 - dv / 2^decay) + U[t] + bias                 clipped to the state's bits
    a spike where V[t] > 2^fraction threshold, which sets V to 0

products rounded towards 0; bias is a mantissa times a power of 2. That is Loihi's neuron in the
bit-accurate model of Lava (lava-nc 0.10.0, lava/proc/lif/models.py, PyLifModelBitAcc).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from autoprune.config import STRICT


class Bits(BaseModel):
    """How many bits something has.

    Attributes:
        bits: of it. evidence, source: as in `autoprune.cost.arithmetic.Finest`.
    """

    model_config = STRICT
    bits: Annotated[int, Field(ge=1, le=62)]
    evidence: Literal["specified", "derived", "assumed"]
    source: Annotated[str, Field(pattern=r"\S")]

    @property
    def most(self) -> int:
        """The largest number without a sign."""
        return int(2**self.bits - 1)


class FixedPoint(BaseModel):
    """A machine's table ``[arithmetic]``.

    Attributes:
        state: bits of U and V, with their sign. fraction: of them, those below a weight's step.
        threshold: bits of a threshold, in steps of a weight. decay: bits of a decay.
        bias: bits of a bias' mantissa, with its sign. bias_exponent: of its power of 2.
    """

    model_config = STRICT
    state: Bits
    fraction: Bits
    threshold: Bits
    decay: Bits
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
        return self

    def lines(self) -> list[str]:
        """All of it in words."""
        named = {name.replace("_", " "): getattr(self, name) for name in type(self).model_fields}
        return [
            f"{name}: {own.bits} bits ({own.evidence}; {own.source})" for name, own in named.items()
        ]
