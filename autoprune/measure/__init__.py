"""Measure: times the networks of a run on the machine at hand, and reads its energy counter."""
