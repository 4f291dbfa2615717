"""Expected gain of hypervolume, in closed form for independent normal predictions.

With the part of objective space that no known point dominates cut into boxes from l to u,

    E[gain] = sum over boxes of prod over objectives j of (psi_j(u_j) - psi_j(l_j)),
    psi_j(b) = E[(b - Y_j)+] = s_j (z cdf(z) + pdf(z)),  z = (b - m_j) / s_j

(Emmerich, Deutz and Klinkenberg, IEEE CEC 2011).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from autoprune.runs.pareto import non_dominated_boxes
from autoprune.search.block_response.axis import Array


def expected_gain(front: Array, reference: Array, mean: Array, std: Array) -> Array:
    """Expected hypervolume that each candidate adds to a front; everything is minimised.

    Args:
        front: points x objectives, each better than `reference`; may be empty.
        reference: one value per objective.
        mean: candidates x objectives.
        std: likewise.
    """
    lower, upper = non_dominated_boxes(front, reference)
    gain = np.ones((len(mean), len(lower)))
    for j in range(len(reference)):
        # Boxes share their sides: each coordinate is looked at once.
        sides, place = np.unique(np.r_[lower[:, j], upper[:, j]], return_inverse=True)
        finite = np.where(np.isfinite(sides), sides, 0.0)
        z = (finite[None, :] - mean[:, j : j + 1]) / std[:, j : j + 1]
        psi = std[:, j : j + 1] * (z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))
        psi = np.where(np.isfinite(sides), psi, 0.0)
        count = len(lower)
        gain *= psi[:, place[count:]] - psi[:, place[:count]]
    return gain.sum(1)
