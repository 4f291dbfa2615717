"""Parameters and places: each prints as itself and as no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoprune.compress.configuration import parameters
from autoprune.compress.parameter import Parameter
from autoprune.errors import InputError
from autoprune.networks.place import HEAD, MODEL, STEM, Place
from tests.refusals import assert_refused, refusals
from tests.strategies import SHAPES


@given(SHAPES)
def test_a_parameter_is_what_its_name_is_read_as(shape):
    known = parameters(shape)
    assert [Parameter.parse(str(parameter)) for parameter in known] == known
    assert [Place.parse(str(parameter.place)) for parameter in known] == [p.place for p in known]


@given(SHAPES)
def test_no_two_parameters_print_alike(shape):
    known = parameters(shape)
    assert len(set(known)) == len(known)
    assert len({str(parameter) for parameter in known}) == len(known)


@given(st.text(alphabet="blocksmlpneurontau.0123- ") | st.text())
def test_a_text_is_no_parameter_or_prints_as_it_was_read(text):
    try:
        found = Parameter.parse(text)
    except InputError:
        return
    assert str(found) == text


def test_names():
    names = {
        "l1p": Parameter(MODEL, "l1p"),
        "weight_bits": Parameter(MODEL, "weight_bits"),
        "stem.l1p": Parameter(STEM, "l1p"),
        "blocks.0.l1p": Parameter(Place(0), "l1p"),
        "blocks.0.attention.l1p": Parameter(Place(0, "attention"), "l1p"),
        "blocks.11.mlp.dsp": Parameter(Place(11, "mlp"), "dsp"),
        "blocks.0.neuron.threshold": Parameter(Place(0, "neuron"), "threshold"),
    }
    assert {str(parameter): parameter for parameter in names.values()} == names
    assert [str(p) for p in (MODEL, HEAD, Place(0), Place(0, "mlp"))] == [
        "",
        "head",
        "blocks.0",
        "blocks.0.mlp",
    ]


def test_places_stand_in_the_order_of_the_network():
    order = [MODEL, STEM, Place(2), Place(2, "attention"), Place(2, "mlp"), Place(10), HEAD]
    assert sorted(reversed(order)) == order
    assert sorted([Parameter(Place(10), "l1p"), Parameter(Place(9), "l1p")])[0].place.block == 9


@refusals(
    ("blocks.12.mpl.l1p", "unknown parameter 'blocks.12.mpl.l1p'*mean 'blocks.12.mlp.l1p'"),
    ("blocks.0.mlp.l1", "mean 'blocks.0.mlp.l1p'"),
    ("blocks.0.mlp.threshold", "unknown parameter"),
    ("weight_bit", "mean 'weight_bits'"),
    ("head.dsp", "unknown parameter"),
    ("blocks.00.l1p", "unknown parameter"),
    ("blocks.0.mlp.0.l1p", "unknown parameter"),
    (".l1p", "unknown parameter"),
    ("", "unknown parameter ''"),
)
def test_a_name_that_no_parameter_has_is_refused(given, words):
    assert_refused(words, Parameter.parse, given)


@pytest.mark.parametrize("place", [("mlp",), (None, "mlp"), (0, "stem"), (-1, ""), (0, "mpl")])
def test_a_place_that_no_network_has_is_refused(place):
    with pytest.raises(InputError, match="place: given"):
        Place(*place) if len(place) == 2 else Place.parse(*place)
