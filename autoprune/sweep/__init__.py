"""Sweep: runs jobs, with Ray Tune or in this process; the only package that knows Ray."""
