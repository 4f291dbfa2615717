"""Export: a folder that holds a network of a run, loads without autoprune, and is proved.

The folder's code is the project's own, copied with what it imports (`sources`); it builds the
network as the study did, carries out the plan, and fills in the stored tensors (`load`).
`autoprune.load` runs the same code where autoprune is installed.
"""
