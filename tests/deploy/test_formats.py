"""Matrices: decoded to the very bits, and never stored in more bytes than need be."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from autoprune.deploy.formats import decode, encode, nonzeros, sizes

MATRIX = st.tuples(
    st.integers(1, 40),
    st.integers(1, 300),
    st.sampled_from([0.0, 0.01, 0.1, 0.5, 0.97, 1.0]),
    st.integers(0, 2**31),
    st.sampled_from([torch.float32, torch.float64, torch.float16, torch.bfloat16]),
)


def make(rows: int, columns: int, density: float, seed: int, dtype: torch.dtype) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, columns, generator=generator)
    values[0, 0] = -0.0
    kept = torch.rand(rows, columns, generator=generator) < density
    return torch.where(kept, values, torch.zeros(())).to(dtype)


def bits(matrix: torch.Tensor) -> bytes:
    return matrix.contiguous().view(torch.uint8).numpy().tobytes()


@given(MATRIX)
def test_what_is_stored_is_decoded_bit_for_bit_and_in_the_fewest_bytes(drawn):
    matrix = make(*drawn)
    chosen, parts = encode(matrix)
    found = decode(chosen, parts, *matrix.shape)
    assert found.dtype == matrix.dtype
    assert bits(found) == bits(matrix)
    possible = sizes(*matrix.shape, nonzeros(matrix), matrix.element_size())
    taken = sum(part.nbytes for part in parts.values())
    assert taken == possible[chosen] == min(possible.values())


def test_every_format_has_its_place():
    cases = {1.0: "dense", 0.5: "bitmap", 0.2: "bitmap", 0.1: "csr"}
    for density, expected in cases.items():
        assert encode(make(64, 200, density, 1, torch.float32))[0] == expected


def test_bytes_by_hand():
    assert sizes(4, 10, 6, 4) == {"dense": 160, "bitmap": 5 + 24, "csr": 5 + 6 + 24}
    assert sizes(2, 300, 300, 4)["csr"] == 3 * 2 + 300 * 2 + 1200  # both indices above 255
    assert sizes(2, 70_000, 70_000, 2)["csr"] == 3 * 4 + 70_000 * 4 + 140_000


def test_columns_and_pointers_beyond_a_byte_and_beyond_two():
    for columns in (256, 257, 65_536, 65_537, 70_001):
        matrix = torch.zeros(3, columns)
        matrix[1, -1], matrix[2, 0], matrix[2, -1] = 1.5, -2.5, 3.5
        chosen, parts = encode(matrix)
        assert chosen == "csr"
        assert torch.equal(decode(chosen, parts, 3, columns), matrix)
        assert parts["columns"].itemsize == (1 if columns == 256 else 2 if columns < 65_537 else 4)


def test_a_matrix_of_zeros_and_one_of_nan():
    for value in (0.0, float("nan")):
        matrix = torch.full((5, 9), value)
        chosen, parts = encode(matrix)
        assert bits(decode(chosen, parts, 5, 9)) == bits(matrix)
