"""Crew: how many workers carry out jobs, what each of them takes, and where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from autoprune.spec.study import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The workers of a sweep.

    Attributes:
        workers: how many; 0 for this process alone, without Ray.
        threads: torch threads of each.
        cpus, gpus, memory_gib: what each reserves of its node; no memory where it is None.
        address: HOST:PORT of the Ray cluster they belong to; None for a Ray of our own.
    """

    workers: int
    threads: int
    cpus: int
    gpus: float = 0.0
    memory_gib: float | None = None
    address: str | None = None

    @classmethod
    def of(cls, study: Study, workers: int | None = None, address: str | None = None) -> Self:
        """The crew that a study asks for; with another number of workers where one is given."""
        compute = study.compute
        return cls(
            workers=study.workers if workers is None else workers,
            threads=study.threads,
            cpus=study.threads if compute.cpus is None else compute.cpus,
            gpus=(compute.gpu_fraction or 1.0) if compute.device == "cuda" else 0.0,
            memory_gib=compute.memory_gib,
            address=address,
        )

    @property
    def resources(self) -> dict[str, float]:
        """What a worker reserves, in Tune's names and units."""
        found = {"cpu": self.cpus, "gpu": self.gpus, "memory": (self.memory_gib or 0) * 2**30}
        return {name: amount for name, amount in found.items() if amount}

    def __str__(self) -> str:
        """What a worker reserves, in words."""
        parts = [f"{self.cpus:g} CPUs"]
        parts += [f"{self.gpus:g} GPUs"] if self.gpus else []
        parts += [f"{self.memory_gib:g} GiB of memory"] if self.memory_gib else []
        return ", ".join(parts)
