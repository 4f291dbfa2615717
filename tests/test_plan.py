"""Plans are canonical: what trains the same network is the same plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoprune.errors import InputError
from autoprune.plan import Effort, NeuronPlan, Plan, make_plan, parameter_names
from autoprune.shape import BlockShape, BranchShape, MatrixShape, NetworkShape

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
SHAPE = NetworkShape(blocks=(BlockShape(branches=(ATTENTION, MLP)),) * 2)
EFFORT = Effort(time_steps=4, learning_rate=1e-3, epochs=2)


def plan(point=None, effort=EFFORT) -> Plan:
    return make_plan(point or {}, SHAPE, effort)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"blocks.0.mlp.l1p": 0.0, "blocks.1.attention.dsp": 1.0, "epochs": 2}),
        ({}, {"blocks.0.neuron.learns": "tau", "blocks.0.neuron.granularity": "channel"}),
        ({"blocks.0.mlp.dsp": 0.0}, {"blocks.0.mlp.dsp": 0.0, "blocks.0.mlp.l1p": 0.9}),
        ({"blocks.0.mlp.dsp": 0.5}, {"blocks.0.mlp.dsp": 0.501}),
        ({"epochs": 0}, {"epochs": 0, "learning_rate": 0.5, "blocks.0.neuron.kind": "slif"}),
        (
            {"blocks.1.mlp.dsp": 0.0, "blocks.1.attention.dsp": 0.0},
            {
                "blocks.1.mlp.dsp": 0.0,
                "blocks.1.attention.dsp": 0.0,
                "blocks.1.neuron.kind": "slif",
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
        {"blocks.0.mlp.l1p": 0.01},
        {"blocks.1.mlp.l1p": 0.01},
        {"blocks.0.attention.dsp": 0.5},
        {"blocks.0.neuron.kind": "slif"},
    ],
)
def test_settings_with_effect_do(point):
    assert plan(point).hash != plan().hash


def test_shares_become_the_nearest_integers():
    block = plan({"blocks.0.attention.dsp": 0.44, "blocks.0.attention.l1p": 0.5}).blocks[0]
    attention = block.branches[0]
    assert attention.kept == 4  # 0.44 x 8 = 3.52
    assert dict(attention.zeros) == dict.fromkeys("qkvo", 64)  # half of 2 heads x 4 x 16
    assert plan({"blocks.0.mlp.dsp": 1.5 / 64}).blocks[0].branches[1].kept == 2  # halves upwards


def test_hash_stays_what_it_was():
    """A pinned value: another hash would make every recorded plan look new."""
    assert plan({"blocks.0.mlp.l1p": 0.5}).hash == "5d19a5d0375bd42f"


@settings(max_examples=50, derandomize=True)
@given(st.data())
def test_a_plan_survives_its_dictionary(data):
    names = st.sampled_from([n for n in parameter_names(SHAPE) if n.endswith(("l1p", "dsp"))])
    share = st.floats(0, 0.99)
    made = plan(data.draw(st.dictionaries(names, share, max_size=8)))
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
            "blocks.1.neuron.kind": "slif",
            "blocks.1.neuron.granularity": "channel",
            "time_steps": 2,
        }
    )
    assert made.short(SHAPE) == "T2 | A4/8 80% M- | A M sθτ/ch"


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"blocks.0.mpl.l1p": 0.5}, "unknown parameter 'blocks.0.mpl.l1p'.*'blocks.0.mlp.l1p'"),
        ({"blocks.2.mlp.l1p": 0.5}, "unknown parameter"),
        (
            {"blocks.0.mlp.l1p": 1.0},
            "blocks.0.mlp.l1p: given 1.0; expected a number from 0 to below",
        ),
        ({"blocks.0.mlp.dsp": -0.1}, "from 0 to 1"),
        ({"blocks.0.mlp.dsp": float("nan")}, "given nan"),
        ({"blocks.0.mlp.dsp": "half"}, "given 'half'"),
        ({"blocks.0.neuron.kind": "slfi"}, "did you mean 'slif'"),
        ({"blocks.0.neuron.kind": "slif", "blocks.0.neuron.learns": "taus"}, "mean 'tau'"),
    ],
)
def test_what_is_wrong_is_refused(point, message):
    with pytest.raises(InputError, match=message):
        plan(point)


def test_a_lif_learns_nothing():
    with pytest.raises(InputError, match="lif that learns tau"):
        NeuronPlan(kind="lif", learns="tau")
    assert replace(NeuronPlan(), kind="slif", learns="tau").granularity == "layer"
