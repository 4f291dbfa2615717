"""The learning rates that a study leaves out, and the study with those that were chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from autoprune.errors import InputError
from autoprune.runs.recipe import Of
from autoprune.search.recipe.plans import thinned
from autoprune.search.recipe.task import RecipeTask
from autoprune.study.build import Built


def leaves_out(built: Built) -> bool:
    """Whether a run of the study has to choose its learning rate."""
    return built.parts.finetune.learning_rate is None


def recipe_task(built: Built) -> RecipeTask:
    """What learning rates of the study's are chosen by; those that it has are tried as well.

    Raises InputError where they cannot be: the parent's own rate is not known, nothing is
    fine-tuned, or the uniform sweep removes no weights.
    """
    spec = built.parts.finetune
    if built.parts.parent is None or not built.effort.epochs:
        given = "no [parent]" if built.parts.parent is None else "epochs = 0"
        raise InputError("finetune", f"{given}: no rate can be tried", "the parent's rate, epochs")
    if not thinned(built.space, built.shape, built.effort):
        given = "a uniform sweep that removes no weights"
        raise InputError("search space: uniform", given, "plans to try learning rates on")
    return RecipeTask(
        space=built.space,
        shape=built.shape,
        effort=built.effort,
        seed=built.parts.seed,
        peak=built.parts.parent.learning_rate,
        neurons=spec.neuron_learning_rate is None or spec.learning_rate is not None,
        given=_given(built),
    )


def _given(built: Built) -> dict[Of, float]:
    spec = built.parts.finetune
    if spec.learning_rate is None:
        return {}
    neurons = spec.neuron_learning_rate or spec.learning_rate
    return {"learning_rate": spec.learning_rate, "neuron_learning_rate": neurons}


def with_rates(built: Built, rates: Mapping[Of, float]) -> Built:
    """The study as if it had these rates."""
    finetune = built.parts.finetune.model_copy(update={key: rates[key] for key in rates})
    assert finetune.learning_rate is not None
    return replace(
        built,
        parts=replace(built.parts, finetune=finetune),
        effort=replace(built.effort, learning_rate=finetune.learning_rate),
        identity={**built.identity, "finetune": finetune.model_dump(mode="json")},
    )
