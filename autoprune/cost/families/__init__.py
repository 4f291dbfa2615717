"""Families of machines: one file each, formulas and references at its head."""
