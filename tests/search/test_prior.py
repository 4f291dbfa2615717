"""What a search is told of its objectives before the first trial."""

from __future__ import annotations

from autoprune.compress.space import load_space
from autoprune.search.prior import network_prior


def test_a_share_falls_where_the_rest_of_the_network_grows(shape):
    """Memory rises with the dimensions that DSP keeps, a host's share need not: it ends at 1."""
    metrics = ("accuracy", "memory_kib@loihi1", "host_share@loihi1")
    parameters = load_space("digits").parameters(shape)
    prior = network_prior(parameters, metrics, "accuracy", (0.9, 50.0, 0.01), str)
    (kept,) = {tuple(r) for name, r in prior.monotone.items() if name.endswith("dsp")}
    assert kept == (1, 1, 0)
    assert prior.logarithmic == [False, True, False]
    assert prior.reference[1:] == [1.1 * 50.0, 1.0]
