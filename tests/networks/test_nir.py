"""Graphs of NIR: read within bounds, run as their equations say, refused by name."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from autoprune.api import profile_graph as profile_file
from autoprune.cli.profile import profile
from autoprune.data.npz import read_inputs
from autoprune.errors import AutopruneError, FileError, InputError
from autoprune.networks.nir import file as nir_file
from autoprune.networks.nir.file import read_tree
from autoprune.networks.nir.graph import Graph
from autoprune.networks.nir.network import NirNetwork
from autoprune.networks.nir.neurons import NirNeuron
from autoprune.networks.nir.read import read_graph
from autoprune.trial.nir_graph import Counting, profile_graph

DT = 1e-4


def lif(size: int, **changed: Any) -> nir.LIF:
    ones = np.ones(size)
    values = {"tau": 2 * DT * ones, "r": ones, "v_leak": 0 * ones, "v_threshold": 0.5 * ones}
    return nir.LIF(**{**values, **changed})


def chain(*nodes: Any) -> nir.NIRGraph:
    return nir.NIRGraph.from_list(*nodes, type_check=False)


def small() -> nir.NIRGraph:
    """Three inputs, four neurons, two outputs."""
    weight = np.array([[1, 0, 0.5], [0, 2, 0], [-1, 1, 1], [0, 0, 0.25]], np.float32)
    second = np.array([[0.5, 0, 0, 1], [1, 1, 1, 1]], np.float32)
    return chain(
        nir.Input(np.array([3])),
        nir.Affine(weight, np.zeros(4, np.float32)),
        lif(4),
        nir.Linear(second),
        nir.IF(np.full(2, 1 / DT), np.array([0.7, 1.5])),
        nir.Output(np.array([2])),
    )


def written(graph: nir.NIRGraph, folder: Path) -> Path:
    nir.write(folder / "graph.nir", graph)
    return folder / "graph.nir"


def test_counts_equal_a_loop(tmp_path):
    graph = small()
    spikes = np.random.default_rng(0).random((5, 6, 3)) < 0.5  # [samples, T, inputs]
    np.savez(tmp_path / "inputs.npz", spikes)
    nodes = list(graph.nodes.values())
    first, second = nodes[1].weight.astype(float), nodes[3].weight.astype(float)
    operations, emitted = [0, 0], [0, 0]
    for sample in spikes:
        v, u = np.zeros(4), np.zeros(2)
        for x in sample:
            operations[0] += int(sum((first[:, i] != 0).sum() for i in np.flatnonzero(x)))
            v = v + (first @ x - v) / 2
            fired = v > 0.5
            v[fired] = 0
            emitted[0] += int(fired.sum())
            operations[1] += int(sum((second[:, i] != 0).sum() for i in np.flatnonzero(fired)))
            u = u + second @ fired
            out = u > np.array([0.7, 1.5])
            u[out] = 0
            emitted[1] += int(out.sum())
    found = profile_graph(written(graph, tmp_path), tmp_path / "inputs.npz", Counting())
    assert [op.work.effective_sops for op in found.ops] == operations
    assert [op.neurons.output_spikes for op in found.ops if op.neurons] == emitted
    assert emitted[0] > 20 and emitted[1] > 5
    assert (found.samples, found.time_steps) == (5, 6)


def test_a_static_input_is_shown_in_every_step(tmp_path):
    file = written(small(), tmp_path)
    image = np.array([[1.0, 0, 1]])
    np.savez(tmp_path / "one.npz", image)
    np.savez(tmp_path / "all.npz", inputs=np.repeat(image[:, None], 4, 1), other=np.zeros(1))
    one = profile_graph(file, tmp_path / "one.npz", Counting(time_steps=4))
    assert one == profile_graph(file, tmp_path / "all.npz", Counting())
    with pytest.raises(InputError, match=r"an array \[1, 3\]; expected \[samples, T, 3\], or"):
        profile_graph(file, tmp_path / "one.npz", Counting())


def test_weights_are_rounded_before_counting(tmp_path):
    np.savez(tmp_path / "x.npz", np.ones((1, 1, 3)))
    full, coarse = (
        profile_graph(written(small(), tmp_path), tmp_path / "x.npz", Counting(weight_bits=bits))
        for bits in (32, 2)
    )
    assert (full.ops[0].b.nonzeros, coarse.ops[0].b.nonzeros) == (7, 6)  # 0.5 of 1, to even
    assert coarse.ops[0].b.bits == 2


@pytest.mark.parametrize("kind", ["LI", "CubaLI", "CubaLIF", "I", "LIF"])
def test_neurons_follow_their_equations(kind):
    values = {
        "tau": np.array([3, 5.0]) * DT,
        "tau_mem": np.array([3, 5.0]) * DT,
        "tau_syn": np.array([2, 4.0]) * DT,
        "r": np.array([1.5, 2.0]),
        "v_leak": np.array([0.1, -0.2]),
        "w_in": np.array([1.0, 3.0]),
        "v_threshold": np.array([0.4, 0.6]),
        "v_reset": np.array([0.05, 0.0]),
    }
    if kind == "I":
        values["r"] = values["r"] / DT
    takes = getattr(nir, kind).__dataclass_fields__
    node = getattr(nir, kind)(**{key: value for key, value in values.items() if key in takes})
    given = np.random.default_rng(1).random((8, 2))
    v = np.array(values["v_reset"]) if "v_reset" in takes else np.zeros(2)
    current, wanted = np.zeros(2), []
    for x in given:
        if "tau_syn" in takes:
            k = DT / values["tau_syn"]
            current = current * (1 - k) + values["w_in"] * k * x
        else:
            current = x
        if kind == "I":
            v = v + values["r"] * current * DT
        else:
            v = v + (values["r"] * current + values["v_leak"] - v) * DT / values["tau"]
        spikes = v > values["v_threshold"]
        wanted.append(spikes if "v_threshold" in takes else v)
        if "v_threshold" in takes:
            v = np.where(spikes, values["v_reset"], v)
    found = NirNeuron(node, DT)(torch.tensor(given, dtype=torch.float32).unsqueeze(1))
    np.testing.assert_allclose(found[:, 0], np.array(wanted), atol=1e-5)
    assert np.unique(np.array(wanted)).size > 1


def test_every_primitive_runs():
    image = np.array([2, 4, 4])
    one = np.ones((3, 2, 2))
    nodes = [
        nir.Input(image),
        nir.Conv2d((4, 4), np.ones((3, 2, 1, 1)), 1, 0, 1, 1, np.zeros(3)),
        nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        nir.Scale(2 * one),
        nir.Threshold(0.5 * one),
        nir.Delay(2 * DT * one),
        nir.SumPool2d(np.array([1, 2]), np.array([1, 2]), np.array([0, 0])),
        nir.Flatten(np.array([3, 2, 1]), 1, -1),
        nir.Conv1d(2, np.ones((3, 1, 2)), 1, "valid", 1, 3, np.zeros(3)),
        nir.Flatten(np.array([3, 1]), 0, -1),
        nir.Affine(np.ones((3, 3)), np.zeros(3)),
        lif(3),
        nir.Linear(np.ones((2, 3))),
        nir.LI(*(np.ones(2) for _ in range(3))),
        nir.Output(np.array([2])),
    ]
    names = {str(place): node for place, node in enumerate(nodes)}
    pairs = tuple((str(place), str(place + 1)) for place in range(len(nodes) - 1))
    network = NirNetwork(Graph(where="g", nodes=names, edges=pairs), 4)
    seen = {}
    for name in ("5", "6", "8"):
        network.modules_of[name].register_forward_hook(
            lambda _m, x, out, name=name: seen.update({name: (x[0], out)})
        )
    assert network(torch.ones(4, 1, *image)).shape == (4, 1, 2)
    before, late = seen["5"]
    assert torch.equal(late[2:], before[:2]) and not late[:2].any() and late.any()
    assert torch.equal(seen["6"][1][..., 0], late.sum(-1))
    assert torch.equal(seen["8"][1][..., 0], seen["8"][0].sum(-1))


def test_a_graph_within_a_graph_is_dissolved(tmp_path):
    whole = small()
    names = list(whole.nodes)
    inner = nir.NIRGraph(
        {
            "in": nir.Input(np.array([3])),
            "w": whole.nodes[names[1]],
            "n": whole.nodes[names[2]],
            "out": nir.Output(np.array([4])),
        },
        [("in", "w"), ("w", "n"), ("n", "out")],
        type_check=False,
    )
    outer = nir.NIRGraph(
        {"a": whole.nodes[names[0]], "g": inner, **{n: whole.nodes[n] for n in names[3:]}},
        [("a", "g"), ("g", names[3]), (names[3], names[4]), (names[4], names[5])],
        type_check=False,
    )
    flat = NirNetwork(read_graph(written(whole, tmp_path)), 5)
    found = read_graph(written(outer, tmp_path))
    assert set(found.nodes) == {"a", "g.w", "g.n", *names[3:]}
    x = (torch.rand(5, 2, 3, generator=torch.Generator().manual_seed(0)) < 0.6).float()
    assert torch.equal(NirNetwork(found, 5)(x), flat(x)) and flat(x).any()


def _edit(file: Path, **changed: Any) -> Path:
    """The file with other values at paths in which / is written __; None removes."""
    with h5py.File(file, "a") as opened:
        for path, value in changed.items():
            name = path.replace("__", "/")
            del opened[name]
            if value is not None:
                opened[name] = value
    return file


EDGES = "node__edges"
NAMES = ("input", "affine", "lif", "linear", "if", "output")
STRAIGHT = [*pairwise(NAMES)]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({EDGES: [*STRAIGHT, ("if", "linear")]}, "a cycle, (if -> linear -> if|linear -> if -> l)"),
        ({EDGES: STRAIGHT[1:]}, "node 'affine': no edge leads to it"),
        ({EDGES: [*STRAIGHT, ("lif", "ouput")]}, "names no node 'ouput'.*did you mean 'output'"),
        ({EDGES: [*STRAIGHT, STRAIGHT[0]]}, "the edge input -> affine stands 2 times"),
        ({"version": "2.0"}, "version '2.0'; expected a NIR file of version 0 or 1"),
        ({"version": None}, "no version"),
        ({"node__type": "Grph"}, "holds no graph of nodes"),
        ({"node__nodes__lif__type": "Lif"}, r"unknown nodes 'lif' \(Lif\)"),
        ({"node__nodes__lif__v_threshold": [np.nan] * 4}, "'lif': v_threshold holds a value that"),
        ({"node__nodes__lif__v_threshold": [1.0] * 3}, "'lif': is no LIF"),
        ({"node__nodes__lif__tau": [1.0, 1, 0, 1]}, "'lif': tau is 0; expected a number above 0"),
        ({"node__nodes__lif__tau": [1e-5] * 4}, "a time constant of 1e-05 s for steps of 0.0001 s"),
        ({"node__nodes__affine__bias": [0.0] * 5}, r"weight or bias of \[5\] in place of \[4\]"),
        ({"node__nodes__affine__weight": np.ones((4, 2))}, r"'affine': given a signal \[3\]"),
        ({"node__nodes__linear__weight": np.ones((3, 4))}, r"signal \[3\]: holds neurons \[2\]"),
        ({"node__nodes__input__type": "Output"}, "0 nodes Input and 2 nodes Output"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_a_wrong_graph_is_refused_in_one_message(changed, said, tmp_path):
    edited = dict(changed)
    if EDGES in edited:
        edited[EDGES] = [[first.encode(), second.encode()] for first, second in edited[EDGES]]
    file = _edit(written(small(), tmp_path), **edited)
    with pytest.raises(InputError, match=said) as caught:
        NirNetwork(read_graph(file), 1)(torch.zeros(1, 1, 3))
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def _external(folder: Path) -> Path:
    with h5py.File(folder / "a.nir", "w") as opened:
        opened["node"] = h5py.ExternalLink("/etc/passwd", "/")
    return folder / "a.nir"


def _soft(folder: Path) -> Path:
    with h5py.File(folder / "a.nir", "w") as opened:
        opened["node"] = h5py.SoftLink("/")
    return folder / "a.nir"


def _circle(folder: Path) -> Path:
    with h5py.File(folder / "a.nir", "w") as opened:
        opened["node/node"] = opened.create_group("node")
    return folder / "a.nir"


def _elsewhere(folder: Path) -> Path:
    (folder / "raw").write_bytes(bytes(8))
    with h5py.File(folder / "a.nir", "w") as opened:
        opened.create_dataset("node", (1,), "f8", external=[(str(folder / "raw"), 0, 8)])
    return folder / "a.nir"


def _bomb(folder: Path) -> Path:
    with h5py.File(folder / "a.nir", "w") as opened:
        opened.create_dataset("node/weight", (2**27,), "f4", chunks=(2**20,), compression="gzip")
    return folder / "a.nir"


def _no_hdf5(folder: Path) -> Path:
    (folder / "a.nir").write_text("node")
    return folder / "a.nir"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_external, "/node is a link, which is not followed"),
        (_soft, "/node is a link, which is not followed"),
        (_circle, "groups nested more than 32 deep"),
        (_elsewhere, "/node lies in another file, which is not read"),
        (_bomb, "tensors of more than 256 MiB"),
        (_no_hdf5, "no NIR file"),
        (lambda folder: folder, "no regular file"),
        (lambda folder: folder / "none.nir", "No such file"),
    ],
)
def test_a_hostile_file_is_refused_before_it_is_read(make, said, tmp_path):
    with pytest.raises(FileError, match=said):
        read_tree(make(tmp_path))


def test_a_file_of_many_entries_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(nir_file, "_ENTRIES", 10)
    with pytest.raises(FileError, match="more than 10 entries"):
        read_tree(written(small(), tmp_path))


@pytest.mark.parametrize(
    "arrays", [{"a": np.zeros(3), "b": np.zeros(3)}, {"a": np.array(["x"])}, {"a": [np.nan] * 3}]
)
def test_inputs_that_are_no_numbers_are_refused(arrays, tmp_path):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(AutopruneError, match=r"x\.npz"):
        profile_graph(written(small(), tmp_path), tmp_path / "x.npz", Counting(time_steps=1))


def test_inputs_that_are_no_file_of_arrays_are_refused(tmp_path):
    """Each byte of a small file damaged, and what is no file."""
    file = tmp_path / "x.npz"
    np.savez_compressed(file, np.arange(30.0).reshape(2, 5, 3))
    whole = bytearray(file.read_bytes())
    os.mkfifo(tmp_path / "pipe")
    for place in ("pipe", "none", "."):
        with pytest.raises(FileError, match="no such file|no regular file"):
            read_inputs(tmp_path / place)
    refused = 0
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read_inputs(file)
        except FileError as error:
            refused += 1
            assert str(file) in str(error)
    assert refused > 100


def test_the_command_counts_and_prices_a_graph(tmp_path):
    file, inputs = written(small(), tmp_path), tmp_path / "x.npz"
    np.savez(inputs, np.ones((2, 4, 3)))
    given = [str(file), "--inputs", str(inputs)]
    done = CliRunner().invoke(profile, [*given, "--machine", "loihi1"])
    assert done.exit_code == 0, done.output
    assert "Means over 2 samples of T = 4 steps." in " ".join(done.output.split())
    assert "loihi1: " in done.output and "per inference" in done.output
    for more, said in (
        (["--input", "3"], "--input is not for"),
        (["--time-axis", "1"], "--time-axis is not for"),
    ):
        refused = CliRunner().invoke(profile, [*given, *more])
        assert refused.exit_code == 2 and said in refused.output
    assert "Missing option '--inputs'" in CliRunner().invoke(profile, [str(file)]).output
    assert "Missing option '--input'" in CliRunner().invoke(profile, ["a:b"]).output


def test_without_the_extra_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("autoprune.networks.nir.installed.NEEDED", ("nir_that_nobody_has",))
    with pytest.raises(InputError, match=r"nir_that_nobody_has not installed; .*autoprune\[nir\]"):
        profile_file(written(small(), tmp_path), tmp_path / "x.npz")
