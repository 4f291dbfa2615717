"""Measure the networks of a run's fronts, and the parent, on the computer at hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from autoprune.deploy.counters import find_counter
from autoprune.deploy.member import find_member
from autoprune.deploy.remeasure import validation_samples
from autoprune.deploy.timing import time_networks
from autoprune.errors import InputError, RecordError
from autoprune.networks.inputs import present
from autoprune.runs.environment import processor_name
from autoprune.runs.folder import RunFolder
from autoprune.runs.measured import MeasuredOn, write
from autoprune.runs.weights import kept_weights
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.trial.setup import Setup

BATCHES = (1, 32)
"""Samples at a time: one, as a chip that answers at once sees them, and many."""

_NAME = re.compile(r"[^./][^/]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How networks are timed.

    Attributes:
        device: ``cpu`` or ``cuda``.
        rounds: how often each network has its turn.
        threads: of torch, on the CPU.
        name: of the folder in RUN/measured; the device where it is left out.

    Raises InputError where the name is not a folder's, and for what can only be a slip.
    """

    device: str = "cpu"
    rounds: int = 30
    threads: int = 1
    name: str | None = None

    def __post_init__(self) -> None:
        name = self.name
        if name is not None and not (_NAME.fullmatch(name) and name.isprintable()):
            raise InputError("--name", f"given {name!r}", "a folder's name of 1 to 100 characters")
        for option, given, most in (
            ("rounds", self.rounds, 10**5),
            ("threads", self.threads, 1024),
        ):
            if not 1 <= given <= most:
                raise InputError(f"--{option}", f"given {given}", f"1 to {most}")


def measure(
    run: RunFolder,
    conditions: Conditions,
    *,
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[MeasuredOn, Path]:
    """Time the fine-tuned parent and every trial whose weights the run kept.

    Args:
        run: whose networks they are; it says whether code that it names may be imported.
        conditions: how they are timed.
        say: told what takes long.
        progress: hears finished rounds and all of them.

    Raises InputError where the device is not there, RecordError where the run kept no network.
    """
    device = conditions.device
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device", "given 'cuda'; torch finds no GPU here", "'cpu'")
    members = {key: find_member(run, key, say) for key in (FINE_TUNED, *_kept(run))}
    torch.set_num_threads(conditions.threads)
    counter, missing = find_counter(device)
    networks = {key: member.network.to(device).eval() for key, member in members.items()}
    setup = next(iter(members.values())).setup

    def inputs(network: nn.Module, batch: int) -> Tensor:
        return present(network, _samples(setup, batch)).to(device)

    rounds = conditions.rounds
    timings = time_networks(
        networks, inputs, batches=BATCHES, rounds=rounds, counter=counter, progress=progress
    )
    measured = MeasuredOn(
        name=conditions.name or device,
        device=torch.cuda.get_device_name() if device == "cuda" else processor_name(),
        threads=conditions.threads,
        rounds=rounds,
        counter=counter.name if counter else "",
        missing=(missing,) if missing else (),
        timings=tuple(timings),
    )
    return measured, write(run.path, measured)


def _kept(run: RunFolder) -> list[TrialKey]:
    """The trials whose weights are kept, also those that a baseline was trained for.

    Raises RecordError where there is none.
    """
    kept = kept_weights(run)
    ends = [head.ended for head in run.read_heads()]
    keys = [e.key for e in ends if e.state == "measured" and (e.same_as or e.key) in kept]
    if not keys:
        raise RecordError(
            f"{run.path}: no network was kept; a finished run keeps those on its fronts"
        )
    return keys


def _samples(setup: Setup, batch: int) -> Tensor:
    """As many validation samples as asked for, repeated where there are fewer."""
    shown = validation_samples(setup, batch)
    return shown.repeat_interleave(-(-batch // len(shown)), 0)[:batch]
