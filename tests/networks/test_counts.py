"""The counts in docs/networks.md are those of the networks."""

from __future__ import annotations

import re

import pytest
import torch

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.compress.surgery.apply import compress
from autoprune.compress.surgery.surgery import matrices
from autoprune.networks.build import adapter_for, build

NETWORKS = {
    "Spikformer-4-384, CIFAR10": ({"embed_dims": 384, "num_heads": 12, "patch_size": 4}, 10),
    "Spikformer-8-512, ImageNet": ({"embed_dims": 512, "num_heads": 8, "depths": 8}, 1000),
    "SDT-2-512, CIFAR100": (
        {"embed_dims": 512, "num_heads": 8, "depths": 2, "pooling_stat": "0011"},
        100,
    ),
    "SDT-8-384, ImageNet": ({"embed_dims": 384, "num_heads": 8, "depths": 8}, 1000),
    "QKFormer-4-384, CIFAR10": ({"num_heads": [6, 6, 6], "depths": [1, 1, 2]}, 10),
    "QKFormer-10-384, ImageNet": ({"num_heads": [6, 6, 6], "depths": [1, 2, 7]}, 1000),
    "MaxFormer-4-384, CIFAR100": ({"depths": [1, 1, 2], "cifar": True}, 100),
    "MaxFormer-10-384, ImageNet": ({"depths": [1, 2, 7]}, 1000),
    "Spikformer-patch-2-16, digits": (
        {"embed_dims": 16, "num_heads": 2, "depths": 2, "mlp_ratio": 4.0},
        10,
    ),
    "Spikformer-patch-4-64, fashion": (
        {"embed_dims": 64, "num_heads": 4, "depths": 4, "mlp_ratio": 2.0, "patch_size": 7},
        10,
    ),
}
SIDES = {"digits": 8, "fashion": 28}
"""Sizes of grey images; those of other networks have three channels and 224."""


def rows(text: str) -> dict[str, list[str]]:
    table = re.findall(r"^\| (.*) \|$", text, flags=re.MULTILINE)
    cells = [row.split(" | ") for row in table]
    return {row[0]: row[1:] for row in cells if len(row) == 6}


def number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize("name", NETWORKS)
def test_counts(root, name):
    arguments, classes = NETWORKS[name]
    data = name.rpartition(" ")[2]
    side = SIDES.get(data, 224)
    offered = {
        "T": 4,
        "in_channels": 1 if data in SIDES else 3,
        "img_size_h": side,
        "img_size_w": side,
        "num_classes": classes,
    }
    model, *counts = rows((root / "docs" / "networks.md").read_text(encoding="utf-8"))[name]
    network = build(model.strip("`"), arguments, offered)
    adapter = adapter_for(network, None)
    shape = adapter.shape(network)
    point = {f"{place}.l1p": 0.9 for place, _ in shape.branches()}
    point |= {f"{place}.dsp": 0.5 for place, b in shape.branches() if not b.fixed}
    plan = make_plan(
        parse_configuration(point), shape, Effort(time_steps=4, learning_rate=1e-3, epochs=0)
    )
    small = compress(network, plan, adapter)
    stored = sum(p.numel() for p in small.parameters())
    zeros = sum(int(torch.count_nonzero(m.weight == 0)) for m in matrices(small, adapter))
    whole = sum(p.numel() for p in network.parameters())
    assert [number(c) for c in counts] == [whole, shape.block_weights, stored, stored - zeros]


def test_differences_add_up(root):
    text = (root / "docs" / "networks.md").read_text(encoding="utf-8")
    table = {
        cells[0]: cells
        for cells in (row.split(" | ") for row in re.findall(r"^\| (.*) \|$", text, re.MULTILINE))
        if len(cells) == 4
    }
    for name, (_, papers, ours, words) in table.items():
        if name in NETWORKS:
            changes = re.findall(r"([\d,]+) (more|fewer)", words)
            total = sum(number(n) * (1 if way == "more" else -1) for n, way in changes)
            assert number(ours) - number(papers) == total
            assert number(ours) == number(rows(text)[name][1])
