"""Where a network takes the time of frames: a study says it, or an adapter, or the network."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from autoprune.networks.inputs import present
from autoprune.study.check import load_checked
from autoprune.study.parts import find_parts
from autoprune.sweep.prepare import prepare
from tests.refusals import assert_refused, refusals
from tests.short import NETWORK, change_space

EVENTS = 'data = { name = "digits_events", frames = 6, side = 8 }'


@pytest.fixture
def study(short_study) -> Callable[..., str]:
    def write(adapter: str, *lines: str, data: str = EVENTS) -> str:
        table = ("[network]", 'model = "own_network:batch_first"', "time_steps = 3", *lines)
        own = "\n".join((*table, f'adapter = "own_network:{adapter}"', "", ""))
        file = short_study(('data = "digits"', data), (NETWORK, own))
        change_space(file)
        return str(file)

    return write


@pytest.mark.parametrize("given", [("OwnAdapter", "time_axis = 1"), ("BatchFirstAdapter",)])
def test_a_study_or_an_adapter_says_it_for_all_networks_of_the_run(study, given):
    prepared = prepare(study(*given), workers=0)
    parts = prepared.built.parts
    network = parts.architecture.build()
    assert network.time_axis == parts.offered["time_axis"] == 1
    assert present(network, torch.zeros(5, 6, 2, 8, 8)).shape[:2] == (5, 3)


@refusals(
    (("OwnAdapter",), "BatchFirst: shown frames [T, B, ...] * time_axis = 1"),
    (("BatchFirstAdapter", "time_axis = 0"), "BatchFirst: shown frames [T, B, ...]"),
    (("OwnAdapter", "time_axis = 2"), "network.time_axis: given 2"),
)
def test_what_is_not_so_is_refused_before_anything_trains(study, given, words):
    assert_refused(words, prepare, study(*given), workers=0)


def test_images_have_no_time(study):
    file = study("OwnAdapter", "time_axis = 1", data='data = "digits"')
    checked = load_checked(file)
    assert_refused("network.time_axis: given 1, and digits * no time", find_parts, checked.study)
