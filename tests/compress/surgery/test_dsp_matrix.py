"""DSP by matrix: which rows and columns stay, and that what is not written stays silent."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.plan import Plan
from autoprune.compress.surgery import dsp_matrix
from autoprune.compress.surgery.apply import compress, subject_of, training
from autoprune.errors import CompressionError, InputError
from autoprune.trial.training import logits


def test_shares_become_whole_dimensions_of_what_dsp_leaves(shape, effort):
    point = {"blocks.0.mlp.dsp_matrix": 0.5, "blocks.0.attention.dsp_matrix": 0.01}
    cut = make_plan(parse_configuration(point), shape, effort)
    assert dict(cut.part("dsp_matrix").amounts) == {
        "blocks.0.attention": 1,
        **{f"blocks.0.attention/{name}": 1 for name in "qkvo"},
        "blocks.0.mlp": 12,
        "blocks.0.mlp/fc1": 6,
        "blocks.0.mlp/fc2": 6,
    }
    assert cut.short(shape) == "T3 | A 1x1 M 12x6 | A M"
    left = cut.left(shape).shape
    [attention, mlp] = left.blocks[0].branches
    assert [(m.name, mlp.weights(m, mlp.size), mlp.inputs(m)) for m in mlp.matrices] == [
        ("fc1", 72, 6),
        ("fc2", 72, 12),
    ]
    assert (attention.size, attention.groups) == (1, 3)
    after_dsp = {"blocks.0.mlp.dsp": 0.25, "blocks.0.mlp.dsp_matrix": 0.5}
    both = make_plan(parse_configuration(after_dsp), shape, effort)
    assert dict(both.part("dsp_matrix").amounts)["blocks.0.mlp"] == 3
    odd = make_plan(
        parse_configuration({"blocks.0.mlp.dsp_matrix": 0.4, "blocks.0.mlp.nm": "2:4"}),
        shape,
        effort,
    )
    assert odd.kept_weights(shape) == shape.block_weights - 2 * 24 * 12 + 10 * 3 + 5 * 6
    gone = make_plan(parse_configuration({**after_dsp, "blocks.0.mlp.dsp": 0}), shape, effort)
    assert gone.part("dsp_matrix").amounts == ()


def test_rows_and_columns_of_largest_norm_stay(network, adapter):
    branch = adapter.branches(network)[0][1]
    fc1, fc2 = (matrix.module for matrix in branch.matrices)
    columns, rows = fc1.weight[:, :, 0].abs().sum(0), fc2.weight[:, :, 0].abs().sum(1)
    kept = fc2.weight.detach().clone()
    _, outer = dsp_matrix.narrow(branch, {"fc1": 5, "fc2": 4})
    for layer, score, size in ((fc1, columns, 5), (fc2, rows, 4)):
        assert score[outer[layer]].min() > score[~outer[layer]].max()
        assert int(outer[layer].sum()) == size
    assert fc1.weight.shape == (24, 5, 1)
    assert torch.equal(fc2.weight, kept[outer[fc2]])


def test_what_is_not_written_stays_silent_while_the_network_is_trained(
    network, adapter, shape, images, effort
):
    point = {"blocks.0.mlp.dsp_matrix": 0.5, "blocks.1.attention.dsp_matrix": 0.5}
    plan, nothing = (make_plan(parse_configuration(p), shape, effort) for p in (point, {}))

    def trained(*, held: bool) -> list[float]:
        model = compress(network, plan, adapter)
        norms = (model.blocks[0].mlp.fc2[1], model.blocks[1].attn.proj_conv_bn[1])
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.1)
        with training(subject_of(model, adapter, trains=True), plan if held else nothing):
            for _ in range(3):
                optimizer.zero_grad()
                out = logits(model.train(), images)
                nn.functional.cross_entropy(out, torch.arange(6) % 4).backward()
                optimizer.step()
        found = []
        for norm in norms:
            seen = []
            norm.register_forward_hook(lambda _m, _x, out, seen=seen: seen.append(out))
            for mode in (True, False):
                logits(model.train(mode), images)
            silent = torch.ones(12, dtype=torch.bool)
            silent[norm.writes] = False
            found += [out[:, silent].detach().abs().max().item() for out in seen]
            assert all(out[:, ~silent].abs().max() > 0 for out in seen)
        return found

    assert trained(held=True) == [0.0] * 4
    assert all(largest > 0 for largest in trained(held=False))


def test_what_does_not_fit_is_refused(network, adapter, shape, effort):
    branch = adapter.branches(network)[0][1]
    with pytest.raises(CompressionError, match="cannot keep 13 of 12 outer dimensions"):
        dsp_matrix.narrow(branch, {"fc1": 13})
    plan = make_plan(parse_configuration({"blocks.1.mlp.dsp_matrix": 0.5}), shape, effort)
    data = plan.to_dict()
    data["parts"]["dsp_matrix"]["blocks.1.mlp"] = 0
    with pytest.raises(InputError, match="a whole number from 1"):
        Plan.from_dict(data)
    data["parts"]["dsp_matrix"] = {"blocks.1.mixer": 4}
    with pytest.raises(CompressionError, match="cuts blocks.1.mixer; the network has none"):
        compress(network, Plan.from_dict(data), adapter)
