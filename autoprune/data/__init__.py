"""Data sets, one file each, and the value that they hand over."""
