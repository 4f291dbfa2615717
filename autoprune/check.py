"""Check a study as far as can be without its network and its data."""

from __future__ import annotations

from pathlib import Path

from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.sample import sample_workload
from autoprune.errors import InputError
from autoprune.plan import LEAST_BITS
from autoprune.spec.space import SearchSpace
from autoprune.spec.study import Study, check_metrics, load_study, split_metric


def load_checked(name_or_path: str) -> tuple[Study, SearchSpace, Path, dict[str, CostModel]]:
    """The study, its search space, its file, and its machines by name.

    Raises InputError for an unknown name anywhere, for an objective that its machine does not
    define or the space does not search, and for a machine whose weights have too few bits.
    """
    study, space, file = load_study(name_or_path)
    models = [load_machine(machine, file.parent) for machine in study.machines]
    machines = {model.machine.name: model for model in models}
    if len(machines) < len(models):
        raise InputError(f"{file}: machines", f"given {study.machines}", "different file names")
    for name, model in machines.items():
        if model.machine.weight_bits < LEAST_BITS:
            raise InputError(
                f"{file}: machines",
                f"{name} has weight_bits = {model.machine.weight_bits}",
                f"at least {LEAST_BITS}: a trial is measured with its weights rounded so",
            )
    where = f"{file}: objectives"
    check_metrics(study.objectives, list(machines), where, study.functions.score)
    for metric in study.objectives:
        name, machine = split_metric(metric)
        if name == "weight_bits" and space.model.weight_bits is None:
            raise InputError(
                where, f"weight_bits, which {study.space} does not search", "it in [model] there"
            )
        if name != "latency_us" or machine is None:
            continue
        if machines[machine].price(sample_workload()).latency_us is None:
            raise InputError(where, f"{metric}: {machine} defines no latency")
    return study, space, file, machines
