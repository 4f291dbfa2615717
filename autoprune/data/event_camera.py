"""CIFAR10-DVS and DVS128 Gesture, through spikingjelly's data sets, as frames of event counts.

Li et al., "CIFAR10-DVS: An Event-Stream Dataset for Object Classification", Frontiers in
Neuroscience 11, 2017. Amir et al., "A Low Power, Fully Event-Based Gesture Recognition System",
CVPR 2017. A recording is cut into frames of as many events each.

spikingjelly converts the published files; all frames are then written into one array, once per
machine. DVS128 Gesture has a test part of its own; of CIFAR10-DVS every tenth sample of a class,
drawn by the seed, is test data.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from autoprune.data.archives import UNREADABLE, unpack
from autoprune.data.dataset import About, Source, Sources
from autoprune.data.mapped import Arrays, mapped
from autoprune.data.preparation import Preparation
from autoprune.data.spec import DataSpec
from autoprune.errors import AbsentDataError, InputError
from autoprune.files import read_text

OPTIONS = ("frames", "side")
NEEDS = ("torchvision", "spikingjelly.datasets")
FRAMES, SIDE = 16, 128
MOST = 255
"""Events of a pixel in a frame that are counted."""
_NAMES = {
    "cifar10dvs": "airplane automobile bird cat deer dog frog horse ship truck",
    "dvs128gesture": (
        "hand_clapping right_hand_wave left_hand_wave right_arm_clockwise "
        "right_arm_counter_clockwise left_arm_clockwise left_arm_counter_clockwise arm_roll "
        "air_drums air_guitar other_gestures"
    ),
}
"""Names of classes by label: folders by the alphabet, and the published gesture_mapping.csv."""
_FOLDERS = {"cifar10dvs": "CIFAR10DVS", "dvs128gesture": "DVS128Gesture"}
_PAGES = {
    "cifar10dvs": "https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671",
    "dvs128gesture": "https://ibm.ent.box.com/s/3hiq58ww1pbbjrinh367ykfdf60xsfm8",
}


def about(spec: DataSpec, root: Path) -> About:
    """See `autoprune.data.load.NamedData`."""
    side = spec.side or SIDE
    if SIDE % side:
        raise InputError(f"data {spec.name}", f"side {side}", f"a divisor of {SIDE}")
    shape = (spec.frames or FRAMES, 2, side, side)
    names = tuple(_NAMES[spec.name].split())
    words = f"counts of OFF and ON events per pixel and frame, 0 to {MOST}"
    return About(
        name=spec.name,
        classes=len(names),
        shape=shape,
        preparation=Preparation(raw=words, before="frames of as many events each"),
        class_names=names,
    )


def load(spec: DataSpec, root: Path) -> Sources:
    """See `autoprune.data.load.NamedData.load`."""
    known = about(spec, root)
    folder = _prepared(spec.name, root / _FOLDERS[spec.name])
    parts = {"cifar10dvs": (None,), "dvs128gesture": (True, False)}[spec.name]
    train, *test = (_source(known, folder, part) for part in parts)
    return Sources(train=train, test=test[0] if test else None)


def _kind(name: str) -> Any:
    from spikingjelly.datasets.cifar10_dvs import CIFAR10DVS
    from spikingjelly.datasets.dvs128_gesture import DVS128Gesture

    return {"cifar10dvs": CIFAR10DVS, "dvs128gesture": DVS128Gesture}[name]


def _prepared(name: str, folder: Path) -> Path:
    """The folder with spikingjelly's `events_np` in it, converted from what lies there.

    spikingjelly itself would begin to download, or delete a file whose checksum it does not know,
    and unpack whatever lies there to wherever that says.
    """
    kind = _kind(name)
    files = [file for file, _, _ in kind.resource_url_md5()]
    download, extract, events = (folder / part for part in ("download", "extract", "events_np"))
    if events.is_dir():
        return folder
    if not extract.is_dir():
        missing = [file for file in files if not (download / file).is_file()]
        if missing:
            raise AbsentDataError(
                f"data {name}",
                f"{len(missing)} files missing in {download}: {', '.join(missing[:4])}",
                f"the files of {_PAGES[name]} there",
            )
    part = folder / "events_np.part"
    try:
        if not extract.is_dir():
            archives = [download / file for file in files if file.endswith((".zip", ".tar.gz"))]
            unpack(archives, extract)
        _check_lists(extract)
        shutil.rmtree(part, ignore_errors=True)  # of one that was interrupted
        part.mkdir()
        kind.create_raw_from_extracted(extract, part)
    except (*UNREADABLE, LookupError) as error:
        shutil.rmtree(part, ignore_errors=True)
        broken, whole = _broken(name, extract)
        named = f"{len(broken)} of {whole} recordings are broken: {', '.join(broken[:3])}"
        raise InputError(
            f"data {name}",
            f"{named if broken else f'{type(error).__name__}: {error}'}, in {extract}",
            f"the files of {_PAGES[name]}",
        ) from error
    part.rename(events)
    return folder


def _check_lists(extract: Path) -> None:
    """ValueError where a list of recordings names one elsewhere: spikingjelly would write there."""
    for file in extract.rglob("trials_to_*.txt"):
        strange = [line for line in read_text(file).splitlines() if "/" in line]
        if strange:
            raise ValueError(f"{file.name} names {strange[0]!r}, which is not beside it")


def _broken(name: str, extract: Path) -> tuple[list[str], int]:
    """Recordings that spikingjelly cannot read, and how many there are in all."""
    from spikingjelly.datasets.cifar10_dvs import _load_origin_data
    from spikingjelly.datasets.utils import load_aedat_v3

    read = {"cifar10dvs": _load_origin_data, "dvs128gesture": load_aedat_v3}[name]
    files, broken = sorted(extract.rglob("*.aedat")), []
    for file in files:
        try:
            read(file)
        except (*UNREADABLE, LookupError):
            broken.append(str(file.relative_to(extract)))
    return broken, len(files)


def _source(known: About, folder: Path, train: bool | None) -> Source:
    from autoprune.data.augment import augmented_events

    frames = known.shape[0]
    part = {None: "all", True: "train", False: "test"}[train]
    state = (
        f"{known} {(folder / 'events_np').resolve()} {(folder / 'events_np').stat().st_mtime_ns}"
    )
    store, labels = mapped(
        f"{known.name}-{part}", state, lambda: _integrated(known, folder, train, frames)
    )
    return Source(about=known, store=store, labels=labels, augment=augmented_events)


def _integrated(known: About, folder: Path, train: bool | None, frames: int) -> Arrays:
    """All samples [n, frames, 2, side, side] as bytes, and their classes."""
    from spikingjelly import configure

    settings = {"data_type": "frame", "frames_number": frames, "split_by": "number"}
    if train is not None:
        settings["train"] = train
    # numpy reads headers with Python's parser, which in 3.11 fails where two threads enter it at
    # once ("AST constructor recursion depth mismatch", CPython issue 106905)
    configure.max_threads_number_for_datasets_preprocess = 1
    try:
        samples = _kind(known.name)(root=str(folder), **settings)
    except (OSError, ValueError, KeyError, IndexError, RuntimeError) as error:
        raise InputError(
            f"data {known.name}",
            f"events in {folder} cannot be read ({type(error).__name__}: {error})",
            f"recordings of at least {frames} events as spikingjelly converts them",
        ) from error
    side = known.shape[-1]
    found = np.empty((len(samples), *known.shape), dtype=np.uint8)
    labels, broken = np.empty(len(samples), dtype=np.int64), []
    for index, (file, label) in enumerate(samples.samples):
        try:
            raw = np.asarray(samples.loader(file), dtype=np.float64)
            whole = raw.reshape(frames, 2, side, SIDE // side, side, SIDE // side).sum((3, 5))
            found[index], labels[index] = np.minimum(whole, MOST), label
        except (OSError, ValueError, KeyError, EOFError):
            broken.append(file)
    if broken:
        raise InputError(
            f"data {known.name}",
            f"{len(broken)} of {len(samples)} files are broken: {', '.join(broken[:3])}",
            "frames as spikingjelly writes them",
        )
    return found, labels
