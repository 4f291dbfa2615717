"""A recorded run that never trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.cost.load import load_machine
from autoprune.networks.shape import NetworkShape
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Origin, Outcome
from autoprune.runs.record import RunRecord
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.trial.measurement import Measurement


@pytest.fixture
def run_folder(
    tmp_path: Path,
    shape: NetworkShape,
    effort: Effort,
    measured: Callable[..., Measurement],
) -> Path:
    """The fine-tuned parent, a uniform trial, a sampled one and a failed one, on two machines.

    With weights of 8 bits, which both machines have, one sample less is right.
    """
    folder = RunFolder(tmp_path / "run")
    folder.write_record(RunRecord(shape=shape))

    def write(key: object, origin: Origin, correct: int, zeros: float, cause: str = "") -> None:
        plan = make_plan(parse_configuration({"blocks.0.attention.l1p": zeros}), shape, effort)
        less = {8: correct - 1}
        measurement = None if cause else measured(plan, correct=correct, zeros=zeros, rounded=less)
        folder.write(
            Outcome(
                key=TrialKey.parse(str(key)),
                origin=origin,
                configuration=(),
                plan=plan,
                seed=0,
                state="failed" if cause else "measured",
                measurement=measurement,
                cause=cause,
            )
        )

    write(FINE_TUNED, "baseline", 95, 0.0)
    write("0", "uniform", 80, 0.5)
    write("1", "sampled", 97, 0.75)
    write("2", "sampled", 0, 0.25, cause="killed")
    folder.machines.mkdir()
    for name in ("loihi1", "ops45_int8"):
        text = Path(load_machine(name).machine.where).read_text(encoding="utf-8")
        (folder.machines / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder.path
