"""Files changed at random, as damage and strangers change them: readers have to survive all."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Mutation = Callable[[bytes, random.Random], bytes]

tried: dict[str, Counter[str]] = {}
"""By reader, how many changed files were read, and how many of them refused."""

_ODD_TOML = [
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

_ODD_JSON: list[Any] = [
    *(None, True, 0, -1, 1, 10**400, 10**18, 2**64, -(2**63), 1e308, 0.5, 5e-324),
    *(float("nan"), float("inf"), "", "x", "1", "x" * 10_000, "\x00", "\ud800", "../../x"),
    *("blocks.0.mlp", "os:system", "=cmd", [], {}, [[]], {"a": 1}, [1, "a", None]),
]
"""The same of JSON."""

_ODD_LINES = [b"", b"x", b"null", b"[]", b"{}", b'{"op_code": 99}', b"[" * 100_000, b"9" * 5000]

_TOKENS = [b"\x00", b"\xff\xfe", b'"', b"'", b"[", b"]", b"{", b"}", b"=", b"\n", b"#", b"\\"]
_TOKENS += [b"1e999", b"[" * 100_000]


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
                found[place:place] = rng.choice(_TOKENS)
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
                lines[place] = f"{key}= {rng.choice(_ODD_TOML)}"
            case 2 if equals:
                inner = list(re.finditer(r"[\w.+-]+|\"[^\"]*\"", value))
                if inner:
                    one = rng.choice(inner)
                    value = value[: one.start()] + rng.choice(_ODD_TOML) + value[one.end() :]
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
                    node[key] = deepcopy(rng.choice(_ODD_JSON))
                case 2:
                    del node[key]
                case 3 if isinstance(node, dict):
                    node[f"{key}x"] = node.pop(key)
                case _:
                    node.append(deepcopy(node[key])) if isinstance(node, list) else None
            break
    return json.dumps(document).encode()


def mutate_lines(content: bytes, rng: random.Random) -> bytes:
    """A line of a file of JSON documents changed, removed, doubled, or joined by an odd one."""
    lines = content.splitlines()
    place = rng.randrange(len(lines))
    match rng.randrange(5):
        case 0 | 1:
            lines[place] = mutate_json(lines[place], rng)
        case 2:
            del lines[place]
        case 3:
            lines.insert(rng.randrange(len(lines)), lines[place])
        case _:
            lines.insert(place, rng.choice(_ODD_LINES))
    return b"\n".join(lines) + b"\n"


def mutate_metadata(content: bytes, rng: random.Random) -> bytes:
    """The metadata of a trial's Parquet file mutated as JSON, its checksum made anew."""
    table = pq.read_table(pa.BufferReader(content))
    text = mutate_json(table.schema.metadata[b"autoprune"], rng)
    own = {b"autoprune": text, b"sha256": hashlib.sha256(text).hexdigest().encode()}
    return _parquet(table.replace_schema_metadata(own))


def mutate_columns(content: bytes, rng: random.Random) -> bytes:
    """A column of a trial's Parquet file removed, or filled with other values."""
    table = pq.read_table(pa.BufferReader(content))
    place = rng.randrange(table.num_columns)
    name, rows = table.column_names[place], table.num_rows
    kind = table.schema.field(name).type
    words = rng.choice(["", "x", "[]", "{}", "null", "1e400", '{"silent": 1}', "[" * 5000])
    made = [
        pa.array([None] * rows, kind),
        pa.array([rng.choice([-1, 0, 1, 2**62]) for _ in range(rows)], pa.int64()),
        pa.array([words] * rows),
        pa.array([float("nan")] * rows),
        pa.array([[1, 2]] * rows, pa.list_(pa.int64())),
    ]
    chosen = rng.randrange(len(made) + 1)
    if chosen == len(made):
        return _parquet(table.remove_column(place))
    return _parquet(table.set_column(place, name, made[chosen]))


def mutate_footer(content: bytes, rng: random.Random) -> bytes:
    """Up to three bytes of a Parquet file's footer changed, its length and magic as they were."""
    found, size = bytearray(content), int.from_bytes(content[-8:-4], "little")
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(found) - 8 - size, len(found) - 8)
        found[place] = rng.choice((0, 127, 128, 255, rng.randrange(256)))
    return bytes(found)


def mutate_header(content: bytes, rng: random.Random) -> bytes:
    """The header of a safetensors file mutated as JSON, or its length."""
    size = int.from_bytes(content[:8], "little")
    if rng.random() < 0.2:
        return rng.randbytes(rng.choice((1, 8))).ljust(8, b"\0") + content[8:]
    header = mutate_json(content[8 : 8 + size], rng)
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


def _parquet(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, write_page_checksum=True)
    return stream.getvalue()
