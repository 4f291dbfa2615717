"""What lies in a run folder is read, or refused by name: soon, and in little memory."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from optuna.samplers import RandomSampler

from autoprune.compress.configuration import make_plan
from autoprune.compress.effort import Effort
from autoprune.errors import AutopruneError, RecordError
from autoprune.runs.environment import read_environments
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import holder
from autoprune.runs.measured import read_all
from autoprune.runs.outcome import Charge, Outcome
from autoprune.runs.record import RunRecord
from autoprune.search.optuna_study import OptunaStudy, StudyPlace
from autoprune.search.proposals import read_proposals
from autoprune.search.storages import open_journal
from autoprune.search.warm_start import kept
from autoprune.trial.key import TrialKey

MANY, FEW = 10_000, 60
ODD = (
    *("null", "true", "-1", "0", "1e308", "NaN", "Infinity", "9" * 300, '"x"', '""', "[]", "{}"),
    *('"\\u0000\\ud800"', '"../../x"', "[" * 500 + "]" * 500, "[" * 100_000, "{" * 100_000),
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, request) -> Path:
    """A run folder with one of every kind of file."""
    from autoprune.cost.sample import sample_workload
    from autoprune.networks.spikformer import SpikformerAdapter
    from autoprune.trial.measurement import Measurement, Precision, Score, Seconds
    from tests.conftest import make_network

    folder = RunFolder(tmp_path_factory.mktemp("whole"))
    shape = SpikformerAdapter().shape(make_network())
    plan = make_plan({}, shape, Effort(time_steps=3, learning_rate=1e-3, epochs=1))
    score = Score(correct=90, total=100)
    precision = Precision(bits=32, validation=score, test=score, workload=sample_workload())
    measurement = Measurement(
        plan=plan,
        seed=0,
        precisions=(precision,),
        parameters=10,
        kept_weights=1.0,
        seconds=Seconds(training=1.0, evaluation=1.0, census=1.0, other=1.0),
    )
    folder.write_record(RunRecord(shape=shape, title="a run", data="data"))
    folder.write(
        Outcome(
            key=TrialKey(1),
            origin="sampled",
            configuration=(),
            plan=plan,
            seed=0,
            state="measured",
            measurement=measurement,
            charges=(("loihi1", Charge(energy_uj=1.0)),),
        )
    )
    place = StudyPlace(storage=open_journal(folder.journal))
    study = OptunaStudy(place, ["maximize"], ["x"], {}, 1)
    study.ask(RandomSampler(), fixed=None, settled=dict, describe=lambda trial: {"hash": "0"})
    environment = {"versions": {"torch": "2"}, "commit": "", "processor": "p", "threads": 1}
    environment |= {"seed": 0, "files": {"study": "0"}, "first_trial": 0}
    folder.environments.write_text(json.dumps([environment]), encoding="utf-8")
    held = {"host": "h", "process": 1, "since": "2026-01-01 00:00:00+00:00", "boot": "b"}
    (folder.path / "run.lock").write_text(json.dumps(held), encoding="utf-8")
    timing = {"key": "1", "batch": 1, "latency_us": 1.0, "low_us": 1.0, "high_us": 1.0}
    timing |= {"energy_uj": None}
    (folder.path / "measured" / "cpu").mkdir(parents=True)
    found = {"name": "cpu", "device": "d", "threads": 1, "rounds": 3, "counter": "", "missing": []}
    text = json.dumps({**found, "timings": [timing]})
    (folder.path / "measured" / "cpu" / "measured.json").write_text(text, encoding="utf-8")
    (folder.warm_start).mkdir()
    head = {"source": "x", "kind": "data", "differs": ["seed"], "outside": 0}
    (folder.warm_start / "warm_start.json").write_text(json.dumps(head), encoding="utf-8")
    return folder.path


READERS: dict[str, Callable[[Path], object]] = {
    "study.json": lambda path: RunFolder(path).record,
    "trials/00001.parquet": lambda path: (
        RunFolder(path).read_heads(),
        RunFolder(path).read_trials(),
    ),
    "optuna.journal": lambda path: read_proposals(RunFolder(path)),
    "environments.json": lambda path: read_environments(path / "environments.json"),
    "run.lock": holder,
    "measured/cpu/measured.json": read_all,
    "warm_start/warm_start.json": lambda path: kept(path / "warm_start"),
}


def mutated(content: bytes, rng: random.Random) -> bytes:
    """A value replaced by an odd one, or some bytes changed, cut, doubled."""
    if rng.random() < 0.6 and content[:1] in b"[{":
        text = content.decode()
        places = [i for i, sign in enumerate(text) if sign in ":,["]
        place = rng.choice(places) + 1
        end = next((i for i in range(place, len(text)) if text[i] in ",]}"), len(text))
        return (text[:place] + rng.choice(ODD) + text[end:]).encode()
    found = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(found) + 1)
        end = place + rng.choice((1, 2, 8, 64))
        match rng.randrange(4):
            case 0:
                found[place:end] = rng.randbytes(end - place)
            case 1:
                del found[place:end]
            case 2:
                found[place:place] = found[place:end]
            case 3:
                del found[place:]
    return bytes(found)


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.fuzz)])
@pytest.mark.parametrize("name", READERS)
def test_a_file_of_a_run_is_read_or_refused_by_name(whole, tmp_path, name, count):
    shutil.copytree(whole, tmp_path / "run")
    file, rng = tmp_path / "run" / name, random.Random(name)
    content = file.read_bytes()
    READERS[name](tmp_path / "run")
    refused = 0
    for number in range(count):
        file.write_bytes(mutated(content, rng))
        start = time.perf_counter()
        try:
            READERS[name](tmp_path / "run")
        except AutopruneError as error:
            refused += 1
            assert file.name in str(error), (number, error)
        assert time.perf_counter() - start < 5, number
    assert refused or name == "run.lock"


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "0"},
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
    with pytest.raises(RecordError, match=r"00001.parquet: damaged"):
        folder.read_heads(), folder.read_trials()


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


@pytest.mark.parametrize("how", ["rows", "texts", "zstd", "elements"])
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
