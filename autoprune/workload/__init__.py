"""Counts: one inference of a network as operations in exact numbers, without a joule."""
