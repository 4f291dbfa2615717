"""Search spaces: what they offer, and what is wrong with a file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.compress.effort import Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.space import load_space
from autoprune.config import bundled_names
from autoprune.errors import InputError
from autoprune.networks.place import MODEL
from autoprune.networks.shape import BlockShape, NetworkShape
from tests.refusals import assert_refused, refusals

BITS = Parameter(MODEL, "weight_bits")
EFFORT = Effort(time_steps=4, learning_rate=1e-3, epochs=2)
GOOD = """
title = "a space"
[branch.attention]
l1p = { low = 0.0, high = 0.9, step = 0.1 }
[branch.mlp]
l1p = { low = 0.0, high = 0.9, step = 0.1 }
dsp = { values = [0.0, 0.5, 1.0] }
[neuron]
tau = { values = ["fixed", "layer"] }
[model]
time_steps = { values = [2, 4] }
[uniform]
l1p = [0.5, 0.8]
dsp = [1.0, 0.5]
"""


def named(found) -> dict:
    """By the names of the parameters."""
    return {str(parameter): value for parameter, value in found.items()}


def load(tmp_path, text: str):
    (tmp_path / "space.toml").write_text(text)
    return load_space(str(tmp_path / "space.toml"))


@pytest.mark.parametrize("name", bundled_names("search_spaces"))
def test_bundled_spaces_load(name):
    assert load_space(name).title


def test_parameters_of_a_network(tmp_path, shape):
    domains = load(tmp_path, GOOD).parameters(shape)
    assert sorted(map(str, domains)) == sorted(
        [
            f"blocks.{i}.{key}"
            for i in (0, 1)
            for key in ("attention.l1p", "mlp.l1p", "mlp.dsp", "neuron.tau")
        ]
        + ["time_steps"]
    )
    assert domains[Parameter.parse("blocks.0.mlp.l1p")].all == tuple(
        round(0.1 * i, 12) for i in range(10)
    )
    assert domains[Parameter(MODEL, "time_steps")].all == (2, 4)


def test_a_branch_that_the_network_lacks_is_refused(tmp_path, shape):
    only_mlp = NetworkShape(blocks=(BlockShape(branches=shape.blocks[0].branches[1:]),))
    with pytest.raises(InputError, match=r"branch\.attention: the network has no attention"):
        load(tmp_path, GOOD).parameters(only_mlp)


@refusals(
    (("low = 0.0, high = 0.9", "low = 0.9, high = 0.0"), "low (0.9) not above high (0.0)"),
    (("low = 0.0, high", "low = nan, high"), "finite"),
    (("low = 0.0, high", 'low = "0", high'), "given '0'"),
    (("step = 0.1", "step = 0"), "step above 0"),
    (("step = 0.1", "step = 1e-300"), "at most 10000 values"),
    ((", step = 0.1", ""), "either values, or low, high and step"),
    (("high = 0.9", "high = 1.0"), "l1p: numbers from 0 to below 1, not 1.0"),
    (("values = [0.0, 0.5, 1.0]", "values = [0.5, 0.0]"), "ascending"),
    (("values = [0.0, 0.5, 1.0]", "values = [0.5, 0.5]"), "each once"),
    (("values = [0.0, 0.5, 1.0]", "values = []"), "at least one value"),
    (('["fixed", "layer"]', '["fixed", "both"]'), "only fixed, layer, channel, neuron, not 'both'"),
    (("[2, 4]", "[0, 4]"), "whole numbers from 1"),
    (("time_steps = { values = [2, 4]", "weight_bits = { values = [1, 8]"), "from 2 to 32, not 1"),
    (("time_steps = { values = [2, 4]", "weight_bits = { values = [8, 33]"), "from 2 to 32, not"),
    (("time_steps = { values = [2, 4]", "weight_bits = { values = [4.5]"), "whole numbers from 2"),
    (("[branch.mlp]", "[branch.mpl]"), "did you mean 'mlp'"),
    (("[neuron]", "[neurons]"), "unknown key 'neurons'*mean 'neuron'"),
    (("tau =", "ta ="), "unknown key 'ta'*mean 'tau'"),
    (("[neuron]", "[block]\nl1p = { values = [0.0] }\n[neuron]"), "l1p in one scope, not in"),
    (("tau =", "tau_start = { values = [0.0, 1.0] }\ntau ="), "tau_start: numbers from 0.001"),
    (("l1p = [0.5, 0.8]", "l1p = [0.55]"), "uniform.l1p values inside branch.attention.l1p"),
    (("l1p = [0.5, 0.8]", "tau = [1.0]"), "uniform.tau values inside neuron.tau, not 1.0"),
    (("l1p = [0.5, 0.8]", "l1p = []"), "a table of title, *uniform.l1p of at least one value"),
    (("l1p = [0.5, 0.8]", "l1p = [0.5, 0.5]"), "uniform.l1p of at least one value, each once"),
    (("l1p = [0.5, 0.8]", "l1p = 0.5"), "uniform.l1p: given 0.5; expected a valid list"),
    (("l1p = [0.5, 0.8]", "epochs = [1]"), "uniform.epochs only where a table offers epochs"),
    (("l1p = [0.5, 0.8]", "lip = [0.5]"), "unknown key 'lip'*mean 'l1p'"),
    (("[uniform]", "[model]"), "Cannot declare"),
    (("l1p = [0.5, 0.8]", "l1p = [0.5]\nl1p = [0.8]"), "Cannot overwrite"),
)
def test_what_is_wrong_is_named(tmp_path, given, words):
    old, new = given
    assert old in GOOD
    assert_refused(f"space.toml*{words}", load, tmp_path, GOOD.replace(old, new, 1))


def test_scopes_stem_and_head(tmp_path, shape):
    text = """
title = "one number for all blocks"
[model]
l1p = { values = [0.0, 0.5] }
[stem]
l1p = { values = [0.0, 0.5] }
[uniform]
l1p = [0.5]
"""
    space = load(tmp_path, text)
    assert set(named(space.parameters(shape))) == {"l1p", "stem.l1p"}
    with pytest.raises(InputError, match=r"stem\.l1p: the network has no stem"):
        space.parameters(replace(shape, stem=()))


def test_dsp_where_dimensions_are_the_residual_width_is_refused(tmp_path, shape):
    space = load(tmp_path, GOOD)
    fixed = replace(shape.blocks[0].branches[1], fixed="they are the residual width")
    some = replace(
        shape,
        blocks=(
            replace(shape.blocks[0], branches=(shape.blocks[0].branches[0], fixed)),
            *shape.blocks[1:],
        ),
    )
    names = named(space.parameters(some))
    assert "blocks.0.mlp.dsp" not in names
    assert "blocks.1.mlp.dsp" in names
    every = replace(some, blocks=some.blocks[:1])
    with pytest.raises(InputError, match=r"mlp\.dsp: the network has none: they are the residual"):
        space.parameters(every)


def test_unknown_name():
    with pytest.raises(InputError, match="unknown search space 'digit'.*mean 'digits'"):
        load_space("digit")
