"""Networks: one file per family, and the adapter by which compression and census see them."""
