"""Report: the fronts of a run as values, files, pictures and tables."""
