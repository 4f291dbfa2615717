"""Zeros of single matrices that a method chooses once, before fine-tuning, and that stay."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager

from torch import Tensor

from autoprune.compress.part import Amount, Part, key_of
from autoprune.compress.surgery.held import held_at_zero
from autoprune.compress.surgery.surgery import AfterStep, Subject, Surgery
from autoprune.errors import CompressionError
from autoprune.networks.adapter import Matrix
from autoprune.networks.place import Place


class MaskSurgery(Surgery, ABC):
    """Surgery of a part that holds an amount for each matrix that it thins."""

    @abstractmethod
    def keep(self, weight: Tensor, amount: Amount) -> Tensor:
        """Which weights of a matrix [out, in] stay, as a mask of that shape."""

    def thin(self, subject: Subject, part: Part) -> None:
        """Set what does not stay to zero."""
        for matrix, amount in _named(subject, part):
            matrix.weight.masked_fill_(~self.keep(matrix.weight, amount), 0.0)

    def training(self, subject: Subject, part: Part) -> AbstractContextManager[AfterStep | None]:
        """Zeros stay zero."""
        return held_at_zero([matrix for matrix, _ in _named(subject, part)])


def _named(subject: Subject, part: Part) -> Iterator[tuple[Matrix, Amount]]:
    """The matrices that a part names, with their amounts."""
    amounts = dict(part.amounts)
    for index, branches in enumerate(subject.adapter.branches(subject.network)):
        for branch in branches:
            for matrix in branch.matrices:
                amount = amounts.pop(key_of(Place(index, branch.name), matrix.name), None)
                if amount is not None:
                    yield matrix, amount
    if amounts:
        raise CompressionError(f"{part.method} of {', '.join(amounts)}, which there is not")
