"""What a run has left in its folder, in words."""

from __future__ import annotations

from collections.abc import Iterable

from autoprune.runs.folder import RunFolder


def saved_lines(folder: RunFolder, machines: Iterable[str]) -> list[str]:
    """The files of a run with fronts on machines, and what each holds."""
    saved = {
        "environments.json": "versions, processor, seed, hashes of files",
        "branches.csv": "what each branch loses and saves",
        "trials/": "every trial: plan, measurement, workload",
        **_optuna(folder),
        "checkpoints/": "weights of the networks on the fronts, and of the fine-tuned parent",
        **{f"fronts/{name}/": "front.csv, front.json, front.png" for name in machines},
    }
    tracks = {"tensorboard/": "the trials for TensorBoard", "mlflow.db": "the trials for MLflow"}
    saved |= {name: what for name, what in tracks.items() if (folder.path / name).exists()}
    width = max(map(len, saved))
    return [f"  {name:{width}}  {what}" for name, what in saved.items()]


def _optuna(folder: RunFolder) -> dict[str, str]:
    """Where the Optuna study is."""
    name = folder.record.places.study
    if name is None:
        return {"optuna.journal": "the Optuna study"}
    return {"study.json": f"the Optuna study is {name} in the database"}
