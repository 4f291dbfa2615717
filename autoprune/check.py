"""Check a study as far as can be without its network and its data."""

from __future__ import annotations

from pathlib import Path

from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.sample import sample_workload
from autoprune.errors import InputError
from autoprune.spec.space import SearchSpace
from autoprune.spec.study import Study, check_metrics, load_study, split_metric


def load_checked(name_or_path: str) -> tuple[Study, SearchSpace, Path, dict[str, CostModel]]:
    """The study, its search space, its file, and its machines by name.

    Raises InputError for an unknown name anywhere, and for an objective that its machine does
    not define.
    """
    study, space, file = load_study(name_or_path)
    models = [load_machine(machine, file.parent) for machine in study.machines]
    machines = {model.machine.name: model for model in models}
    if len(machines) < len(models):
        raise InputError(f"{file}: machines", f"given {study.machines}", "different file names")
    where = f"{file}: objectives"
    check_metrics(study.objectives, list(machines), where, study.functions.score)
    for metric in study.objectives:
        name, machine = split_metric(metric)
        if name != "latency_us" or machine is None:
            continue
        if machines[machine].price(sample_workload()).latency_us is None:
            raise InputError(where, f"{metric}: {machine} defines no latency")
    return study, space, file, machines
