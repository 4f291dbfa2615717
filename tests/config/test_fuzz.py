"""Readers of files survive whatever is in them: a valid value or one of our errors, and soon.

By default some hundred mutated files each; ``pytest -m fuzz`` tries 10 000 each.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from copy import deepcopy
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

MANY, FEW = 10_000, 300
SECONDS = 1.0

ODD = [
    "0",
    "-1",
    "1",
    "1e308",
    "-1e-308",
    "1e400",
    "9" * 400,
    "0.1",
    "nan",
    "inf",
    "-inf",
    "true",
    '""',
    '"x"',
    '"' + "long " * 5000 + '"',
    '"\\u0000\\ud7ff\\uffff"',
    '"../../../etc/passwd"',
    '"/dev/zero"',
    '"os:system"',
    "[]",
    "[[]]",
    "{}",
    "[1, 2, 3]",
    '["a", "a"]',
    "[" * 60 + "]" * 60,
    "1979-05-27T07:32:00Z",
    "{ a = { b = { c = 1 } } }",
    "0x7fffffffffffffff",
    "99999999999999999999",
]
"""What stands in the place of a value, as TOML has it."""

TOKENS = [
    b"\x00",
    b"\xff\xfe",
    b'"',
    b"'",
    b"[",
    b"]",
    b"{",
    b"}",
    b"=",
    b"\n",
    b"#",
    b"1e999",
    b"\\",
]


def mutate_bytes(content: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, removed, doubled, cut, or joined by what means something."""
    found = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(found) + 1)
        end = min(len(found), place + rng.choice((1, 2, 8, 64, 512)))
        match rng.randrange(5):
            case 0:
                found[place:end] = rng.randbytes(end - place)
            case 1:
                del found[place:end]
            case 2:
                found[place:place] = found[place:end] * rng.randint(1, 3)
            case 3:
                found[place:place] = rng.choice(TOKENS)
            case 4:
                del found[place:]
        if not found:
            break
    return bytes(found)


def mutate_toml(content: bytes, rng: random.Random) -> bytes:
    """Values, keys and lines of a TOML file replaced, removed, doubled."""
    lines = content.decode().splitlines()
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(lines))
        key, equals, value = lines[place].partition("=")
        match rng.randrange(6):
            case 0 | 1 if equals:
                lines[place] = f"{key}= {rng.choice(ODD)}"
            case 2 if equals:
                inner = list(re.finditer(r"[\w.+-]+|\"[^\"]*\"", value))
                if inner:
                    one = rng.choice(inner)
                    value = value[: one.start()] + rng.choice(ODD) + value[one.end() :]
                    lines[place] = f"{key}={value}"
            case 3:
                del lines[place]
            case 4:
                lines.insert(rng.randrange(len(lines) + 1), lines[place])
            case _:
                lines[place] = lines[place].replace(
                    key.strip(), rng.choice(("a", "x.y", key * 2)), 1
                )
        if not lines:
            break
    return "\n".join(lines).encode()


def mutate_json(content: bytes, rng: random.Random) -> bytes:
    """Nodes of a JSON document replaced, removed, doubled, renamed."""
    document = json.loads(content)
    odd = [None, True, 0, -1, 10**400, 1e308, 0.5, float("nan"), "", "x" * 10_000, "\x00", [], {}]
    odd += [[[]], {"a": 1}, [1, "a", None], "blocks.0.mlp", -(2**63), 2**64]
    for _ in range(rng.randint(1, 3)):
        node = document
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(node[key], dict | list) and node[key] and rng.random() < 0.8:
                node = node[key]
                continue
            match rng.randrange(4):
                case 0 | 1:
                    node[key] = deepcopy(rng.choice(odd))
                case 2:
                    del node[key]
                case 3 if isinstance(node, dict):
                    node[f"{key}x"] = node.pop(key)
                case _:
                    node.append(deepcopy(node[key])) if isinstance(node, list) else None
            break
    return json.dumps(document).encode()


@dataclass(frozen=True)
class Reader:
    """A reader, good files for it, and how they are mutated."""

    read: Callable[[Path], object]
    good: list[bytes]
    mutations: tuple[Callable[[bytes, random.Random], bytes], ...]
    ending: str


@pytest.fixture
def reader(request, root, shape) -> Reader:
    def files(folder: str) -> list[bytes]:
        return [file.read_bytes() for file in sorted((root / folder).glob("*.toml"))]

    toml = (mutate_bytes, mutate_toml, mutate_toml)
    match request.param:
        case "machine":
            return Reader(lambda f: load_machine(str(f)), files("cost_models"), toml, "toml")
        case "space":
            return Reader(
                lambda f: load_space(str(f)).parameters(shape), files("search_spaces"), toml, "toml"
            )
        case "study":
            return Reader(lambda f: load_checked(str(f)), files("studies"), toml, "toml")
        case "plan":
            space = load_space(str(root / "search_spaces" / "transformer.toml"))
            effort = Effort(time_steps=4, learning_rate=1e-3, epochs=3)
            points = [point for _, point in first_configurations(space, shape, effort)]
            plans = [make_plan(point, shape, effort) for point in points]
            good = [json.dumps(plan.to_dict()).encode() for plan in plans]
            return Reader(read_plan, good, (mutate_json,), "json")
        case _:
            good = [sample_workload(zeros=zeros).to_json().encode() for zeros in (0.0, 0.5)]
            return Reader(Workload.read, good, (mutate_bytes, mutate_json, mutate_json), "json")


def read_plan(file: Path) -> str:
    """A plan as it is read out of a trial's file, and its hash."""
    return Plan.from_dict(json.loads(file.read_text(encoding="utf-8"))).hash


def fuzz(reader: Reader, count: int, folder: Path) -> dict[str, int]:
    """Read so many mutated files; how many were valid, and how many refused."""
    rng, found = random.Random(count), {"valid": 0, "refused": 0}
    file = folder / f"mutated.{reader.ending}"
    for number in range(count):
        content = rng.choice(reader.mutations)(rng.choice(reader.good), rng)
        file.write_bytes(content)
        start = time.perf_counter()
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
        assert time.perf_counter() - start < SECONDS, f"file {number} took too long"
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
