"""Compression: pure functions on a copy of the parent, and one neuron."""
