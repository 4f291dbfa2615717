"""The page of a run: one HTML file that shows what was found and needs no network."""
