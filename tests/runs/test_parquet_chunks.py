"""The footer of a Parquet file, read as pyarrow reads it, and never beyond its end."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autoprune.runs.bounded_parquet import opened
from autoprune.runs.parquet_chunks import chunks

CODECS = {"UNCOMPRESSED": 0, "SNAPPY": 1, "GZIP": 2}


@pytest.mark.parametrize("codec", ["NONE", "SNAPPY", "GZIP"])
def test_codecs_and_values_are_those_of_pyarrow(codec) -> None:
    stream = io.BytesIO()
    table = pa.table({"a": range(10), "b": [{"c": str(i), "d": None} for i in range(10)]})
    pq.write_table(table, stream, compression=codec, row_group_size=4)
    about = pq.ParquetFile(stream).metadata
    expected = [
        (CODECS[column.compression], column.num_values, group.num_rows)
        for group in map(about.row_group, range(about.num_row_groups))
        for column in map(group.column, range(about.num_columns))
    ]
    assert len(expected) == 9
    assert chunks(stream.getvalue()) == expected


@pytest.mark.parametrize("kind", range(16))
def test_a_list_of_more_than_there_is_ends_with_the_file(kind) -> None:
    listed = b"\x19" + bytes([0xF0 | kind]) + b"\xff" * 8 + b"\x7f"  # some 2**63 of a kind
    with pytest.raises((LookupError, ValueError)):
        chunks(listed + len(listed).to_bytes(4, "little") + b"PAR1")


def test_a_group_of_more_rows_than_its_file_is_refused() -> None:
    """For which pyarrow would make room."""
    stream = io.BytesIO()
    pq.write_table(pa.table({"a": range(12345)}), stream)
    whole = stream.getvalue()
    opened(whole)
    size = int.from_bytes(whole[-8:-4], "little")
    rows, many = b"\x16\xf2\xc0\x01", b"\x16" + b"\x80" * 4 + b"\x20"  # 12345 and 2**32
    before, found, behind = whole[-8 - size : -8].rpartition(rows)
    assert found
    footer = before + many + behind
    changed = whole[: -8 - size] + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    assert pq.ParquetFile(pa.BufferReader(changed)).metadata.row_group(0).num_rows == 2**32
    with pytest.raises(ValueError, match="12345 values of 4294967296 rows"):
        opened(changed)
