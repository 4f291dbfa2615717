"""Prices and machines: turns a Workload into a Cost with plain arithmetic, no torch and no Ray."""
