"""A score of the user's own: how it is called, and how it is tried before anything trains."""

from __future__ import annotations

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.data.dataset import About, InMemory, Split
from autoprune.errors import InputError
from autoprune.trial.failed_pass import line_of
from autoprune.trial.setup import Evaluate
from autoprune.trial.training import logits


def own_score(evaluate: Evaluate, network: nn.Module, part: Split) -> float:
    """What a user's function says of a network on a part of the data; it may be any number."""
    functional.reset_net(network)
    with torch.inference_mode():
        value = float(evaluate(network.eval(), part))
    functional.reset_net(network)
    return value


def try_score(evaluate: Evaluate, network: nn.Module, inputs: Tensor, about: About) -> None:
    """Call a score on samples of which the network is right on all, on none, and on any.

    No training tells as much: percent, errors and losses leave the range at one of the ends. Labels
    that are all alike may have no score, and what is no number fails its trial alone; so a score
    passes that raises, or is NaN, on some of the three.

    Args:
        evaluate: the score.
        network: untrained.
        inputs: samples of the data's shape; noise will do.
        about: the data. Where their labels are more than a class, they are tried at random ones.

    Raises InputError where a score is below 0 or above 1, or every call raised.
    """
    every = torch.arange(len(inputs))
    cases = _dense(inputs, about) if about.label_shape else _classes(network, inputs, about)
    where = f"functions.evaluate {evaluate.__name__!r}"
    raised: list[Exception] = []
    for case, labels in cases.items():
        part = Split(store=InMemory(inputs), indices=every, labels=labels)
        try:
            value = own_score(evaluate, network, part)
        except Exception as error:  # noqa: BLE001 - the user's may raise anything
            raised.append(error)
            continue
        if value < 0 or value > 1:
            given = f"gives {value:.6g} of a network that {case}"
            raise InputError(where, given, "a score from 0 to 1, higher is better")
    if len(raised) == len(cases):
        last = raised[-1]
        given = f"raised {type(last).__name__}: {last}, at {line_of(last)}"
        raise InputError(where, given, "a score of random samples") from last


def _classes(network: nn.Module, inputs: Tensor, about: About) -> dict[str, Tensor]:
    """Labels by what they make of the network."""
    with torch.inference_mode():
        best = logits(network, inputs).argmax(1).cpu()
    functional.reset_net(network)
    return {
        f"is right on all of {len(inputs)} random samples": best,
        f"is wrong on all of {len(inputs)} random samples": (best + 1) % about.classes,
        f"is shown {len(inputs)} random samples of all classes": (
            torch.arange(len(inputs)) % about.classes
        ),
    }


def _dense(inputs: Tensor, about: About) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    size = (len(inputs), *about.label_shape)
    labels = torch.randint(about.classes, size, generator=generator)
    return {f"is shown {len(inputs)} random samples with random labels": labels}
