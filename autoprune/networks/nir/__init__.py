"""NIR: graphs of the field's exchange format as networks, which need the extra ``autoprune[nir]``.

Pedersen et al., "Neuromorphic intermediate representation", Nat. Commun. 15, 8122 (2024);
the nodes' equations stand in the docstrings of the package ``nir``.
"""
