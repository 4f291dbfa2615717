"""Pictures of a front: a file, a figure of plotly, plain characters."""
