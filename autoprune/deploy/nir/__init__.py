"""NIR out: a network of a run as a graph of the field's exchange format, and the proof of it."""
