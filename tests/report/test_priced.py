"""Energies and the table of trials are made of what was recorded, and priced where it is not."""

from __future__ import annotations

from autoprune.report.frames import trials_frame
from autoprune.report.front.priced import charged
from autoprune.runs.outcome import Charge
from autoprune.trial.key import TrialKey


def recorded(outcome, model):
    """Trials by key: charged by the machine, by another of that name, by none; and one failed."""
    name, own = model.machine.name, model.fingerprint
    charges = {
        "0": ((name, Charge(energy_uj=123.0, host_share=0.25, machine=own)),),
        "1": ((name, Charge(energy_uj=456.0, machine="another")),),
        "2": (),
    }
    found = [outcome(key, zeros=0.5, correct=80, charges=c) for key, c in charges.items()]
    found.append(outcome(3, state="failed", measurement=None, cause="killed"))
    return {one.key: one for one in found}


def test_what_this_very_machine_charged_is_not_priced_again(outcome, model) -> None:
    trials, asked = recorded(outcome, model), []
    heads = [one.head for one in trials.values()]
    found, infeasible = charged(heads, model, lambda key: asked.append(key) or trials[key])
    cost = model.price(trials[TrialKey(2)].measurement.workload)
    priced = (cost.energy_uj, cost.host_share)
    assert {str(k): v for k, v in found.items()} == {"0": (123.0, 0.25), "1": priced, "2": priced}
    assert (asked, infeasible) == ([TrialKey(1), TrialKey(2)], {})


def test_the_table_of_trials(outcome, model, shape) -> None:
    trials = recorded(outcome, model)
    trials[TrialKey(4)] = outcome(4, zeros=0.5, correct=97, state="duplicate", same_as=TrialKey(2))
    heads = [one.head for one in trials.values()]
    frame = trials_frame(heads, {model.machine.name: model}, shape, trials.__getitem__)
    assert list(frame.index) == [0, 1, 2, 3, 4]
    assert list(frame["fronts"]) == ["", "ops45_fp32", "ops45_fp32", "", ""]
    assert frame["val_accuracy"].dropna().to_dict() == {0: 0.8, 1: 0.8, 2: 0.8, 4: 0.97}
    assert frame["energy_uj@ops45_fp32"].isna().tolist() == [False, False, False, True, False]
    assert frame["parameters"].isna().tolist() == [False, False, False, True, False]
    assert frame["seconds"].isna().tolist() == [False, False, False, True, True]
    assert frame["cause"][3] == "killed"
