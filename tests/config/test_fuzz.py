"""Readers of files survive whatever is in them: a valid value or one of our errors, and soon.

By default some hundred mutated files each; ``pytest -m fuzz`` tries 10 000 each.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from autoprune.compress.configuration import make_plan
from autoprune.compress.effort import Effort
from autoprune.compress.plan import Plan
from autoprune.compress.space import load_space
from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload
from autoprune.errors import AutopruneError
from autoprune.search.baselines import first_configurations
from autoprune.study.check import load_checked
from autoprune.workload.workload import Workload
from tests.mutations import Mutation, mutate_bytes, mutate_json, mutate_toml, tried

MANY, FEW = 10_000, 300
SECONDS = 1.0


@dataclass(frozen=True)
class Reader:
    """A reader, good files for it, and how they are mutated."""

    name: str
    read: Callable[[Path], object]
    good: list[bytes]
    mutations: tuple[Mutation, ...]
    ending: str


@pytest.fixture
def reader(request, root, shape) -> Reader:
    def files(folder: str) -> list[bytes]:
        return [file.read_bytes() for file in sorted((root / folder).glob("*.toml"))]

    toml = (mutate_bytes, mutate_toml, mutate_toml)
    match request.param:
        case "machine":
            good, read = files("cost_models"), lambda f: load_machine(str(f))
            return Reader("machine", read, good, toml, "toml")
        case "space":
            good, read = files("search_spaces"), lambda f: load_space(str(f)).parameters(shape)
            return Reader("space", read, good, toml, "toml")
        case "study":
            good, read = files("studies"), lambda f: load_checked(str(f))
            return Reader("study", read, good, toml, "toml")
        case "plan":
            space = load_space(str(root / "search_spaces" / "transformer.toml"))
            effort = Effort(time_steps=4, learning_rate=1e-3, epochs=3)
            points = [point for _, point in first_configurations(space, shape, effort)]
            plans = [make_plan(point, shape, effort) for point in points]
            good = [json.dumps(plan.to_dict()).encode() for plan in plans]
            return Reader("plan", read_plan, good, (mutate_json,), "json")
        case _:
            good = [sample_workload(zeros=zeros).to_json().encode() for zeros in (0.0, 0.5)]
            ways = (mutate_bytes, mutate_json, mutate_json)
            return Reader("workload", Workload.read, good, ways, "json")


def read_plan(file: Path) -> str:
    """A plan as it is read out of a trial's file, and its hash."""
    return Plan.from_dict(json.loads(file.read_text(encoding="utf-8"))).hash


def fuzz(reader: Reader, count: int, folder: Path) -> Counter[str]:
    """Read so many mutated files; how many were valid, and how many refused."""
    rng = random.Random(count)
    found: Counter[str] = Counter()
    file = folder / f"mutated.{reader.ending}"
    for number in range(count):
        content = rng.choice(reader.mutations)(rng.choice(reader.good), rng)
        file.write_bytes(content)
        start = time.process_time()
        try:
            reader.read(file)
            found["valid"] += 1
        except AutopruneError as error:
            found["refused"] += 1
            assert str(error).strip()
        except BaseException as error:
            (folder / "broken").write_bytes(content)
            raise AssertionError(
                f"file {number}: {error!r}, kept in {folder / 'broken'}"
            ) from error
        assert time.process_time() - start < SECONDS, f"file {number} took too long"
    tried.setdefault(reader.name, Counter()).update(found)
    return found


READERS = pytest.mark.parametrize(
    "reader", ["machine", "space", "study", "plan", "workload"], indirect=True
)


@READERS
def test_readers_survive_some_hundred_mutated_files(reader, tmp_path):
    for number, content in enumerate(reader.good):
        file = tmp_path / f"good{number}.{reader.ending}"
        file.write_bytes(content)
        reader.read(file)
    found = fuzz(reader, FEW, tmp_path)
    assert found["valid"] > 0
    assert found["refused"] > FEW / 4


@pytest.mark.fuzz
@READERS
def test_readers_survive_ten_thousand_mutated_files(reader, tmp_path):
    assert sum(fuzz(reader, MANY, tmp_path).values()) == MANY
