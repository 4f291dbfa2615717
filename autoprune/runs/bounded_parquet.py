"""A Parquet file that may be anybody's, opened only where it cannot grow beyond all bounds.

Snappy makes of a byte 21 at most, while other compression and runs of one value make gigabytes of
nothing: hence only what this project writes is read, with bounds on values and on texts.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from autoprune.files import MIB
from autoprune.runs.parquet_chunks import chunks

_VALUES, _COLUMNS, _TEXT_BYTES = 100_000, 200, 64 * MIB
"""Values of a column, columns, and bytes of a column of texts that a file may have: some thousand
operations at six precisions have a tenth of that."""

_CODECS = (0, 1)
"""None, and Snappy."""

_TYPES = (pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.null())


def opened(content: bytes) -> pq.ParquetFile:
    """The file; ValueError or LookupError where it is compressed otherwise, or larger than ours."""
    file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
    about = file.metadata
    if about.num_rows > _VALUES or about.num_columns > _COLUMNS:
        raise ValueError(f"{about.num_rows} rows of {about.num_columns} columns")
    for codec, values, rows in chunks(content):  # pyarrow makes room for so many of either
        if codec not in _CODECS or max(values, rows) > _VALUES:
            raise ValueError(f"{values} values of {rows} rows, compressed by codec {codec}")
    return file


def table_in(content: bytes) -> pa.Table:
    """The operations in a file; ValueError where their texts are larger than all of ours.

    Texts are read as places in a list of different ones, and measured before they are written out.
    """
    schema = opened(content).schema_arrow
    kinds = {field.name: field.type for field in schema}
    inner = {name: k.value_type if pa.types.is_list(k) else k for name, k in kinds.items()}
    if any(kind not in _TYPES for kind in inner.values()):
        raise ValueError(f"columns of other types: {', '.join(map(str, kinds.values()))}")
    names = [name for name, kind in inner.items() if kind == pa.string()]
    lists = [name for name in names if kinds[name] != inner[name]]
    paths = [f"{name}.list.element" if name in lists else name for name in names]
    source = pa.BufferReader(content)
    file = pq.ParquetFile(source, read_dictionary=paths, page_checksum_verification=True)
    table = file.read(use_threads=False)
    texts = [pc.list_flatten(table[name]) if name in lists else table[name] for name in names]
    for chunk in (chunk for column in texts for chunk in column.chunks):
        sizes = pc.binary_length(chunk.dictionary).take(chunk.indices)
        if (pc.sum(sizes).as_py() or 0) > _TEXT_BYTES:
            raise ValueError("texts of operations are larger than all of ours")
    return table.cast(schema)
