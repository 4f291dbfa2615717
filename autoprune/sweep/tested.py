"""Test data of a run: evaluated for the members of its fronts, once they are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from autoprune.runs.folder import RunFolder
from autoprune.study.kept import shaped, take_weights
from autoprune.sweep.stop import Stop, Terminated
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Score
from autoprune.trial.setup import Setup, compute_alike
from autoprune.trial.stopped import stopped
from autoprune.trial.trial import scores_on_test


def evaluate_tests(
    folder: RunFolder, setup: Setup, threads: int, keys: Iterable[TrialKey], stop: Stop
) -> tuple[list[str], bool]:
    """Put the test scores of trials on record that have none.

    The networks are those whose weights the run has kept; one whose weights are gone is left as it
    is. A reading has a score of its own. With `threads` as the trials had.

    Returns what went wrong, in words, and whether all were evaluated: after `stop` none begins, and
    the one that runs has its grace.
    """
    compute_alike(threads)
    doubts: list[str] = []
    try:
        for key in sorted({*keys}):
            if stop.asked:
                return doubts, False
            try:
                scores = _scores(folder, setup, key)
            except Exception as error:  # noqa: BLE001 - a score of the user's may do anything
                doubts.append(f"Test data of {key.words}: {type(error).__name__}: {error}")
                continue
            whole = folder.read(key.whole)
            if scores and whole.measurement is not None:
                measured = whole.measurement.with_tests(scores, key.after)
                folder.write(replace(whole, measurement=measured))
    except Terminated:
        return doubts, False
    return doubts, True


def _scores(folder: RunFolder, setup: Setup, key: TrialKey) -> list[Score]:
    """Test scores by precision; none where they are on record, or the weights were not kept."""
    outcome = folder.read(key)
    found = outcome.measurement
    if found is None or found.test is not None:
        return []
    network = shaped(setup, found.plan)
    if key.after is not None:
        setup = stopped(setup, found.plan.effort.time_steps, key.after)
        setup.adapter.set_time_steps(network, key.after)
    if not take_weights(folder, (outcome.same_as or key).whole, network):
        return []
    return scores_on_test(setup, network.to(setup.device).eval(), found.precisions)
