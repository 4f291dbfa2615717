"""Plans are canonical: what trains the same network is the same plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoprune.compress.configuration import make_plan, parameters, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.compress.plan import Plan
from autoprune.errors import InputError
from autoprune.networks.place import HEAD, MODEL, STEM, Place
from autoprune.networks.shape import BlockShape, BranchShape, MatrixShape, NetworkShape
from tests.refusals import assert_refused, refusals

ATTENTION = BranchShape(
    name="attention",
    groups=2,
    size=8,
    matrices=tuple(MatrixShape(name=n, weights_per_dimension=16) for n in "qkvo"),
)
MLP = BranchShape(
    name="mlp",
    groups=1,
    size=64,
    matrices=tuple(MatrixShape(name=n, weights_per_dimension=16) for n in ("fc1", "fc2")),
)
SHAPE = NetworkShape(
    blocks=(BlockShape(branches=(ATTENTION, MLP)),) * 2,
    stem=(MatrixShape(name="conv", weights_per_dimension=90),),
    head=(MatrixShape(name="head", weights_per_dimension=40),),
)
FIXED = replace(MLP, name="mixer", size=10, fixed="the channels are the residual width")
MIXED = NetworkShape(blocks=(BlockShape(branches=(FIXED, MLP)),))
EFFORT = Effort(time_steps=4, learning_rate=1e-3, epochs=2)


def plan(point=None, effort=EFFORT) -> Plan:
    return make_plan(parse_configuration(point or {}), SHAPE, effort)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"blocks.0.mlp.l1p": 0.0, "blocks.1.attention.dsp": 1.0, "epochs": 2}),
        ({}, {"weight_bits": 32}),
        ({}, {"blocks.0.neuron.tau": "fixed", "blocks.0.neuron.tau_start": 1.0, "l1p": 0.0}),
        ({"blocks.0.mlp.dsp": 0.0}, {"blocks.0.mlp.dsp": 0.0, "blocks.0.mlp.l1p": 0.9}),
        ({"blocks.0.mlp.dsp": 0.5}, {"blocks.0.mlp.dsp": 0.501}),
        ({"epochs": 0}, {"epochs": 0, "learning_rate": 0.5, "blocks.0.neuron.tau": "layer"}),
        (
            {"blocks.1.mlp.dsp": 0.0, "blocks.1.attention.dsp": 0.0},
            {
                "blocks.1.mlp.dsp": 0.0,
                "blocks.1.attention.dsp": 0.0,
                "blocks.1.neuron.tau": "layer",
                "blocks.1.neuron.tau_start": 2.0,
            },
        ),
    ],
)
def test_settings_without_effect_do_not_count(one, other):
    assert plan(one) == plan(other)
    assert plan(one).hash == plan(other).hash


@pytest.mark.parametrize(
    "point",
    [
        {"time_steps": 3},
        {"epochs": 3},
        {"learning_rate": 0.01},
        {"weight_bits": 8},
        {"blocks.0.mlp.l1p": 0.01},
        {"blocks.1.mlp.l1p": 0.01},
        {"blocks.0.attention.dsp": 0.5},
        {"blocks.0.neuron.threshold": "layer"},
        {"blocks.0.neuron.tau_start": 1.5, "epochs": 0},
        {"blocks.0.l1p": 0.5},
        {"l1p": 0.5},
        {"stem.l1p": 0.5},
    ],
)
def test_settings_with_effect_do(point):
    assert plan(point).hash != plan().hash


def test_shares_become_the_nearest_integers():
    made = plan({"blocks.0.attention.dsp": 0.44, "blocks.0.attention.l1p": 0.5})
    attention = Place(0, "attention")
    assert made.part("dsp").at(attention) == {"": 4}  # 0.44 x 8 = 3.52
    # half of 2 heads x 4 x 16
    assert made.part("l1p").at(attention) == dict.fromkeys("qkvo", 64)
    halves = plan({"blocks.0.mlp.dsp": 1.5 / 64})  # upwards
    assert halves.part("dsp").at(Place(0, "mlp")) == {"": 2}


def test_hash_stays_what_it_was():
    """A pinned value: another hash would make every recorded plan look new."""
    assert plan({"blocks.0.mlp.l1p": 0.5}).hash == "28666f229bef3f91"


@settings(derandomize=True)
@given(st.data())
def test_a_plan_survives_its_dictionary(data):
    keys = [n for n in map(str, parameters(SHAPE)) if n.endswith(("l1p", "dsp"))]
    scopes = [["l1p"], ["blocks.0.l1p", "blocks.1.l1p"], [n for n in keys if n.count(".") == 3]]
    others = [n for n in keys if n.endswith("dsp") or n.startswith(("stem", "head"))]
    names = st.sampled_from(data.draw(st.sampled_from(scopes)) + others)
    share = st.floats(0, 0.99)
    bits = {"weight_bits": data.draw(st.integers(2, 32))}
    made = plan(data.draw(st.dictionaries(names, share, max_size=8)) | bits)
    assert Plan.from_dict(made.to_dict()) == made
    assert 0 <= made.kept_weights(SHAPE) <= SHAPE.block_weights


def test_kept_weights():
    assert plan().kept_weights(SHAPE) == SHAPE.block_weights == 2 * (4 * 16 * 16 + 2 * 16 * 64)
    half = plan({f"blocks.{i}.{b}.l1p": 0.5 for i in (0, 1) for b in ("attention", "mlp")})
    assert half.kept_weights(SHAPE) == SHAPE.block_weights // 2


def test_short_form():
    made = plan(
        {
            "blocks.0.attention.dsp": 0.5,
            "blocks.0.attention.l1p": 0.8,
            "blocks.0.mlp.dsp": 0.0,
            "blocks.1.neuron.threshold": "channel",
            "blocks.1.neuron.tau": "layer",
            "blocks.1.neuron.tau_start": 0.5,
            "stem.l1p": 0.5,
            "time_steps": 2,
        }
    )
    assert made.short(SHAPE) == "T2 | A4/8 80% M- | A M θ/ch τ/la×0.5 | stem 50%"
    assert plan({"weight_bits": 4}).short(SHAPE) == "T4 4b | A M | A M"


@refusals(
    ({"blocks.0.mpl.l1p": 0.5}, "unknown parameter 'blocks.0.mpl.l1p'*'blocks.0.mlp.l1p'"),
    ({"blocks.2.mlp.l1p": 0.5}, "unknown parameter"),
    ({"blocks.0.mlp.l1p": 1.0}, "blocks.0.mlp.l1p: given 1.0; expected a number from 0 to below"),
    ({"blocks.0.mlp.dsp": -0.1}, "from 0 to 1"),
    ({"blocks.0.mlp.dsp": float("nan")}, "given nan"),
    ({"blocks.0.mlp.dsp": "half"}, "given 'half'"),
    ({"blocks.0.neuron.tau": "layr"}, "neuron tau: given 'layr'*did you mean 'layer'"),
    ({"blocks.0.neuron.tau_start": 0.0}, "neuron tau_start: given 0.0*above 0"),
    ({"l1p": 0.5, "blocks.1.mlp.l1p": 0.5}, "blocks.1: l1p of its matrices and of the model"),
    ({"blocks.0.l1p": 0.5, "blocks.0.mlp.l1p": 0.5}, "its matrices and of the block"),
    ({"head.l1p": 1.0}, "head.l1p: given 1.0"),
    ({"weight_bits": 1}, "weight_bits: given 1; expected a whole number from 2 to 32"),
    ({"weight_bits": 33}, "weight_bits: given 33; expected a whole number from 2 to 32"),
)
def test_what_is_wrong_is_refused(given, words):
    assert_refused(words, plan, given)


def test_scopes_of_l1p():
    whole = SHAPE.block_weights
    assert plan({"l1p": 0.9}).part("l1p").at(MODEL)[""] == round(0.9 * whole)
    block = plan({"blocks.0.l1p": 0.5, "blocks.0.mlp.dsp": 0.0}).part("l1p")
    assert block.at(Place(0))[""] == 4 * 16 * 16 // 2  # of what DSP leaves
    outside = plan({"stem.l1p": 0.5, "head.l1p": 0.1})
    assert outside.part("l1p").at(STEM) == {"conv": 45}
    assert outside.part("l1p").at(HEAD) == {"head": 4}
    assert outside.kept_weights(SHAPE) == whole  # of the blocks only
    assert plan({"l1p": 0.9}).kept_weights(SHAPE) == whole - round(0.9 * whole)
    assert plan({"l1p": 0.9}).short(SHAPE) == "T4 | all 90% | A M | A M"
    assert plan({"blocks.1.l1p": 0.5}).short(SHAPE) == "T4 | A M | A M 50%"


def test_a_branch_without_dimensions_to_remove_has_no_such_parameter():
    names = [str(parameter) for parameter in parameters(MIXED)]
    assert "blocks.0.mixer.l1p" in names
    assert "blocks.0.mixer.dsp" not in names
    assert "stem.l1p" not in names  # it has none
    with pytest.raises(InputError, match="mixer.dsp: given 0.5; the channels are the residual"):
        make_plan(parse_configuration({"blocks.0.mixer.dsp": 0.5}), MIXED, EFFORT)
