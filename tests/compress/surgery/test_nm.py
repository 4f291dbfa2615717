"""N:M zeros against a loop; what a matrix of another width is told."""

from __future__ import annotations

import pytest
import torch
from click.testing import CliRunner

from autoprune.cli.main import cli
from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.methods.nm import kept
from autoprune.compress.space import load_space
from autoprune.compress.surgery.apply import compress
from autoprune.compress.surgery.nm import NMSurgery
from autoprune.compress.surgery.rounding import round_weights
from autoprune.compress.surgery.surgery import matrices
from autoprune.cost.ops import Ops
from autoprune.errors import InputError
from autoprune.workload.census.count import count


@pytest.mark.parametrize("pattern", ["4:8", "2:8", "1:8", "2:4", "1:4", "1:2"])
@pytest.mark.parametrize("inputs", [3, 8, 13, 16])
def test_the_largest_of_each_group_stay(pattern, inputs):
    n, m = map(int, pattern.split(":"))
    weight = torch.randn(5, inputs, generator=torch.Generator().manual_seed(inputs))
    found = NMSurgery().keep(weight, pattern)
    for row, mask in zip(weight.tolist(), found.tolist(), strict=True):
        for first in range(0, inputs, m):
            group = list(range(first, min(first + m, inputs)))
            largest = sorted(group, key=lambda i: (-abs(row[i]), i))[:n]
            assert [i for i in group if mask[i]] == sorted(largest)
        assert sum(mask) == kept(inputs, pattern)


def test_of_equal_weights_the_first_stay():
    assert NMSurgery().keep(torch.zeros(1, 4), "2:4").tolist() == [[True, True, False, False]]


def test_dsp_comes_first_and_l1p_counts_the_zeros_that_are_there(network, adapter, shape, effort):
    point = {"blocks.0.mlp.nm": "2:4", "blocks.0.mlp.dsp": 0.3, "blocks.0.mlp.l1p": 0.6}
    plan = make_plan(parse_configuration(point), shape, effort)
    model = compress(network, plan, adapter)
    found = sum(int(torch.count_nonzero(m.weight)) for m in matrices(model, adapter))
    assert found == plan.kept_weights(shape)
    assert plan.short(shape) == "T3 | A M7/24 2:4 60% | A M"
    milder = make_plan(parse_configuration(point | {"blocks.0.mlp.l1p": 0.3}), shape, effort)
    assert milder.part("l1p").amounts == ()  # fewer zeros than there are


def test_the_census_finds_what_weights_obey(network, adapter, shape, effort, images):
    """So it is with layers that were thinned, not of the others; at fewer bits as well."""
    plan = make_plan(parse_configuration({"blocks.0.mlp.nm": "2:4"}), shape, effort)
    model = compress(network, plan, adapter)
    round_weights(model, 4)
    ops = Ops.of([count(model, adapter, images, weight_bits=4)])
    assert ops.name[ops.obeys("2:4")].tolist() == [
        "blocks.0.mlp.fc1",
        "blocks.0.mlp.fc2",
    ]


def test_a_pattern_that_does_not_divide_the_inputs_is_refused(shape, effort):
    point = parse_configuration({"blocks.0.attention.nm": "4:8"})
    with pytest.raises(InputError, match="attention.nm: given '4:8' for 12 inputs; expected an M"):
        make_plan(point, shape, effort)


@pytest.mark.parametrize("pattern", ["4:2", "2:3", "2:0", "two of four"])
def test_a_pattern_that_there_is_not_is_refused(shape, effort, pattern):
    with pytest.raises(InputError, match="mlp.nm: given .*expected one of 1:2, 1:4"):
        make_plan(parse_configuration({"blocks.0.mlp.nm": pattern}), shape, effort)


def test_a_space_that_offers_no_pattern_is_refused(tmp_path):
    (tmp_path / "space.toml").write_text(
        'title = "own"\n[branch.mlp]\nnm = { values = ["dense", "4:2"] }\n', encoding="utf-8"
    )
    with pytest.raises(InputError, match="branch.mlp.nm to hold only dense, 4:8.*not '4:2'"):
        load_space(str(tmp_path / "space.toml"))


def test_no_run_begins_with_a_pattern_that_does_not_divide(root, tmp_path):
    text = (root / "tests" / "studies" / "short.toml").read_text(encoding="utf-8")
    own = text.replace("short_space.toml", "space.toml").replace(
        "embed_dims = 16", "embed_dims = 12"
    )
    (tmp_path / "study.toml").write_text(own, encoding="utf-8")
    (tmp_path / "space.toml").write_text(
        'title = "own"\n[branch.attention]\nnm = { values = ["dense", "4:8", "2:4"] }\n',
        encoding="utf-8",
    )
    done = CliRunner().invoke(cli, ["run", str(tmp_path / "study.toml"), "--dry-run"])
    assert "given '4:8' for 12 inputs; expected an M that divides them" in str(done.exception)
