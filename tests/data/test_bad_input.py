"""What is wrong with a data set is named before anything trains."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from autoprune.errors import InputError
from tests.refusals import assert_refused, refusals

OWN = """
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.random((60, 1, 4, 4)), np.arange(60) % 3


def plain():
    return X, Y


def parts(root):
    assert root.name == "data"
    return {"train": (X, Y), "test": (X[:9], Y[:9])}


def events():
    return np.ones((60, 3, 2, 4, 4)), Y


def nothing():
    return None


def raises():
    return {}["labels"]


def wrong_labels():
    return X, Y - 1


def lonely():
    return X, np.r_[np.zeros(59, dtype=int), 1]


def not_a_number():
    return np.where(X > 0.9, np.nan, X), Y


def flat():
    return X.reshape(60, -1), Y


def real_labels():
    return X, Y / 2


def other_shapes():
    return {"train": (X, Y), "test": (X[:9, :, :2], Y[:9])}
"""


@pytest.fixture
def own(tmp_path, monkeypatch, load):
    (tmp_path / "my_lab_data.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "data").mkdir()
    return lambda function, **settings: load(f"my_lab_data:{function}", **settings)


def test_own_arrays(own):
    data = own("plain")
    assert [len(p) for p in (data.train, data.validation, data.test)] == [36, 12, 12]
    assert (data.about.classes, data.about.shape) == (3, (1, 4, 4))
    parts = own("parts", validation=0.25)
    assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [45, 15, 9]
    assert own("events").about.shape == (3, 2, 4, 4)


@refusals(
    ("nothing", "returned NoneType; expected (inputs, labels)"),
    ("raises", "raised KeyError: 'labels' (*, line "),
    ("wrong_labels", "labels from -1 to 1; expected 0 to 1"),
    ("lonely", "1 samples of class 1; expected at least 5 of every class"),
    ("not_a_number", "NaN or infinite"),
    ("flat", "arrays of [60, 16] and [60]"),
    ("real_labels", "labels of type float64"),
    ("other_shapes", "train and test differ in shape"),
    ("absent", "has no attribute 'absent'"),
)
def test_what_is_wrong_with_own_arrays(own, given, words):
    assert_refused(words, own, given)


@refusals(
    ("cifar10", "no folder *cifar-10-batches-py; expected the python version from https"),
    ("cifar100", "no folder *cifar-100-python"),
    ("imagefolder", "no folder *train; expected ROOT/train/CLASS/IMAGE"),
    ("mnist", "no train-images-idx3-ubyte with *torchvision.datasets.MNIST(*download=True) puts"),
    ("fashion_mnist", "what `apt install dataset-fashion-mnist`, or torchvision.datasets.Fashion*"),
    ("cifar10dvs", "10 files missing in *download: airplane.zip*figshare"),
    ("dvs128gesture", "4 files missing in *download: DvsGesture.tar.gz*ibm.ent.box"),
)
def test_absent_files(load, make, given, words):
    make("nothing")
    assert_refused(words, load, given)


@refusals(
    (("cifar10", {"frames": 4}), "cifar10: it has no frames to set"),
    (("digits", {"side": 4}), "digits: it has no side to set"),
    (("cifar10dvs", {"side": 30}), "side 30; expected a divisor of 128"),
)
def test_settings_that_a_set_does_not_have(about, given, words):
    name, settings = given
    assert_refused(words, about, name, **settings)


def test_broken_cifar_files(load, make):
    root = make("cifar10") / "cifar-10-batches-py"
    (root / "data_batch_2").write_bytes(b"no pickle")
    (root / "data_batch_4").unlink()
    with pytest.raises(InputError, match=r"2 broken files in .*data_batch_2 .*data_batch_4 "):
        load("cifar10")


IDX = {
    "images": "t10k-images-idx3-ubyte",
    "labels": "t10k-labels-idx1-ubyte",
    "packed": "train-images-idx3-ubyte.gz",
}


@refusals(
    (("packed", b"no gzip"), "train-images*.gz: not readable (*an IDX file"),
    (("images", bytes.fromhex("00000803" + 3 * "00000014") + b"abc"), "not as long as it says"),
    (("images", bytes.fromhex("00000803" + "00000002" + 2 * "00000003") + bytes(18)), "2 x 3 x 3"),
    (("labels", bytes.fromhex("0000080100000001") + b"a"), "1 labels; *60 images"),
    (("labels", bytes.fromhex("000008010000003c") + 60 * b"a"), "label 97; *0 to 9"),
    (("labels", bytes.fromhex("00000d010000000100000000")), "float32; *bytes"),
)
def test_broken_idx_files(load, make, given, words):
    file, held = given
    (make("mnist") / IDX[file]).write_bytes(held)
    assert_refused(words, load, "mnist")


def test_a_packed_file_that_grows_without_end_is_refused(load, make, monkeypatch):
    make("mnist")
    monkeypatch.setattr("autoprune.data.idx.LARGEST", 10_000)
    assert_refused("more than 10000 bytes; expected one of the set's files", load, "mnist")


def test_broken_images(load, make):
    root = make("imagefolder")
    (root / "train" / "n00000001" / "1.JPEG").write_bytes(b"no image")
    Image.effect_noise((64, 64), 90).save(root / "train" / "n00000002" / "3.JPEG")
    whole = (root / "train" / "n00000002" / "3.JPEG").read_bytes()
    (root / "train" / "n00000002" / "3.JPEG").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"2 of 36 images in .*train are broken: .*1.JPEG.*3.JPEG"):
        load("imagefolder", side=16)


def test_strange_classes_and_empty_folders(load, make):
    root = make("imagefolder")
    (root / "val" / "n00000009").mkdir()
    with pytest.raises(InputError, match="classes that train has not: n00000009"):
        load("imagefolder", side=16)
    (root / "val" / "n00000009").rmdir()
    for file in (root / "val").rglob("*.*"):
        file.unlink()
    with pytest.raises(InputError, match=r"no images in .*val"):
        load("imagefolder", side=16)


def test_too_few_images_of_a_class(load, make):
    root = make("imagefolder")
    for file in list((root / "train" / "n00000002").iterdir())[1:]:
        file.unlink()
    with pytest.raises(InputError, match="1 samples of class 2; expected at least 10 of every"):
        load("imagefolder", side=16)


def test_broken_event_files(load, make):
    root = make("cifar10dvs")
    file = root / "CIFAR10DVS" / "extract" / "cat" / "cifar10_cat_3.aedat"
    file.write_bytes(file.read_bytes()[:-4])
    other = root / "CIFAR10DVS" / "extract" / "ship" / "cifar10_ship_0.aedat"
    other.write_bytes(other.read_bytes()[:-12])
    message = r"2 of 120 recordings are broken: cat/cifar10_cat_3.aedat, ship/cifar10_ship_0.aedat"
    for _ in range(2):  # what was begun is taken away, so that the same is said again
        with pytest.raises(InputError, match=message):
            load("cifar10dvs", frames=4, side=32)


def test_broken_frames(load, make, tmp_path):
    root = make("dvs128gesture")
    settings = {"frames": 4, "side": 32, "validation": 0.34}
    load("dvs128gesture", **settings)
    frames = root / "DVS128Gesture" / "frames_number_4_split_by_number" / "test" / "3"
    for file in frames.iterdir():
        file.write_bytes(b"no array")
    for file in (tmp_path / "cache" / "data").iterdir():
        file.unlink()
    with pytest.raises(InputError, match=r"1 of 11 files are broken: .*test/3"):
        load("dvs128gesture", **settings)


def test_labels_are_checked_as_numbers():
    from autoprune.data.dataset import About, check_labels

    about = About(name="mine", classes=2, shape=(1, 2, 2))
    check_labels(about, np.array([0, 1, 0, 1]), 2)
    with pytest.raises(InputError, match="labels from 0 to 2; expected 0 to 1"):
        check_labels(about, np.array([0, 1, 2]), 1)
