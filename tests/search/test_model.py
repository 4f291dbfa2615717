"""What is expected of a configuration: by both responses, where trials have failed by far."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution

from autoprune.search.block_response.model import Model
from autoprune.search.block_response.parts import Layout
from autoprune.search.block_response.prior import Prior, before_last_dot
from autoprune.search.block_response.response import Response
from autoprune.search.block_response.trials import Trials

REFERENCE = 0.85
PRIOR = Prior(logarithmic=(False, True), reference=(REFERENCE, 1.2))
SPACE = {f"blocks.{b}.l1p": FloatDistribution(0.0, 0.9, step=0.1) for b in range(2)}


def modelled(falls: float) -> Model:
    """A model of trials in which the first block carries all: from some sparsity all is lost."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    trials = Trials(SPACE)
    for one, other in ((0, 0), (0.2, 0.9), (0.4, 0.5), (0.6, 0.2), (0.7, 0.6), (0.9, 0.9)):
        study.enqueue_trial({"blocks.0.l1p": one, "blocks.1.l1p": other})
        accuracy = 0.95 - 0.02 * other - (0.7 if one > falls else 0.0)
        study.tell(study.ask(SPACE), (accuracy, 1.1 - 0.5 * (one + other)))
    trials.update(study, -1)
    layout = Layout(trials.axes, before_last_dot, dict.fromkeys(SPACE, True))
    return Model(trials, PRIOR, layout, {})


@pytest.mark.parametrize("one", np.arange(10) / 10)
def test_what_may_fall_is_expected_to_as_likely_as_it_does(one):
    """Beside draws: whether it falls, by the response that remembers, then what is seen."""
    model, numbers = modelled(falls=0.5), np.array([[one, 0.3]])
    rng = np.random.default_rng(0)

    def drawn(response: Response) -> np.ndarray:
        [mean], [std] = response.predict(numbers)
        return rng.normal(mean, np.hypot(std, response.process.noise), 400_000)

    ranges, [middle] = drawn(model._falls[0]), model._falls[0].predict(numbers)[0]
    far = drawn(model._falls[0])
    if middle > 0:  # the logarithm is undone to first order
        far = np.expm1(middle) + np.exp(middle) * (far - middle)
    seen = np.where(ranges < 0, drawn(model.responses[0]), -REFERENCE + model.span[0] * far)
    found = model.expected(numbers)
    assert found.mean[0] == pytest.approx(seen.mean(), abs=0.003)
    assert found.std[0] == pytest.approx(seen.std(), abs=0.003)


def test_where_nothing_fell_by_far_one_response_is_all():
    model, numbers = modelled(falls=1.0), np.array([[0.5, 0.3]])
    assert not model._falls
    mean, std = model.predict(numbers)
    found = model.expected(numbers)
    assert found.mean == mean[0].tolist()
    noise = [response.process.noise for response in model.responses]
    assert found.std == pytest.approx(np.hypot(std[0], noise).tolist())
