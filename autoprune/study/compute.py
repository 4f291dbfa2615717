"""Compute: where a study's trials run and what each of them takes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from autoprune.errors import InputError
from autoprune.study.study import Study
from autoprune.trial.spec import ComputeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """Where a study's trials run and what each of them takes.

    Attributes:
        spec: the study's table [compute].
        threads, workers, artifacts: as in the study.
    """

    spec: ComputeSpec
    threads: int
    workers: int
    artifacts: str | None

    @classmethod
    def of(cls, study: Study) -> Compute:
        """What a study says of it."""
        return cls(
            spec=study.compute,
            threads=study.threads,
            workers=study.workers,
            artifacts=study.artifacts,
        )

    def check_device(self) -> None:
        """InputError where the study asks for a GPU and there is none."""
        if self.spec.device == "cuda" and not torch.cuda.is_available():
            raise InputError("compute.device", "given 'cuda'; torch finds no GPU here", "'cpu'")
