"""The fronts of a run, and what is read off them, as values."""
