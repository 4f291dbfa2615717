"""Whole numbers are spikes to the census, and pixels are not: what is said of images of them."""

from __future__ import annotations

import torch
from torch import Tensor

_IMAGES = 4
"""Axes of a batch of images."""


def counted_as_spikes(inputs: Tensor) -> str:
    """That images [n, C, H, W] hold whole numbers above 1, in words; empty where they do not.

    The census counts an entry of 200 as so many spikes of one input, at accumulations in place of
    multiplications.
    """
    if inputs.ndim != _IMAGES or not len(inputs):
        return ""
    most = float(inputs.max())
    if most <= 1 or not torch.equal(inputs, inputs.round()):
        return ""
    return (
        f"The images hold whole numbers up to {most:g}, which are counted as so many spikes each; "
        "if they are pixels, divide them, by 255 for bytes."
    )
