"""Measurement: which precision a machine is paired with."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.cost.load import load_machine
from autoprune.errors import InputError
from autoprune.trial.measurement import Measurement, Refused


@pytest.fixture
def make(measured, shape, effort):
    def of(bits: list[int]) -> Measurement:
        plan = make_plan(parse_configuration({"weight_bits": bits[0]}), shape, effort)
        return measured(plan, correct=bits[0], rounded={b: b for b in bits[1:]})

    return of


@pytest.mark.parametrize(
    ("measured_at", "machine", "paired"),
    [
        ([32, 8], 32, 32),
        ([32, 8], 8, 8),
        ([32, 8], 64, 32),
        ([32, 8], 16, 8),  # weights of 8 bits run on a machine of 16
        ([32, 8], 4, 8),  # nothing below: the nearest above
        ([32, 16, 8, 4], 10, 8),
        ([32, 16, 8, 4], 2, 4),
        ([6, 4], 8, 6),  # a plan of 6 bits
        ([32], 8, 32),
    ],
)
def test_a_machine_is_paired_with_its_bits_or_the_next_below_or_above(
    make, measured_at, machine, paired
):
    found = make(measured_at).at(machine)
    assert (found.bits, found.validation.correct) == (paired, paired)


LOIHI = load_machine("loihi1").machine.arithmetic
assert LOIHI is not None


def in_integers(made: Measurement, arithmetic: Arithmetic = LOIHI) -> Measurement:
    """The same, and measured in integers: one hit fewer than with weights of 8 bits."""
    at_8 = made.at(8)
    score = replace(at_8.validation, correct=at_8.validation.correct - 1)
    held = replace(at_8, validation=score, arithmetic=arithmetic)
    return replace(made, precisions=(*made.precisions, held))


def test_a_machine_is_paired_with_its_integers_where_they_were_measured(make):
    made = in_integers(make([32, 8]))
    other = replace(LOIHI, threshold_per="layer")
    assert made.at(8, LOIHI).validation.correct == 7
    assert made.at(8, LOIHI).words == "8 bits, in integers of 24"
    assert made.at(8).validation.correct == made.at(8, other).validation.correct == 8
    assert (made.at(32).bits, made.at(4).bits, made.at(4).arithmetic) == (32, 8, None)
    with pytest.raises(InputError, match="bits that descend"):
        in_integers(made)
    with pytest.raises(InputError, match="bits that descend"):
        replace(made, precisions=made.precisions[::-1])


def test_the_network_as_it_is_comes_first(make):
    found = make([16, 4])
    first = found.precisions[0]
    assert (found.validation, found.test) == (first.validation, first.test)
    assert found.workload is first.workload
    assert found.validation.correct == first.bits == 16


def test_it_survives_its_dictionary(make):
    refused = (Refused(arithmetic=replace(LOIHI, decay=0), cause="tau is 2 steps"),)
    made = replace(in_integers(make([32, 8, 4])), refused=refused)
    data = json.loads(json.dumps(made.to_dict()))
    workloads = [precision.workload for precision in made.precisions]
    found = Measurement.from_dict(data, workloads)
    assert (found, found.refused) == (made, refused)
    del data["refused"]  # as a run from before it was noted
    assert Measurement.from_dict(data, workloads).refused == ()
    with pytest.raises(ValueError, match="shorter"):
        Measurement.from_dict(data, workloads[:2])


def test_precisions_are_there_and_descend(make):
    made = make([32, 8])
    for wrong in ((), made.precisions[::-1], made.precisions[:1] * 2):
        with pytest.raises(InputError, match="measurement: precisions of .* bits; expected bits"):
            replace(made, precisions=wrong)
