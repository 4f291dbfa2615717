"""Bits of a weight: as it is trained, and the fewest."""

FULL_BITS = 32
"""Bits of a weight as it is trained, in floating point."""

LEAST_BITS = 2
"""The fewest bits of a weight: a symmetric grid of 1 bit holds nothing but 0."""
