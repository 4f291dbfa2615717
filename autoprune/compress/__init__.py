"""Compression: plans, search spaces, and what a plan does to a network."""
