"""Measure: times the networks of a run on the computer at hand, and reads its energy counter."""
