"""Five figures per layer are a workload: SOPs as papers count them, the rest derived and said."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from autoprune.cost.load import load_machine
from autoprune.report.front.cost_report import report_cost
from autoprune.report.tables.price import head_lines, remark_lines
from autoprune.workload.columns import PLACES
from autoprune.workload.stated import derive, read_workload
from tests.refusals import assert_refused, refusals

PIXELS = {"layer": "stem", "dense_macs": 1000, "input_rate": "real"}
SPIKES = {"layer": "fc1", "dense_macs": 3.6e6, "input_rate": 0.25}
HEAD = {"layer": "head", "dense_macs": 3840, "input_rate": 2.5}
LAYERS = [
    {**PIXELS, "weight_density": 1, "time_steps": 4},
    {**SPIKES, "weight_density": 0.5, "time_steps": 4},
    {**HEAD, "weight_density": 1.0, "time_steps": 1},
]
CSV = """\
layer, dense_macs, input_rate, weight_density, time_steps, m, k, n
stem,        1000,       real,              1,          4,  ,  ,
fc1,        3.6e6,       0.25,            0.5,          4,  ,  ,
head,        3840,        2.5,            1.0,          1, 1, 384, 10
"""


def test_sops_are_those_of_the_papers():
    stem, fc1, head = derive(LAYERS, "here").ops
    assert stem.work.real_macs == stem.work.dense_macs == 4000
    assert stem.work.effective_sops == 0
    assert fc1.work.dense_macs == 4 * 3_600_000
    assert fc1.work.fanout_sops == 3_600_000  # 0.25 x 4 x MACs
    assert fc1.work.effective_sops == 1_800_000
    assert head.work.effective_sops == 2.5 * 3840
    assert (fc1.a.kind, head.a.kind, head.a.bits) == ("binary", "integer", 2)
    cost = load_machine("ops45_fp32").price(derive(LAYERS, "here"))
    assert cost.energy_pj == pytest.approx(4.6 * 4000 + 0.9 * (1_800_000 + 9600))


def test_sizes_that_are_given_are_kept_and_others_are_near_to_equal():
    given = [{**LAYERS[1], "m": 64, "k": 75, "n": 750}]
    sizes = derive(given, "here").ops[0].sizes
    assert (sizes.m, sizes.k, sizes.n) == (64, 75, 750)
    sizes = derive([{**LAYERS[1], "dense_macs": 64 * 384 * 384}], "here").ops[0].sizes
    assert (sizes.m, sizes.k, sizes.n) == (192, 192, 256)
    sizes = derive([{**LAYERS[1], "dense_macs": 10_007}], "here").ops[0].sizes  # a prime
    assert (sizes.m, sizes.k, sizes.n) == (1, 1, 10_007)


@drawn(
    macs=st.integers(1, 10**7),
    rate=st.floats(0, 9) | st.just("real"),
    density=st.floats(0, 1),
    steps=st.integers(1, 9),
)
def test_whatever_is_stated_is_a_workload_within_half_an_event(macs, rate, density, steps):
    layer = {"layer": "x", "dense_macs": macs, "input_rate": rate}
    (op,) = derive([{**layer, "weight_density": density, "time_steps": steps}], "here").ops
    assert op.sizes.m * op.sizes.k * op.sizes.n == macs
    if rate != "real":
        assert abs(op.a.events - rate * op.a.size) <= 0.5
        assert abs(op.work.effective_sops - density * op.work.fanout_sops) <= 0.5


def test_json_csv_and_a_file_of_autoprune_are_read_alike(tmp_path):
    texts = {
        "list.json": json.dumps(LAYERS),
        "whole.json": json.dumps({"network": "VGG", "layers": LAYERS}),
        "own.json": derive(LAYERS, "here").to_json(),
        "layers.csv": CSV,
    }
    found = {}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        found[name] = read_workload(tmp_path / name)
    assert found["list.json"] == found["own.json"] == derive(LAYERS, "here")
    assert found["whole.json"].network == "VGG"
    assert found["layers.csv"].ops[:2] == found["list.json"].ops[:2]
    assert found["layers.csv"].ops[2].sizes.k == 384


def test_what_was_derived_is_marked_and_said():
    stated = derive(LAYERS, "here")
    marked = {column for item in stated.assumed for column in item.columns}
    assert {"m", "neurons", "events_per_step", "effective_sops"} <= marked <= set(PLACES)
    assert not marked & {"dense_macs", "a_class", "time_steps", "name"}  # those are stated
    known = [{**LAYERS[1], "m": 64, "k": 75, "n": 750}]
    assert "m" not in {c for item in derive(known, "here").assumed for c in item.columns}
    report = report_cost(load_machine("loihi1"), stated)
    said = "\n".join((*head_lines(report), *remark_lines(report)))
    assert "counts are as stated" in said
    assert "Assumed: sizes M, K, N as near to equal as the MACs allow: stem, fc1, head" in said
    assert all(f"Assumed: {item.text}" in said for item in stated.assumed)


@refusals(
    ({"input_rate": None}, "layers.0.input_rate: given None; expected spikes per input and step"),
    ({"input_rate": "rael"}, "layers.0.input_rate: given 'rael'"),
    ({"input_rate": -0.1}, "layers.0.input_rate: given -0.1"),
    ({"input_rate": float("nan")}, "layers.0.input_rate: given nan"),
    ({"weight_density": 1.5}, "layers.0.weight_density: given 1.5"),
    ({"dense_macs": 0}, "layers.0.dense_macs: given 0"),
    ({"dense_macs": 1.5}, "layers.0.dense_macs: given 1.5"),
    ({"densemacs": 5}, "unknown key 'densemacs'; expected one of *did you mean 'dense_macs'?"),
    ({"m": 2}, "m x k x n = 3600000"),
    ({"m": 2, "k": 3, "n": 4}, "m x k x n = 3600000"),
)
def test_what_cannot_be_stated_is_refused(given, words):
    assert_refused(words, derive, [{**LAYERS[1], **given}], "here")


@refusals(
    ([], "no layer"),
    ([{"layer": "a"}], "layers.0.dense_macs: missing"),
    ([LAYERS[1], LAYERS[1]], "operations named twice: fc1"),
    ([LAYERS[1], {**LAYERS[2], "time_steps": 2}], "op 'head': time_steps is 2; expected 1, or"),
)
def test_layers_that_make_no_workload_are_refused(tmp_path, given, words):
    (tmp_path / "x.json").write_text(json.dumps(given), encoding="utf-8")
    assert "x.json: " in assert_refused(words, read_workload, tmp_path / "x.json")


@refusals(
    ("layer,dense_macs\na,1,2\n", "row 1: not as many cells as names"),
    ("layer,dense_macs,input_rate,weight_density,time_steps\na,1,rael,1,4\n", "0.input_rate"),
    ("", "no layer"),
)
def test_tables_that_make_no_workload_are_refused(tmp_path, given, words):
    (tmp_path / "x.csv").write_text(given, encoding="utf-8")
    assert_refused(words, read_workload, tmp_path / "x.csv")


HEADER = "layer,dense_macs,input_rate,weight_density,time_steps\n"


@refusals(
    (HEADER + "x" * 200_000 + ",1,1,1,1\n", "row 1: field larger than field limit"),
    (HEADER + "a,1,1,1,1\n" * 5000, "more than 4096 rows"),
    (HEADER + "a,1,1,1,1000000\n" * 20, "layers.0.time_steps: given 1000000; expected less than"),
    (HEADER + "a," + "9" * 5000 + ",1,1,1\n", "layers.0.dense_macs: given inf"),
)
def test_a_table_that_would_take_memory_or_time_is_refused(tmp_path, given, words):
    (tmp_path / "x.csv").write_text(given, encoding="utf-8")
    start = time.process_time()
    assert_refused(words, read_workload, tmp_path / "x.csv")
    assert time.process_time() - start < 1


def test_sizes_of_macs_that_are_prime_or_nearly_are_found_soon():
    prime, square = 999_999_999_989, 999_983**2  # 0.1 s each where divisors are counted down to
    layers = [{**LAYERS[1], "layer": f"{i}", "dense_macs": prime - i} for i in range(300)]
    start = time.process_time()
    derive(layers, "here")
    assert time.process_time() - start < 1
    for macs, sizes in ((prime, (1, 1, prime)), (square, (1, 1, square)), (7**5, (7, 49, 49))):
        [op] = derive([{**LAYERS[1], "dense_macs": macs}], "here").ops
        assert (op.sizes.m, op.sizes.k, op.sizes.n) == sizes
