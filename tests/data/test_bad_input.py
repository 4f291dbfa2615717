"""What is wrong with a data set is named before anything trains."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from autoprune.data.overlap import overlaps
from autoprune.errors import AbsentDataError, InputError
from tests.refusals import assert_refused, refusals

OWN = """
import numpy as np
import torch

rng = np.random.default_rng(0)
X, Y = rng.random((60, 1, 4, 4)), np.arange(60) % 3


def plain():
    return X, Y


def parts(root):
    assert root.name == "data"
    return {"train": (X, Y), "test": (1 - X[:9], Y[:9])}


def three(half, *, offset=0, side=4):
    part = slice(offset, 30 if half else 60)
    cut = (1 - X[..., :side])[30:], Y[30:]
    return {"train": (X[part, ..., :side], Y[part]), "validation": cut, "test": cut}


def pictures(as_tensors=False):
    from PIL import Image

    grey = (255 * X[:, 0]).astype(np.uint8)
    if as_tensors:
        return torch.utils.data.TensorDataset(torch.from_numpy(grey)[:, None], torch.from_numpy(Y))
    return Pairs([(Image.fromarray(g), int(y)) for g, y in zip(grey, Y)])


class Pairs:
    def __init__(self, pairs):
        self.pairs = pairs

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        return self.pairs[index]


def copies():
    return {"train": (X, Y), "test": (X[:12], Y[:12])}


def lists():
    return X.tolist(), Y.tolist()


def ragged():
    return [[[[1]]], [[[1, 2]]]], [0, 1]


def uneven():
    return Pairs([(X[0], 0), (X[1][:, :2], 1)])


def endless():
    return (pair for pair in zip(X, Y))


def strange_parts():
    return {"train": (X, Y), "valid": (X, Y)}


def words():
    return np.full((60, 1, 2, 2), "a"), Y


def events():
    return np.ones((60, 3, 2, 4, 4)), Y


def nothing():
    return None


def raises():
    return {}["labels"]


def wrong_labels():
    return X, Y - 1


def numbers_of_files():
    return X, 1 + np.arange(60) * 10**12


def lonely():
    return X, np.r_[np.zeros(59, dtype=int), 1]


def alike():
    return X, 0 * Y


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


def sizes(data):
    return [len(part) for part in (data.train, data.validation, data.test)]


def test_own_arrays(own):
    data = own("plain")
    assert sizes(data) == [36, 12, 12]
    assert (data.about.classes, data.about.shape) == (3, (1, 4, 4))
    assert sizes(own("parts", validation=0.25)) == [45, 15, 9]
    assert own("events").about.shape == (3, 2, 4, 4)


def test_sizes_of_parts(own):
    """As a number or a share, of parts that are split off and of those that are there."""
    assert sizes(own("plain", validation=15, test=0.1)) == [39, 15, 6]
    assert sizes(own("plain", train=9)) == [9, 12, 12]
    assert sizes(own("parts", train=0.5, validation=6, test=3)) == [27, 6, 3]
    assert sizes(own("three", half=True, validation=6, test=0.5)) == [30, 6, 15]
    few = own("plain", train=9).train
    assert torch.bincount(few.labels).tolist() == [3, 3, 3]
    assert set(few.indices.tolist()) < set(own("plain").train.indices.tolist())


def test_other_keys_are_arguments_of_the_function(own):
    assert sizes(own("three", half=True)) == [30, 30, 30]
    assert sizes(own("three", half=False, offset=30)) == [30, 30, 30]
    assert own("three", half=True, side=2).about.shape == (1, 4, 2)


@pytest.mark.parametrize("as_tensors", [False, True])
def test_a_torch_data_set_is_read_once_and_its_bytes_stay_bytes(own, as_tensors):
    data = own("pictures", as_tensors=as_tensors)
    assert sizes(data) == [36, 12, 12] and data.about.shape == (1, 4, 4)
    assert data.train.store.samples.dtype == torch.uint8
    rng = np.random.default_rng(0)
    expected = (255 * rng.random((60, 1, 4, 4))).astype(np.uint8)[data.test.indices]
    found = data.test.inputs(slice(None))
    assert found.dtype == torch.float32 and np.array_equal(found.numpy(), expected)


def test_lists_are_arrays(own):
    given, expected = own("lists").test, own("plain").test
    assert torch.equal(given.inputs(slice(None)), expected.inputs(slice(None)))


def test_memory_is_handed_over_and_not_copied(own):
    """As Ray's object store takes and gives it: buffers beside the pickle, read-only."""
    part, buffers = own("pictures").train, []
    pickled = pickle.dumps(part, protocol=5, buffer_callback=buffers.append)
    held = [memoryview(bytes(buffer)) for buffer in buffers]
    again = pickle.loads(pickled, buffers=held)
    assert len(pickled) < 3000 and len(held[0]) == 60 * 16
    assert again.store.samples.data_ptr() == np.frombuffer(held[0], np.uint8).ctypes.data
    assert torch.equal(again.inputs(slice(None)), part.inputs(slice(None)))


def test_samples_in_two_parts_are_said(own):
    assert overlaps(own("plain")) == []
    assert overlaps(own("three", half=False)) == [
        "30 of 30 test samples are validation samples, too: test scores say less of new data."
    ]
    said = overlaps(own("copies"))
    assert [line.partition(" are ")[0] for line in said] == ["12 of 12 test samples"]


@refusals(
    ("nothing", "returned NoneType; expected (inputs, labels)"),
    ("raises", "raised KeyError: 'labels' (*, line "),
    ("wrong_labels", "labels from -1 to 1; expected 0 to 1"),
    ("numbers_of_files", "0 samples of class 0; expected at least 1 of every class"),
    ("lonely", "1 samples of class 1; expected at least 5 of every class"),
    ("not_a_number", "NaN or infinite"),
    ("flat", "arrays of [60, 16] and [60]"),
    ("real_labels", "labels of type float64"),
    ("alike", "1 class; expected two or more"),
    ("other_shapes", "parts differ in shape: train [1, 4, 4], test [1, 2, 4]"),
    ("ragged", "returned no arrays (*inhomogeneous shape"),
    ("uneven", "sample 1 of 2 (ValueError: [1, 2, 4] after [1, 4, 4]); expected pairs"),
    ("endless", "returned generator; expected (inputs, labels) or a torch Dataset"),
    ("strange_parts", "returned parts train, valid; expected (inputs"),
    ("words", "returned no arrays (numbers of type <U1)"),
    ("three", "argument 'half' is missing"),
    ("absent", "has no attribute 'absent'"),
)
def test_what_is_wrong_with_own_arrays(own, given, words):
    assert_refused(words, own, given)


@refusals(
    (("plain", {"frames": 4}), "it takes no 'frames'"),
    (("three", {"hlaf": True}), "it takes no 'hlaf'*did you mean 'half'"),
    (("three", {"half": object()}), "not JSON serializable; expected arguments that JSON holds"),
    (("plain", {"train": 37}), "train: given 37; expected at most 36, as many as there are"),
    (("parts", {"test": 10}), "test: given 10; expected at most 9"),
    (("plain", {"validation": 60}), "60 samples, 12 for test and 60 for*some to train on"),
    (("plain", {"validation": 2}), "20 samples of class 0; expected at least 30 of every class"),
)
def test_sizes_and_arguments_that_do_not_fit(own, given, words):
    function, settings = given
    assert_refused(words, own, function, **settings)


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
    with pytest.raises(AbsentDataError):  # which a dry run can do without
        load(given)


@refusals(
    (("cifar10", {"frames": 4}), "cifar10: it has no frames to set"),
    (("digits", {"side": 4}), "digits: it has no side to set"),
    (("digits", {"vaildation": 4}), "unknown key 'vaildation'*did you mean 'validation'"),
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
    with pytest.raises(InputError, match="1 samples of class 2; expected at least 9 of every"):
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
    from autoprune.data.dataset import About
    from autoprune.data.split import check_labels

    about = About(name="mine", classes=2, shape=(1, 2, 2))
    check_labels(about, np.array([0, 1, 0, 1]), 2)
    with pytest.raises(InputError, match="labels from 0 to 2; expected 0 to 1"):
        check_labels(about, np.array([0, 1, 2]), 1)
