"""A workload is read back equal, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoprune.cost.sample import sample_workload
from autoprune.errors import InputError
from autoprune.workload.parts import Activity, Geometry
from autoprune.workload.workload import Elementwise, Uncounted, Workload
from tests.operations import altered
from tests.refusals import assert_refused, refusals


def rich() -> Workload:
    """A workload with everything that a file has to carry."""
    workload = sample_workload()
    geometry = Geometry(
        kernel=(3, 3),
        stride=(2, 2),
        padding=(1, 1),
        dilation=(1, 1),
        in_size=(8, 8),
        out_size=(4, 4),
    )
    stem = altered(
        workload.ops[0],
        kind="conv",
        geometry=geometry,
        effective_sops_std=0.1 + 0.2,
        producers=("a", "b"),
        activity=Activity(silent=3, windows=(9, 8, 7), empty_groups=(4, 1), groups=(6, 2)),
    )
    return replace(
        workload,
        ops=(stem, *workload.ops[1:]),
        elementwise=(Elementwise(kind="residual", places=2, entries=64),),
        uncounted=(Uncounted(name="pool", dense_macs=7, reason="no rule"),),
    )


def test_a_file_is_read_back_equal(tmp_path):
    file = tmp_path / "w.json"
    file.write_text(rich().to_json(), encoding="utf-8")
    assert Workload.read(file) == rich()


@given(st.data())
def test_no_truncated_file_is_taken_for_a_workload(data):
    text = rich().to_json()
    kept = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(InputError, match=r"w\.json: not readable as JSON .*truncated"):
        Workload.from_json(text[:kept], "w.json")


@refusals(
    (lambda d: d.update(autoprune_workload=99), "a workload of version 99; expected version 2"),
    (lambda d: d.update(autoprune_workload=1), "a workload of version 1; * count again"),
    (lambda d: d.pop("autoprune_workload"), "no workload; expected version 2"),
    (lambda d: d["ops"][1].update(nonzeros_per_step=[1]), "a_nonzeros by step"),
    (lambda d: d["ops"][1].update(b_bits=0), "bits is 0"),
    (lambda d: d.pop("ops"), "incomplete workload"),
    (lambda d: d.update(ops=5), "incomplete workload"),
    (lambda d: d.update(ops=[5]), "incomplete workload"),
    (lambda d: d["ops"][0].pop("m"), "incomplete workload*'m'"),
    (lambda d: d["ops"][0].update(extra=1), "incomplete workload*extra"),
    (lambda d: d.update(samples=0), "0 samples; expected at least 1"),
    (lambda d: d["ops"].append(d["ops"][0]), "operations named twice: stem"),
    (lambda d: d["ops"][0].update(m="8"), "m is '8'; expected whole counts"),
    (lambda d: d["ops"][0].update(m=True), "m is True; expected whole counts"),
    (lambda d: d["ops"][0].update(m=0), "is 0; expected at least 1"),
    (lambda d: d["ops"][1].update(k=2.5), "k is 2.5; expected whole counts"),
    (lambda d: d["ops"][1].update(neurons=-1), "neurons is -1; expected whole counts"),
    (lambda d: d["ops"][0].update(effective_sops_std=float("nan")), "effective_sops_std is nan"),
    (lambda d: d["ops"][1].update(a_class="bianry"), "a_class is 'bianry'*mean 'binary'"),
    (lambda d: d["ops"][1].update(kind="liner"), "kind is 'liner'*mean 'linear'"),
    (lambda d: d["ops"][1].update(fanout_sops=1), "effective_sops * exceeds fanout_sops 1"),
    (lambda d: d["ops"][1].update(a_size=1), "a_nonzeros * exceeds a_size"),
    (lambda d: d["ops"][1].update(events_per_step=[1]), "a_events by step is * 4 counts"),
    (
        lambda d: d["ops"][1].update(effective_sops_per_step=[0, 0, 0, 0]),
        "effective_sops by step is * add up to",
    ),
)
def test_what_is_wrong_with_a_workload_is_named(given, words):
    data = json.loads(rich().to_json())
    given(data)
    assert_refused(f"w.json: *{words}", Workload.from_json, json.dumps(data), "w.json")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Workload.read(tmp_path / "absent.json")
    with pytest.raises(InputError, match="not readable"):
        Workload.read(tmp_path)
    (tmp_path / "latin.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        Workload.read(tmp_path / "latin.json")


def test_one_order_is_counted_and_never_both():
    workload = sample_workload()
    for order in ("executed", "published"):
        chosen = list(workload.select(order))
        assert {op.order for op in chosen} == {"both", order}
        assert workload.per_sample("fanout_sops", order) == (
            sum(op.work.fanout_sops for op in chosen) / workload.samples
        )


def test_shares_are_of_everything_that_was_seen():
    workload = rich()
    parts = [workload.share_of_dense_macs(op.work.dense_macs) for op in workload.select("executed")]
    unseen = [workload.share_of_dense_macs(item.dense_macs) for item in workload.uncounted]
    assert sum(parts + unseen) == pytest.approx(1)
    assert unseen[0] > 0
