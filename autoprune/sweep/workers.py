"""Workers: how many workers carry out jobs, what each of them takes, and where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from autoprune.errors import InputError
from autoprune.files import GIB
from autoprune.study.compute import Compute
from autoprune.sweep.memory import check_memory
from autoprune.sweep.ray.place import check_place
from autoprune.sweep.watchdog import ANYTHING, Allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class Hire:
    """What is said of workers beside the study.

    Attributes:
        count: how many; as many as the study says where it is None.
        address: HOST:PORT of a Ray cluster that answers; None for a Ray of our own.
    """

    count: int | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """The workers of a sweep.

    Attributes:
        count: how many; 0 for this process alone, without Ray.
        threads: torch threads of each.
        cpus, gpus: what each reserves of its node.
        allowance: what a trial may take; its memory is reserved, too.
        retries: how often a trial runs again whose process died or ran out of memory.
        address: HOST:PORT of the Ray cluster they belong to; None for a Ray of our own.
        artifacts: address of storage for the weights; None where that is the run folder.

    Raises InputError where trials of this process are limited.
    """

    count: int
    threads: int
    cpus: int
    gpus: float = 0.0
    allowance: Allowance = ANYTHING
    retries: int = 0
    address: str | None = None
    artifacts: str | None = None

    @classmethod
    def of(cls, compute: Compute, hire: Hire = Hire()) -> Self:
        """As many as are hired, each with what the study gives it."""
        spec, threads = compute.spec, compute.threads
        return cls(
            count=compute.workers if hire.count is None else hire.count,
            threads=threads,
            cpus=threads if spec.cpus is None else spec.cpus,
            gpus=(spec.gpu_fraction or 1.0) if spec.device == "cuda" else 0.0,
            allowance=Allowance(minutes=spec.trial_minutes, memory_gib=spec.memory_gib),
            retries=spec.retries,
            address=hire.address,
            artifacts=compute.artifacts,
        )

    def __post_init__(self) -> None:
        if self.count == 0 and self.allowance != ANYTHING:
            raise InputError(
                "workers = 0",
                "with compute.trial_minutes or compute.memory_gib, beyond which a trial's process "
                "is ended, and it would be this one",
                "at least 1 worker, or neither",
            )

    def check_here(self) -> None:
        """InputError where this computer cannot have them; of a cluster that is asked later."""
        if self.count and self.address is None:
            check_place()
            check_memory(self.allowance.memory_gib)

    @property
    def resources(self) -> dict[str, float]:
        """What a worker reserves, in Tune's names and units."""
        memory = (self.allowance.memory_gib or 0) * GIB
        found = {"cpu": self.cpus, "gpu": self.gpus, "memory": memory}
        return {name: amount for name, amount in found.items() if amount}

    def __str__(self) -> str:
        """What a worker reserves, in words."""
        parts = [f"{self.cpus:g} CPUs"]
        parts += [f"{self.gpus:g} GPUs"] if self.gpus else []
        memory = self.allowance.memory_gib
        parts += [f"{memory:g} GiB of memory"] if memory else []
        return ", ".join(parts)
