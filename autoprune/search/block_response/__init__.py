"""block_response: a sampler for spaces whose parameters belong to parts of one network.

See docs/block_response.md.
"""

from autoprune.search.block_response.calibration import GAIN, calibration
from autoprune.search.block_response.prior import Prior
from autoprune.search.block_response.sampler import BlockResponseSampler

__all__ = ["GAIN", "BlockResponseSampler", "Prior", "calibration"]
