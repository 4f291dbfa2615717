"""The footer of a Parquet file, read as pyarrow reads it, and never beyond its end."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autoprune.runs.parquet_chunks import chunks

CODECS = {"UNCOMPRESSED": 0, "SNAPPY": 1, "GZIP": 2}


@pytest.mark.parametrize("codec", ["NONE", "SNAPPY", "GZIP"])
def test_codecs_and_values_are_those_of_pyarrow(codec) -> None:
    stream = io.BytesIO()
    table = pa.table({"a": range(10), "b": [{"c": str(i), "d": None} for i in range(10)]})
    pq.write_table(table, stream, compression=codec, row_group_size=4)
    about = pq.ParquetFile(stream).metadata
    expected = [
        (CODECS[column.compression], column.num_values)
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
