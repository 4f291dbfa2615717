"""Small files of the real formats, made by the test.

Those of event cameras as well: we know of no package that ships a recording of AEDAT 2.0 or 3.1,
the formats of CIFAR10-DVS and DVS128 Gesture (aermanager's are of AEDAT 4).
"""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoprune.data.dataset import About, Dataset
from autoprune.data.load import NamedData
from autoprune.data.spec import DataSpec


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOPRUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AUTOPRUNE_DATA", raising=False)


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Dataset]:
    """Loads a data set whose root is the test's folder."""

    def load(name: str, seed: int = 0, **settings: Any) -> Dataset:
        return NamedData(DataSpec(name=name, root="data", **settings), tmp_path).load(seed)

    return load


@pytest.fixture
def about(tmp_path: Path) -> Callable[..., About]:
    def about(name: str, **settings: Any) -> About:
        return NamedData(DataSpec(name=name, root="data", **settings), tmp_path).about

    return about


def cifar(root: Path, name: str, per_file: int = 40) -> None:
    """The python version of CIFAR: pickled dictionaries with latin1 keys, rows of 3072 bytes."""
    generator = np.random.default_rng(0)
    if name == "cifar10":
        folder, files, key, classes = "cifar-10-batches-py", 5, "labels", 10
        names = [f"data_batch_{i}" for i in range(1, files + 1)] + ["test_batch"]
    else:
        folder, key, classes, names = "cifar-100-python", "fine_labels", 100, ["train", "test"]
        per_file = 12 * classes
    (root / folder).mkdir(parents=True)
    for file in names:
        labels = [i % classes for i in range(per_file)]
        data = generator.integers(0, 256, (per_file, 3072), dtype=np.uint8)
        data[:, 0] = labels  # the first red pixel says the class
        entry = {"batch_label": file, key: labels, "data": data, "filenames": ["x"] * per_file}
        (root / folder / file).write_bytes(pickle.dumps(entry, protocol=2))


def image_folder(root: Path, *, train: int = 12, val: int = 4, classes: int = 3) -> None:
    """JPEG and PNG files whose colour is the class."""
    for part, count in (("train", train), ("val", val)):
        for label in range(classes):
            folder = root / part / f"n{label:08d}"
            folder.mkdir(parents=True)
            for i in range(count):
                colour = [30, 30, 30]
                colour[label] = 220
                image = Image.new(
                    "RGB" if i % 3 else "L", (40 + i, 50), tuple(colour) if i % 3 else 99
                )
                image.save(folder / f"{i}.{'JPEG' if i % 2 else 'png'}")


def cifar10dvs(root: Path, per_class: int = 12) -> None:
    """CIFAR10-DVS as its archives unpack: CLASS/*.aedat, address and time as big-endian words."""
    from spikingjelly.datasets.cifar10_dvs import CIFAR10DVS_CLASS_NAMES

    generator = np.random.default_rng(1)
    for label, name in enumerate(CIFAR10DVS_CLASS_NAMES):
        folder = root / "CIFAR10DVS" / "extract" / name
        folder.mkdir(parents=True)
        for i in range(per_class):
            events = 400
            x, y = generator.integers(0, 128, (2, events))
            y[:200] = 10 * label  # half of the events in one row, which says the class
            polarity = generator.integers(0, 2, events)
            address = y << 8 | x << 1 | polarity
            times = np.sort(generator.integers(0, 10**6, events))
            words = np.stack([address, times], axis=1).astype(">u4").tobytes()
            header = b"#!AER-DAT2.0\r\n# made by a test\r\n"
            (folder / f"cifar10_{name}_{i}.aedat").write_bytes(header + words)


def dvs128gesture(root: Path, users: int = 4) -> None:
    """DVS128 Gesture as its archive unpacks: user*.aedat (AEDAT 3.1), labels as CSV, file lists."""
    folder = root / "DVS128Gesture" / "extract" / "DvsGesture"
    folder.mkdir(parents=True)
    generator = np.random.default_rng(2)
    names = [f"user{i:02d}_fluorescent" for i in range(1, users + 1)]
    for name in names:
        gestures, each = 11, 300
        count = gestures * each
        times = np.arange(count, dtype=np.uint32) * 10 + 1000
        x, y = generator.integers(0, 128, (2, count)).astype(np.uint32)
        polarity = generator.integers(0, 2, count).astype(np.uint32)
        data = (x << 17 | y << 2 | polarity << 1 | 1).astype("<u4")
        packets = b""
        for start in range(0, count, 1000):
            part = slice(start, min(start + 1000, count))
            body = np.stack([data[part], times[part].astype("<u4")], axis=1).tobytes()
            number = part.stop - part.start
            # eventType 1 (polarity), source 1, size 8, time offset 4, overflow 0, capacity, number
            header = np.array([1, 1], dtype="<u2").tobytes()
            header += np.array([8, 4, 0, number, number, number], dtype="<u4").tobytes()
            packets += header + body
        text = "#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n"
        (folder / f"{name}.aedat").write_bytes(text.encode() + packets)
        rows = ["class,startTime_usec,endTime_usec"]
        for g in range(gestures):
            rows.append(f"{g + 1},{times[g * each]},{times[(g + 1) * each - 1] + 1}")
        (folder / f"{name}_labels.csv").write_text("\n".join(rows) + "\n")
    (folder / "trials_to_train.txt").write_text("\n".join(f"{n}.aedat" for n in names[:-1]) + "\n")
    (folder / "trials_to_test.txt").write_text(f"{names[-1]}.aedat\n")


def idx(root: Path, per_class: int = 12) -> None:
    """Four IDX files as MNIST's page describes them, the training images packed."""
    generator = np.random.default_rng(3)
    for start, count in (("train", 10 * per_class), ("t10k", 5 * per_class)):
        labels = np.arange(count, dtype=np.uint8) % 10
        images = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        images[:, 14, 14] = labels  # a pixel of the middle says the class
        head = np.array([0x803, count, 28, 28], dtype=">u4").tobytes()
        file = root / f"{start}-images-idx3-ubyte"
        if start == "train":
            with gzip.open(f"{file}.gz", "wb") as stream:
                stream.write(head + images.tobytes())
        else:
            file.write_bytes(head + images.tobytes())
        head = np.array([0x801, count], dtype=">u4").tobytes()
        (root / f"{start}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())


MAKERS: dict[str, Callable[..., None]] = {
    "cifar10": lambda root: cifar(root, "cifar10"),
    "cifar100": lambda root: cifar(root, "cifar100"),
    "fashion_mnist": idx,
    "mnist": idx,
    "imagefolder": image_folder,
    "cifar10dvs": cifar10dvs,
    "dvs128gesture": dvs128gesture,
}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Makes the files of a data set under the test's root, and returns the root."""

    def make(name: str, **settings: Any) -> Path:
        root = tmp_path / "data"
        root.mkdir(exist_ok=True)
        if name in MAKERS:
            MAKERS[name](root, **settings)
        return root

    return make
