"""A run whose networks are read after other time steps, to its fronts, page, export and confirm."""

from __future__ import annotations

import json
import runpy

import pytest

from autoprune import open_run
from autoprune.report.page.gather import gather
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import prepare
from autoprune.trial.key import FINE_TUNED, TrialKey
from tests.short import Noting


@pytest.mark.full
def test_readings_go_all_the_way(short_study, tmp_path):
    study = short_study(("anytime = false", "anytime = true"), ("trials = 7", "trials = 2"))
    finished = run(prepare(str(study), workers=0), tmp_path / "run", Noting())
    opened = open_run(tmp_path / "run")
    tuned = opened.folder.read(FINE_TUNED)
    assert [reading.time_steps for reading in tuned.measurement.readings] == [1, 2]
    front = finished.fronts["loihi1"]
    read = next(row for row in front.rows if row.key.after is not None)
    assert all(row.test for found in finished.fronts.values() for row in found.rows)
    assert read.plan.startswith(f"T3@{read.key.after} |")
    assert opened.price(str(read.trial), "loihi1").energy_uj == pytest.approx(read.energy_uj)
    page = gather(opened.folder)
    machine = next(one for one in page["machines"] if one["name"] == "loihi1")
    assert set(machine["front"]) | set(machine["points"]) <= {t["trial"] for t in page["trials"]}
    exported = opened.export(read.trial, tmp_path / "network")
    assert any("as on record" in proof for proof in exported.proofs)
    manifest = json.loads((tmp_path / "network" / "manifest.json").read_text())
    plan = json.loads((tmp_path / "network" / "plan.json").read_text())
    assert (manifest["after"], plan["effort"]["time_steps"]) == (read.key.after, 3)
    load = runpy.run_path(str(tmp_path / "network" / "load_network.py"))["load"]
    assert read.key.after == load().T
    confirmed = opened.confirm(seeds=1, workers=0)
    rows = {row.trial for one in confirmed.fronts for row in one.rows}
    assert read.trial in rows
    assert not any("@" in file.name for file in opened.folder.path.rglob("*"))
    assert opened.folder.read(TrialKey(read.key.number, 0, after=read.key.after)).measurement
