"""What is told of a network in a machine's integers."""

from __future__ import annotations

from dataclasses import dataclass

from autoprune.trial.measurement import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipped:
    """Numbers of neurons that were beyond a machine's bits, and all there are."""

    clipped: int
    all: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InIntegers:
    """A network in a machine's integers.

    Attributes:
        machine: its name. weight_bits: to which weights are rounded.
        validation, test: what it scores; None where it cannot be held.
        clipped: numbers beyond the machine's bits. refused: why it cannot be held.
    """

    machine: str
    weight_bits: int
    validation: Score | None = None
    test: Score | None = None
    clipped: Clipped | None = None
    refused: str = ""

    def words(self, floating: Score) -> str:
        """It in a sentence, beside the validation score in floating point."""
        if self.validation is None or self.test is None or self.clipped is None:
            return f"{self.machine} cannot hold it in its integers: {self.refused}"
        return (
            f"in the integers of {self.machine}, weights of {self.weight_bits} bits: validation "
            f"{self.validation.correct:g} of {self.validation.total} ({floating.correct:g} in "
            f"floating point), test {self.test.correct:g} of {self.test.total}; "
            f"{self.clipped.clipped} of {self.clipped.all} numbers of neurons clipped"
        )
