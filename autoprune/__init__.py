"""autoprune: hardware-aware search for compressed spiking transformers."""
