"""Handwritten digits: 1797 real 8x8 grey images of 10 classes, shipped inside scikit-learn.

Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI repository, 1998 (the test
part, as `sklearn.datasets.load_digits` returns it).
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from autoprune.data.dataset import Dataset, split


def load(seed: int) -> Dataset:
    """The digits, pixels divided by their maximum of 16, [1, 8, 8] each."""
    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
    return split("digits", images, labels.astype(np.int64), seed)
