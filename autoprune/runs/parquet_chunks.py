"""How the columns of a Parquet file are stored, by its footer.

pyarrow says it, too, but ends the whole process (``terminate called``) where statistics in the
footer do not fit each other, as one byte that has changed may have it.

The footer is a struct FileMetaData in Thrift's compact protocol: see parquet.thrift in
github.com/apache/parquet-format, and thrift-compact-protocol.md in github.com/apache/thrift.
"""

from __future__ import annotations

from typing import Any, final

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST = range(1, 10)
_STRUCT = 12

_DEEPEST = 16
"""Parquet nests a footer half as deeply."""


def chunks(content: bytes) -> list[tuple[int, int, int]]:
    """Number of the codec (0: none, 1: Snappy), values and group's rows of every column chunk.

    Raises LookupError or ValueError where the footer is none.
    """
    size = int.from_bytes(content[-8:-4], "little")
    footer = _Compact(content[-8 - size : -8]).struct()
    found = []
    for group in _of(footer, 4, _LIST):
        for column in _of(group, 1, _LIST):
            about = _of(column, 3, _STRUCT)
            found.append((_of(about, 4, _I32), _of(about, 5, _I64), _of(group, 3, _I64)))
    return found


def _of(struct: dict[int, tuple[int, Any]], field: int, kind: int) -> Any:
    """A field of a struct; ValueError where it is of another kind."""
    found, value = struct[field]
    if found != kind:
        raise ValueError(f"field {field} of the footer is of kind {found}")
    return value


@final
class _Compact:
    """Reads values one after the other; of structs fields by number, each with its kind."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at, self._depth = content, 0, 0

    def struct(self) -> dict[int, tuple[int, Any]]:
        if self._depth == _DEEPEST:
            raise ValueError("a footer nested too deeply")
        self._depth += 1
        found: dict[int, tuple[int, Any]] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            kind = head & 15
            found[number] = kind, kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind)
        self._depth -= 1
        return found

    def _value(self, kind: int) -> Any:
        if kind in (_I16, _I32, _I64):
            return self._signed()
        if kind == _BINARY:
            return self._skip(self._varint())
        if kind == _STRUCT:
            return self.struct()
        if kind == _LIST:
            head = self._byte()
            count = self._varint() if head >> 4 == 15 else head >> 4
            return [self._value(head & 15) for _ in range(count)]
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind == _DOUBLE:
            return self._skip(8)
        raise ValueError(f"a value of kind {kind} in the footer")

    def _byte(self) -> int:
        self._at += 1
        return self._content[self._at - 1]

    def _skip(self, count: int) -> None:
        if count > len(self._content) - self._at:  # else a list of so many would take for ever
            raise IndexError("the footer ends before a value")
        self._at += count

    def _varint(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 127) << shift
            if byte < 128:
                return found
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits in the footer")

    def _signed(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
