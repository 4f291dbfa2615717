"""Energies are written with three significant digits and a unit that suits."""

from __future__ import annotations

import pytest

from autoprune.report.units import EnergyUnit, energy_words, significant


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.2, "1.20"),
        (0.8164, "0.816"),
        (332.4, "332"),
        (11937.0, "11900"),
        (0.0, "0.00"),
        (99.96, "100"),
        (0.00123, "0.00123"),
    ],
)
def test_significant_digits(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(
    ("energy_uj", "words"),
    [
        (3.634, "3.63 µJ"),
        (0.332, "332 nJ"),
        (0.0000421, "42.1 pJ"),
        (1234.5, "1.23 mJ"),
        (2.5e6, "2.50 J"),
        (0.0, "0.00 µJ"),
    ],
)
def test_an_energy_with_its_unit(energy_uj, words):
    assert energy_words(energy_uj) == words


def test_a_column_has_the_unit_of_its_middle():
    assert EnergyUnit.of([0.2, 1.0, 12.0]).name == "µJ"
    assert EnergyUnit.of([0.2, 0.3, 12.0]).name == "nJ"
    assert EnergyUnit.of([]).name == "µJ"
