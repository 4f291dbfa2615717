"""What lies in a run folder is read, or refused by name: soon, and in little memory."""

from __future__ import annotations

import json
import math
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autoprune.compress.part import Part
from autoprune.errors import AutopruneError, RecordError
from autoprune.networks.checkpoint import load_checkpoint
from autoprune.networks.spikformer_patch import PatchSpikformer
from autoprune.opened_run import OpenedRun
from autoprune.report.tables.front import front_table
from autoprune.report.tables.trial import trial_lines
from autoprune.report.tables.trials import trials_table
from autoprune.runs.columns import TrialColumns
from autoprune.runs.environment import read_environments
from autoprune.runs.exports import left
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import holder
from autoprune.runs.machines import run_machines
from autoprune.runs.measured import MeasuredOn, Timing, read_all, write
from autoprune.runs.outcome_file import read_columns
from autoprune.runs.own_files import OWN
from autoprune.runs.recipe import Attempt, Choice, ChosenRates, read_chosen, write_chosen
from autoprune.search.proposals import read_proposals
from autoprune.search.warm_start import WarmStart, keep, kept
from autoprune.study.recorded import recorded_parts
from autoprune.sweep.driver import _optuna_study, run_journal
from autoprune.sweep.prepare import prepare
from autoprune.sweep.watchdog import Allowance, Watchdog
from autoprune.trial.job import Failure
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.trial.measurement import Score
from tests.mutations import (
    Mutation,
    mutate_bytes,
    mutate_columns,
    mutate_footer,
    mutate_header,
    mutate_json,
    mutate_lines,
    mutate_metadata,
    mutate_toml,
    tried,
)
from tests.short import SHORT

MANY, FEW, SHOW = 3000, 20, 12
SECONDS = 1.0
NOTE = "0123456789abcdef.json"
NOT_THERE = "a plan that takes from its network what that has not"


@pytest.fixture(scope="module")
def whole(short_run, tmp_path_factory) -> Path:
    """A finished run with one of every kind of file that is read."""
    folder = RunFolder(Path(shutil.copytree(short_run, tmp_path_factory.mktemp("whole") / "run")))
    outcome = folder.read(TrialKey(1))
    folder.write(replace(outcome, key=TrialKey(1, 0)))
    timing = Timing(
        key=TrialKey(1), batch=1, latency_us=1.0, low_us=1.0, high_us=1.0, energy_uj=None
    )
    measured = {"name": "cpu", "device": "d", "threads": 1, "rounds": 3, "counter": ""}
    write(folder.path, MeasuredOn(**measured, missing=("power",), timings=(timing,)))
    warm = {"source": "x", "kind": "data", "differs": ("seed",), "outside": 0}
    keep(WarmStart(**warm, trials=(outcome,), baselines=()), folder.warm_start)
    held = {"host": "h", "process": 1, "since": "2026-01-01 00:00:00+00:00", "boot": "b"}
    (folder.path / "run.lock").write_text(json.dumps(held), encoding="utf-8")
    folder.write(replace(outcome, key=TrialKey.recipe(1), origin="recipe"))
    score = Score(correct=9, total=10)
    tried = Attempt(rate=0.01, scores=(0.9, None), score=score)
    choice = Choice(of="learning_rate", given=None, plans=("dense", "l1p 80"), attempts=(tried,))
    write_chosen(ChosenRates(choices=(choice,), trainings=2, seconds=1.0), folder.chosen_rates)
    for name, text in {
        "ended/00001.memory": json.dumps({"gib": 1.5, "over": True}),
        "ended/00001.time": 'Timeout!\nThread 0x1 (most recent call first):\n  File "a.py", line 1',
        f"exports/{NOTE}": json.dumps({"folder": str(folder.path / f".e.{NOTE[:-5]}.partial")}),
    }.items():
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).write_text(text, encoding="utf-8")
    return folder.path


def test_names_of_what_a_run_keeps_are_known(whole):
    """Nothing else is put in their place: see `refuse_own`."""
    folder = RunFolder(whole)
    named = {place.name for place in vars(folder).values() if isinstance(place, Path)}
    there = {place.name for place in whole.iterdir()}
    assert (named | there) - {whole.name, "report.html"} <= OWN
    assert OWN - named - there <= {"space.toml"}


def weights(path: Path, name: str) -> None:
    """Weights as export and measure take them."""
    load_checkpoint(PatchSpikformer(**SMALL), path / name)


def verdict(path: Path) -> Failure:
    """Why a worker ended, by the word that it left."""
    found = Watchdog(path / "ended", Allowance(minutes=1.0, memory_gib=1.0)).verdict(TrialKey(1))
    assert math.isfinite(found.peak_gib) and len(found.cause) < 2**20
    return found


SMALL = {"T": 3, "in_channels": 1, "img_size_h": 8, "img_size_w": 8, "num_classes": 10}
SMALL |= {"embed_dims": 16, "depths": 1, "num_heads": 2, "mlp_ratio": 2.0}
JSON, TOML = (mutate_bytes, mutate_json, mutate_json), (mutate_bytes, mutate_toml, mutate_toml)
PARQUET = (mutate_bytes, mutate_footer, mutate_columns, mutate_metadata, mutate_metadata)
TENSORS = (mutate_bytes, mutate_header)
READERS: dict[str, tuple[Callable[[Path], object], tuple[Mutation, ...]]] = {
    "study.json": (lambda path: RunFolder(path).record, JSON),
    "study.toml": (lambda path: recorded_parts(RunFolder(path)), TOML),
    "machines/loihi1.toml": (lambda path: run_machines(RunFolder(path)), TOML),
    "trials/00001.parquet": (
        lambda path: (
            RunFolder(path).read_heads(),
            RunFolder(path).read_trials(),
            TrialColumns(RunFolder(path)).at(8),
        ),
        PARQUET,
    ),
    "baselines/fine-tuned.parquet": (lambda path: RunFolder(path).read_baselines(), PARQUET),
    "confirmed/00001-0.parquet": (lambda path: RunFolder(path).read_confirmed(), PARQUET),
    "optuna.journal": (
        lambda path: read_proposals(RunFolder(path)),
        (mutate_bytes, mutate_lines, mutate_lines),
    ),
    "parent.safetensors": (lambda path: weights(path, "parent.safetensors"), TENSORS),
    "environments.json": (lambda path: read_environments(path / "environments.json"), JSON),
    "run.lock": (holder, JSON),
    "measured/cpu/measured.json": (read_all, JSON),
    "warm_start/warm_start.json": (lambda path: kept(path / "warm_start"), JSON),
    "recipe.json": (lambda path: read_chosen(path / "recipe.json"), JSON),
    "recipe/recipe_1.parquet": (
        lambda path: RunFolder(path).read(TrialKey.recipe(1)),
        PARQUET,
    ),
    f"exports/{NOTE}": (lambda path: left(RunFolder(path)), JSON),
    "ended/00001.memory": (lambda path: verdict(path), JSON),
    "ended/00001.time": (lambda path: verdict(path), (mutate_bytes,)),
}
SILENT = ("run.lock", f"exports/{NOTE}", "ended/00001.memory", "ended/00001.time")
"""Notes that say nothing where they are damaged: who asks has an answer without them."""


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.fuzz)])
@pytest.mark.parametrize("name", READERS)
def test_a_file_of_a_run_is_read_or_refused_by_name(whole, tmp_path, name, count):
    """Within a second and half a GiB."""
    shutil.copytree(whole, tmp_path / "run")
    read, mutations = READERS[name]
    file, rng = tmp_path / "run" / name, random.Random(name)
    content = file.read_bytes()
    read(tmp_path / "run")
    found, before = tried.setdefault(name, Counter()), getrusage(RUSAGE_SELF).ru_maxrss
    for number in range(count):
        file.write_bytes(rng.choice(mutations)(content, rng))
        start = time.process_time()
        try:
            read(tmp_path / "run")
            found["valid"] += 1
        except AutopruneError as error:
            found["refused"] += 1
            assert file.name in str(error), (number, error)
        except BaseException as error:
            shutil.copy(file, tmp_path / "broken")
            raise AssertionError(f"{number}: {error!r}, kept in {tmp_path / 'broken'}") from error
        assert time.process_time() - start < SECONDS, number
    assert found["refused"] or name in SILENT
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 2**19


@pytest.mark.fuzz
def test_a_run_goes_on_from_a_damaged_journal_or_sets_it_aside(whole, tmp_path):
    """What Optuna then knows of the trials on disk is what they are."""
    shutil.copytree(whole, tmp_path / "run")
    built = prepare(SHORT, workers=0).built
    plans = {head.key.number: head.plan.hash for head in RunFolder(whole).read_heads()}
    content, rng = RunFolder(whole).journal.read_bytes(), random.Random("goes on")
    found = tried.setdefault("optuna.journal, as a run goes on", Counter())
    for number in range(MANY):
        folder = RunFolder(tmp_path / "run")
        folder.journal.write_bytes(rng.choice((mutate_bytes, mutate_lines))(content, rng))
        shutil.copy(folder.journal, tmp_path / "broken")
        start = time.process_time()
        study = run_journal(folder, partial(_optuna_study, built, plans))
        assert time.process_time() - start < SECONDS, number
        found["refused" if folder.set_aside else "valid"] += 1
        known = {t.number: t.user_attrs["hash"] for t in study.trials}
        assert all(plans.get(trial, plan) == plan for trial, plan in known.items()), number
        for aside in folder.set_aside:
            aside.unlink()
    assert found["valid"] and found["refused"]


SHOWN: dict[str, Callable[[OpenedRun], object]] = {
    "status": lambda run: run.status().to_dict(),
    "trials": lambda run: trials_table(run.trials()),
    "trial": lambda run: list(trial_lines(run.trial(1))),
    "fronts": lambda run: [front_table(front) for front in run.fronts().fronts],
    "pick": lambda run: run.pick("loihi1", min_accuracy=0.1).to_dict(),
    "compare": lambda run: run.compare().to_dict(),
    "price": lambda run: run.price(1, "loihi1").by_cause(),
    "report": lambda run: run.report(run.folder.path / "out.html"),
    "clean": lambda run: run.clean(dry_run=True),
}
"""What commands ask of a run, and show."""


@pytest.mark.fuzz
@pytest.mark.parametrize("name", READERS)
def test_what_was_read_of_a_damaged_run_can_be_shown(whole, tmp_path, name):
    shutil.copytree(whole, tmp_path / "run")
    _, mutations = READERS[name]
    file, rng = tmp_path / "run" / name, random.Random(f"shown {name}")
    content = file.read_bytes()
    for number in range(SHOW):
        file.write_bytes(rng.choice(mutations)(content, rng))
        for asked, show in SHOWN.items():
            try:
                show(OpenedRun(tmp_path / "run"))
            except AutopruneError as error:
                assert str(error).strip()
            except BaseException as error:
                shutil.copy(file, tmp_path / "broken")
                kept = tmp_path / "broken"
                raise AssertionError(f"{asked} {number}: {error!r}, kept in {kept}") from error


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "0"},
        {"seed": 10**400},
        {"peak_gib": 10**400},
        {"state": "won"},
        {"cause": 3},
        {"charges": {"loihi1": {"energy_uj": float("nan")}}},
        {"charges": {"loihi1": {"energy_uj": "1"}}},
        {"broken": [["x", None]]},
        {"peak_gib": "large"},
        {"key": "2"},
        {"origin": "nowhere"},
    ],
)
def test_a_value_of_another_type_is_damage(whole, tmp_path, change):
    shutil.copytree(whole, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    file = folder.file(TrialKey(1))
    table = pq.read_table(file)
    meta = json.loads(table.schema.metadata[b"autoprune"]) | change
    text = json.dumps(meta).encode()
    pq.write_table(table.replace_schema_metadata({b"autoprune": text}), file)
    heads = [] if "seed" in change else [folder.read_heads]  # they have no seed
    for read in (*heads, folder.read_trials):
        with pytest.raises(RecordError, match=r"00001.parquet: damaged"):
            read()


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("dense_macs", -1, pa.int64()),
        ("dense_macs", None, pa.int64()),
        ("dense_macs", 1.0, pa.float64()),
        ("a_events_std", float("inf"), pa.float64()),
        ("nonzeros_per_step", [-1], pa.list_(pa.int64())),
        ("activity", None, pa.string()),
    ],
)
def test_columns_that_hold_no_counts_are_damage(whole, tmp_path, name, value, kind):
    table = pq.read_table(RunFolder(whole).file(TrialKey(1)))
    made = pa.array([value] * len(table), kind)
    for changed in (
        table.set_column(table.column_names.index(name), name, made),
        table.drop_columns([name]),
    ):
        pq.write_table(changed, tmp_path / "00001.parquet")
        with pytest.raises(RecordError, match=r"00001.parquet: damaged"):
            read_columns(tmp_path / "00001.parquet")


def test_a_plan_of_another_network_and_a_file_under_anothers_name_are_damage(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    outcome = folder.read(TrialKey(1))
    mlp = "blocks.0.mlp"
    parts = (Part.of("dsp", [(mlp, 0)]), Part.of("l1p", [(f"{mlp}/fc1", 7)]))
    for changed, words in (
        ({"blocks": 3}, "a plan of 3 blocks, of a network of 1"),
        ({"parts": parts}, NOT_THERE),
        ({"parts": (Part.of("l1p", [("a", 7)]),)}, NOT_THERE),
    ):
        folder.write(replace(outcome, plan=replace(outcome.plan, **changed)))
        for read in (folder.read_heads, folder.read_trials, lambda: folder.read(TrialKey(1))):
            with pytest.raises(RecordError, match=f"00001.parquet: {words}; this or .*study.json"):
                read()
        with pytest.raises(RecordError, match=r"00001.parquet: .* is damaged"):
            folder.recover()
        assert folder.file(TrialKey(1)).is_file() and folder.set_aside == []
    for place, read in (
        (folder.file(FINE_TUNED), folder.read_baselines),
        (folder.file(TrialKey(1, 0)), folder.read_confirmed),
        (folder.file(TrialKey(1)), folder.read_trials),
    ):
        shutil.copy(folder.file(TrialKey(2)), place)
        with pytest.raises(RecordError, match=r"parquet: damaged .it is of trial 2"):
            read()


GROWS = """
import resource, sys
from pathlib import Path
from autoprune.errors import RecordError
from autoprune.runs.folder import RunFolder
import autoprune.runs.outcome_file
folder = RunFolder(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for read in (folder.read_heads, folder.read_trials):
    try:
        read()
        print("read")
    except RecordError as error:
        print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(
    "how",
    ["texts", "zstd", *(pytest.param(h, marks=pytest.mark.full) for h in ("rows", "elements"))],
)
def test_a_small_file_does_not_fill_the_memory(whole, tmp_path, how):
    shutil.copytree(whole, tmp_path / "run")
    file = RunFolder(tmp_path / "run").file(TrialKey(1))
    table = pq.read_table(file)
    rows = {"rows": 3_000_000, "texts": 90_000, "zstd": 50_000, "elements": 1000}[how]
    large = table.take(pa.array([0] * rows))
    compression = "zstd" if how == "zstd" else "snappy"
    if how in ("texts", "zstd"):
        place = large.schema.get_field_index("activity")
        text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * 100_000])
        large = large.set_column(place, "activity", text)
    if how == "elements":
        place = large.schema.get_field_index("producers")
        lists = pa.array([["x" * 1000] * 1000] * rows, pa.list_(pa.string()))
        large = large.set_column(place, "producers", lists)
    large = large.replace_schema_metadata(table.schema.metadata)
    pq.write_table(large, file, compression=compression, store_schema=False)
    assert file.stat().st_size < 16 * 2**20
    command = [sys.executable, "-c", GROWS, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *said, grown = done.stdout.splitlines()
    assert all("00001.parquet: damaged" in line for line in said), said
    assert int(grown) < 500


ABORTS = """
import io, random
import pyarrow as pa, pyarrow.parquet as pq
from autoprune.runs.bounded_parquet import opened
stream, rng = io.BytesIO(), random.Random(0)
pq.write_table(pa.table({f"column {i}": [[1, 2], [3]] for i in range(8)}), stream)
good = stream.getvalue()
opened(good)
size = int.from_bytes(good[-8:-4], "little")
for _ in range(1500):
    changed = bytearray(good)
    changed[rng.randrange(len(good) - 8 - size, len(good) - 8)] = rng.randrange(256)
    try:
        opened(bytes(changed))
    except (OSError, LookupError, ValueError, NotImplementedError):
        pass
"""


def test_a_byte_of_the_footer_ends_no_process():
    """As pyarrow's own list of columns does, where statistics do not fit each other."""
    done = subprocess.run([sys.executable, "-c", ABORTS], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
