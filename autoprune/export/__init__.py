"""Export: a folder that holds a network of a run, loads without autoprune, and is proved."""
