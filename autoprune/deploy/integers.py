"""What a network scores in a machine's integers, as an export tells it."""

from __future__ import annotations

from dataclasses import dataclass

from autoprune.compress.surgery.integers.convert import in_integers
from autoprune.cost.machine import Machine
from autoprune.deploy.member import Member
from autoprune.errors import InputError
from autoprune.trial.measurement import Score
from autoprune.trial.trial import score


@dataclass(frozen=True, slots=True, kw_only=True)
class InIntegers:
    """A network in a machine's integers.

    Attributes:
        machine: its name. weight_bits: to which weights are rounded.
        validation, test: what it scores; None where it cannot be held.
        clipped: numbers of neurons beyond the machine's bits, of `numbers`.
        refused: why it cannot be held.
    """

    machine: str
    weight_bits: int
    validation: Score | None = None
    test: Score | None = None
    clipped: int = 0
    numbers: int = 0
    refused: str = ""

    def words(self, floating: Score) -> str:
        """It in a sentence, beside the validation score in floating point."""
        if self.validation is None or self.test is None:
            return f"{self.machine} cannot hold it in its integers: {self.refused}"
        return (
            f"in the integers of {self.machine}, weights of {self.weight_bits} bits: validation "
            f"{self.validation.correct:g} of {self.validation.total} ({floating.correct:g} in "
            f"floating point), test {self.test.correct:g} of {self.test.total}; "
            f"{self.clipped} of {self.numbers} numbers of neurons clipped"
        )


def score_in_integers(member: Member, machine: Machine) -> InIntegers:
    """What a network of a run scores in the integers of a machine that has an arithmetic.

    Attention is carried out as the network has it: a machine without products of spikes leaves it
    to somebody else.
    """
    assert machine.arithmetic is not None
    setup, bits = member.setup, min(member.measurement.plan.weight_bits, machine.weight_bits)
    try:
        held = in_integers(
            member.network, setup.adapter, machine.arithmetic, bits, member.inputs(3)
        )
    except InputError as error:
        return InIntegers(machine=machine.name, weight_bits=bits, refused=str(error))
    return InIntegers(
        machine=machine.name,
        weight_bits=bits,
        validation=score(setup, held.network, setup.data.validation),
        test=score(setup, held.network, setup.data.test),
        clipped=held.clipped,
        numbers=held.numbers,
    )
