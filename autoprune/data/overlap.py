"""Samples that are in two parts: then a score says less of data that nobody has seen."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import torch

from autoprune.data.dataset import Dataset, InMemory, Split


def overlaps(data: Dataset) -> list[str]:
    """Which parts hold the same samples, to the bit, and how many, in words.

    Of samples in memory, as a user's function returns them; published files are as they are.
    """
    parts = {"training": data.train, "validation": data.validation, "test": data.test}
    if not all(isinstance(part.store, InMemory) for part in parts.values()):
        return []
    seen = {name: list(_digests(part)) for name, part in parts.items()}
    said = []
    for name, other in (("validation", "training"), ("test", "training"), ("test", "validation")):
        known = set(seen[other])
        count = sum(digest in known for digest in seen[name])
        if count:
            said.append(
                f"{count} of {len(seen[name])} {name} samples are {other} samples, too: {name} "
                "scores say less of new data."
            )
    return said


def _digests(part: Split) -> Iterator[bytes]:
    for index in part.indices:
        sample = part.store.take(index[None])
        yield blake2b(torch.flatten(sample).numpy().tobytes(), digest_size=16).digest()
