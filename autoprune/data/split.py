"""Split samples into parts: as many as a study says, of every class its share, by seed."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray

from autoprune.data.dataset import About, Dataset, Source, Sources, Split
from autoprune.data.spec import DataSpec
from autoprune.errors import InputError


def split(sources: Sources, spec: DataSpec, seed: int) -> Dataset:
    """Train, validation and test samples, stratified by class, the same for the same seed.

    Parts that the data set does not have are split off its training samples.

    Args:
        sources: the samples.
        spec: with the sizes of the parts.
        seed: of the split.

    Raises InputError where a class has too few samples, or a part too few for its size.
    """
    source, name = sources.train, f"data {spec.name}"
    own = {"validation": sources.validation, "test": sources.test}
    sizes = {"validation": spec.validation, "test": spec.test}
    apart = {part: sizes[part] or sources.share for part in own if own[part] is None}
    counts = _counts(apart, len(source.labels))
    parts = _apart(source, counts, seed, name)
    train = source.part(parts.pop("train"), augmented=True)
    found = {part: source.part(indices) for part, indices in parts.items()}
    for part, other in own.items():
        if other is not None:
            found[part] = _sized(other.whole(), sizes[part], seed, f"{name}: {part}")
    return Dataset(
        about=source.about, train=_sized(train, spec.train, seed, f"{name}: train"), **found
    )


def _counts(apart: dict[str, float], samples: int) -> dict[str, int]:
    """How many samples are split off for each part; shares are rounded up, all of them together."""
    counts, done, share = {}, 0, 0.0
    for part in reversed(apart):
        size = apart[part]
        if size >= 1:
            counts[part] = int(size)
            continue
        share += size
        counts[part] = ceil(share * samples) - done
        done += counts[part]
    return counts


def _apart(
    source: Source, counts: dict[str, int], seed: int, where: str
) -> dict[str, NDArray[np.int64]]:
    """The indices of every part that is split off, and of those that are left to train on."""
    labels, rest = source.labels, np.arange(len(source.labels))
    held = sum(counts.values())
    if not counts:
        return {"train": rest}
    least = min(*counts.values(), len(labels) - held)
    if least < 1:
        wanted = " and ".join(f"{count} for {part}" for part, count in counts.items())
        raise InputError(where, f"{len(labels)} samples, {wanted}", "some to train on")
    check_labels(source.about, labels, max(2, ceil(len(labels) / least)))
    train, rest = _stratified(rest, labels, held, seed)
    if len(counts) == 1:
        return {"train": train, **dict.fromkeys(counts, rest)}
    validation, test = _stratified(rest, labels[rest], counts["test"], seed)
    return {"train": train, "validation": validation, "test": test}


def _sized(part: Split, size: float | None, seed: int, where: str) -> Split:
    """So many of a part, or such a share. InputError where it has fewer."""
    if size is None:
        return part
    count = int(size) if size >= 1 else ceil(size * len(part))
    if count > len(part):
        raise InputError(where, f"given {count}", f"at most {len(part)}, as many as there are")
    return some_of(part, count, seed)


def some_of(part: Split, count: int, seed: int) -> Split:
    """At most so many samples of a part, in its order, of every class its share.

    The same for the same seed; fewer are among more. Of labels that are more
    than a class any so many.
    """
    labels = part.labels
    shuffled = torch.from_numpy(np.random.default_rng(seed).permutation(len(part)))
    place = torch.zeros(len(part))
    kinds = labels if labels.ndim == 1 else torch.zeros(len(part))
    for label in kinds.unique():
        own = shuffled[kinds[shuffled] == label]
        place[own] = (torch.arange(len(own)) + 0.5) / len(own)
    chosen = place.argsort(stable=True)[:count].sort().values
    return replace(part, indices=part.indices[chosen], labels=labels[chosen])


def check_labels(about: About, labels: NDArray[np.int64], needed: int) -> None:
    """InputError unless labels are 0 to classes - 1 and every class has `needed` samples.

    Labels that are more than a class need only be classes, or any numbers.
    """
    if labels.dtype != np.int64:
        return
    if len(labels) and not (labels.min() >= 0 and labels.max() < about.classes):
        raise InputError(
            f"data {about.name}",
            f"labels from {labels.min()} to {labels.max()}",
            f"0 to {about.classes - 1}",
        )
    if about.label_shape:
        return
    most = min(about.classes, len(labels) + 1)  # of so many classes one has no sample
    counts = np.bincount(labels[labels < most], minlength=most)
    few = int(counts.argmin())
    if counts[few] < needed:
        raise InputError(
            f"data {about.name}",
            f"{counts[few]} samples of class {few}",
            f"at least {needed} of every class for this split",
        )


def _stratified(
    indices: NDArray[np.int64], labels: NDArray[np.int64], count: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    from sklearn.model_selection import train_test_split  # a second, of every start

    kinds = labels if labels.ndim == 1 else None
    one, other = train_test_split(indices, test_size=count, stratify=kinds, random_state=seed)
    return one, other
