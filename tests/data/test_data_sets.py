"""Every data set: real formats are read, split by seed and class, shared and augmented."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from autoprune.data.dataset import Split
from autoprune.data.load import NamedData
from autoprune.data.spec import DATA_SETS, DataSpec

SETTINGS = {
    "digits_events": {"frames": 4},
    "imagefolder": {"side": 16},
    "cifar10dvs": {"frames": 4, "side": 32, "train": 40, "validation": 20, "test": 10},
    "dvs128gesture": {"frames": 4, "side": 32, "validation": 0.34, "train": 11, "test": 11},
}


@pytest.fixture(params=DATA_SETS)
def name(request) -> str:
    return request.param


@pytest.fixture
def read(make, load, name):
    """Loads a data set of that name by seed."""
    make(name)
    return lambda seed=0: load(name, seed, **SETTINGS.get(name, {}))


def key(part: Split) -> list[bytes]:
    """What tells samples apart: where they are stored, and in which store."""
    store = getattr(part.store, "file", id(part.store))
    return [f"{store}{int(i)}".encode() for i in part.indices]


def test_samples_have_the_declared_shape(read, about, name):
    data = read()
    assert data.about == about(name, **{k: v for k, v in SETTINGS.get(name, {}).items()})
    for part in (data.train, data.validation, data.test):
        inputs = part.inputs(slice(4))
        assert inputs.shape[1:] == data.about.shape
        assert inputs.dtype == torch.float32
        assert torch.isfinite(inputs).all()
        assert part.labels.dtype == torch.int64
        assert set(part.labels.tolist()) == set(range(data.about.classes))
    assert data.about.synthetic == (name == "digits_events")
    assert ("synthetic" in str(data.about)) == (name == "digits_events")


def test_parts_are_disjoint_stratified_and_by_seed(read, name):
    data, again, other = read(0), read(0), read(1)
    parts = [data.train, data.validation, data.test]
    keys = [set(key(part)) for part in parts]
    assert sum(map(len, keys)) == len(set.union(*keys))
    assert all(len(k) == len(p) for k, p in zip(keys, parts, strict=True))
    shares = [np.bincount(p.labels, minlength=data.about.classes) / len(p) for p in parts]
    even = np.full(data.about.classes, 1 / data.about.classes)
    tolerance = [0.02 + 1 / len(part) for part in parts]
    assert all(abs(s - even).max() < t for s, t in zip(shares, tolerance, strict=True))
    assert torch.equal(data.train.indices, again.train.indices)
    assert not torch.equal(data.validation.indices, other.validation.indices)
    split_here = name in ("digits", "digits_events", "cifar10dvs")
    assert torch.equal(data.test.indices, other.test.indices) != split_here


def test_only_training_is_augmented_and_a_seed_repeats_it(read, name):
    data = read()
    chosen = torch.arange(4)
    torch.manual_seed(5)
    one, two = data.train.augmented(chosen), data.train.augmented(chosen)
    torch.manual_seed(5)
    assert torch.equal(data.train.augmented(chosen), one)
    plain = data.train.inputs(chosen)
    assert one.shape == plain.shape and one.dtype == plain.dtype
    if name.startswith("digits"):
        assert torch.equal(one, plain)
    else:
        assert not torch.equal(one, two)
        assert not torch.equal(one, plain)
    assert torch.equal(data.train.inputs(chosen), plain)
    assert torch.equal(data.validation.augmented(chosen), data.validation.inputs(chosen))


@pytest.fixture(scope="module")
def another_process() -> Iterator[Callable[[Path], str]]:
    """A process that reads pickled parts, one after the other, and says what they sum up to."""
    code = (
        "import pickle, sys\n"
        "for line in sys.stdin:\n"
        "    part = pickle.load(open(line.rstrip(), 'rb'))\n"
        "    samples = part.inputs(slice(3)).double().sum()\n"
        "    print(float(samples), int(part.labels.sum()), flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def read(file: Path) -> str:
            assert process.stdin is not None and process.stdout is not None
            print(file, file=process.stdin, flush=True)
            return process.stdout.readline()

        yield read


def test_a_split_is_read_alike_in_another_process(read, name, tmp_path, another_process):
    part = read().train
    pickled = pickle.dumps(part)
    if name not in ("digits", "digits_events"):
        assert len(pickled) < 60_000  # paths and labels, no samples
    file = tmp_path / "split.pickle"
    file.write_bytes(pickled)
    total, labels = another_process(file).split()
    assert float(total) == pytest.approx(float(part.inputs(slice(3)).double().sum()))
    assert int(labels) == int(part.labels.sum())


@pytest.mark.parametrize("name", ["cifar10", "cifar100"], indirect=True)
def test_cifar_pixels_are_those_of_the_files(read, name):
    """The first red pixel of every made image is its class."""
    data = read()
    part = data.test
    red = part.inputs(slice(None))[:, 0, 0, 0] * 0.2470 + 0.4914
    assert torch.equal((red * 255).round().long(), part.labels)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"], indirect=True)
def test_grey_pixels_are_those_of_the_files_and_training_shifts_them(read, name):
    """The pixel (14, 14) of every made image is its class; also where it was shifted to."""
    data = read()
    part, how = data.train, data.about.preparation
    grey = part.inputs(slice(None)) * how.deviation[0] + how.mean[0]
    assert torch.equal((grey[:, 0, 14, 14] * 255).round().long(), part.labels)
    shifted = (part.augmented(torch.arange(len(part))) * how.deviation[0] + how.mean[0]) * 255
    near = shifted.round().long()[:, 0, 11:18, 11:18].flatten(1)
    assert (near == part.labels[:, None]).any(1).all()
    sides = {(int(row[0]), int(row[-1])) for row in (shifted.round()[:, 0].sum(2) == 0).long()}
    assert len(sides) == 3  # rows of zeros come in above, below or not at all


def test_fashion_mnist_as_debian_ships_it(tmp_path, monkeypatch):
    """70 000 images; their mean, and the labels that the paper's repository shows first."""
    if not Path("/usr/share/datasets/fashion-mnist").is_dir() and "CI" not in os.environ:
        pytest.skip("apt install dataset-fashion-mnist")
    monkeypatch.setenv("AUTOPRUNE_DATA", str(tmp_path))
    data = NamedData(DataSpec(name="fashion_mnist"), tmp_path).load(0)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [54000, 6000, 10000]
    assert torch.bincount(data.test.labels).tolist() == [1000] * 10
    assert data.test.labels[:5].tolist() == [9, 2, 1, 1, 6]
    assert data.about.class_names[9] == "ankle boot"
    seen = data.train.inputs(slice(2000))
    assert abs(float(seen.mean())) < 0.02 and abs(float(seen.std()) - 1) < 0.02


@pytest.mark.parametrize("name", ["imagefolder"], indirect=True)
def test_colours_of_images_are_their_classes(read, name):
    part = read().test
    inputs = part.inputs(slice(None)).mean((2, 3))
    coloured = inputs.std(1) > 0.2  # grey ones say nothing
    assert int(coloured.sum()) >= len(part) / 3
    assert torch.equal(inputs.argmax(1)[coloured], part.labels[coloured])


@pytest.mark.parametrize("name", ["cifar10dvs"], indirect=True)
def test_events_of_cifar10dvs_are_those_of_the_files(read, name):
    """Half of the events of class c have address y = 10 c, in spikingjelly x = 127 - y."""
    part = read().test
    inputs = part.inputs(slice(None))
    assert inputs.sum((1, 2, 3, 4)).tolist() == [400.0] * len(part)
    columns = inputs.sum((1, 2, 3)).argmax(1)
    assert torch.equal(columns, (127 - 10 * part.labels) // 4)


@pytest.mark.parametrize("name", ["dvs128gesture"], indirect=True)
def test_gestures_are_cut_out_of_recordings(read, name):
    data = read()
    parts = (data.train, data.validation, data.test)
    assert [len(part) for part in parts] == [11, 12, 11]  # 12 is 0.34 of 33 gestures, rounded up
    inputs = data.test.inputs(slice(None))
    assert inputs.sum((1, 2, 3, 4)).tolist() == [300.0] * 11
    assert (inputs.sum((2, 3, 4)) == 75).all()  # frames of as many events each


@pytest.mark.full
@pytest.mark.parametrize("name", ["digits_events"], indirect=True)
def test_synthetic_events_tell_digits_apart(read, name):
    from sklearn.linear_model import LogisticRegression

    data = read()

    def counts(part: Split) -> np.ndarray:
        return part.inputs(slice(None)).sum(1).flatten(1).numpy()

    model = LogisticRegression(max_iter=200).fit(counts(data.train), data.train.labels)
    assert model.score(counts(data.test), data.test.labels) > 0.85
    inputs = data.train.inputs(slice(200))
    on, off = inputs[:, :, 0].sum(), inputs[:, :, 1].sum()
    assert 0.7 < float(on / off) < 1.4  # what rises, falls
    assert torch.equal(inputs, inputs.round())
    assert (inputs.sum((2, 3, 4)) > 0).all()


@pytest.mark.parametrize("name", ["cifar10", "cifar10dvs"], indirect=True)
def test_files_are_read_once(read, name, capsys):
    read()
    assert "once" in capsys.readouterr().err
    read(1)
    assert capsys.readouterr().err == ""
