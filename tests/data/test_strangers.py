"""Files of data sets may be anybody's, as a run folder says where they lie: nothing runs."""

from __future__ import annotations

import io
import os
import pickle
import struct
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autoprune.data.archives import GROWTH, unpack
from autoprune.data.mapped import mapped
from autoprune.data.plain_pickle import read_plain
from autoprune.errors import InputError
from tests.refusals import assert_refused, refusals


class Bomb:
    """What a hostile pickle does when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


@pytest.mark.parametrize("file", ["data_batch_3", "batches.meta"])
def test_cifar_runs_nothing(load, make, tmp_path, file):
    place, mark = make("cifar10") / "cifar-10-batches-py" / file, tmp_path / "ran"
    place.write_bytes(pickle.dumps({"label_names" if "meta" in file else "data": Bomb(mark)}))
    if file == "batches.meta":
        assert load("cifar10").about.class_names == ()
    else:
        words = r"1 broken files in *data_batch_3 (UnpicklingError: names posix.mkdir, and to make"
        assert_refused(words, load, "cifar10")
    assert not mark.exists()
    pickle.loads(place.read_bytes())  # it would have
    assert mark.exists()


def test_cifar_names_its_classes(load, make):
    place = make("cifar10") / "cifar-10-batches-py" / "batches.meta"
    names = [f"class {i}" for i in range(10)]
    place.write_bytes(pickle.dumps({"label_names": names}, protocol=2))
    assert load("cifar10").about.class_names == tuple(names)


FAR = b"\x80\x02N" + b"r" + struct.pack("<I", 10**6) + b"."


@refusals(
    (FAR, "its value 2 has the number 1000000"),
    (b"cbuiltins\neval\n(S'1'\ntR.", "names builtins.eval"),
    (b"cnumpy\nndarray.tofile\n.", "names numpy.ndarray.tofile"),
    (b"cnumpy.f2py\nrun_main\n.", "names numpy.f2py.run_main"),
    (b"c_codecs\ndecode\n.", "names _codecs.decode"),
)
def test_a_pickle_makes_nothing_but_plain_values(tmp_path, given, words):
    (tmp_path / "x").write_bytes(given)
    with pytest.raises(pickle.UnpicklingError, match=words):
        read_plain(tmp_path / "x", 1000)


def test_an_array_is_read_as_bytes_and_as_nothing_else(tmp_path):
    for protocol in (2, 4):
        held = np.arange(6, dtype=np.uint8).reshape(2, 3)
        (tmp_path / "x").write_bytes(pickle.dumps([held, held.astype(np.int8)], protocol=protocol))
        whole, other = read_plain(tmp_path / "x", 1000)
        assert whole.as_bytes().tolist() == list(range(6))
        with pytest.raises(ValueError, match="no array of bytes"):
            other.as_bytes()
    with pytest.raises(InputError, match="larger than"):
        read_plain(tmp_path / "x", 10)


def tar(file: Path, *members: tuple[str, bytes, bytes]) -> Path:
    """A packed archive of members with such names, types and contents or targets."""
    with tarfile.open(file, "w:gz") as made:
        for name, kind, held in members:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(held) if kind == tarfile.REGTYPE else 0
            info.linkname = held.decode() if kind == tarfile.SYMTYPE else ""
            made.addfile(info, io.BytesIO(held))
    return file


@refusals(
    ((("../out", tarfile.REGTYPE, b"x"),), "x.tar.gz holds '../out', which is not below it"),
    ((("/tmp/out", tarfile.REGTYPE, b"x"),), "x.tar.gz holds '/tmp/out', which is not below it"),
    (
        (("a", tarfile.SYMTYPE, b".."), ("a/out", tarfile.REGTYPE, b"x")),
        "x.tar.gz holds 'a', which is no file",
    ),
    ((("a", tarfile.FIFOTYPE, b""),), "x.tar.gz holds 'a', which is no file"),
    ((("a", tarfile.REGTYPE, bytes(10**6)),), f"x.tar.gz grows more than {GROWTH} times"),
)
def test_an_archive_leaves_its_folder_nowhere(tmp_path, given, words):
    archive = tar(tmp_path / "x.tar.gz", ("good", tarfile.REGTYPE, b"x"), *given)
    with pytest.raises(ValueError, match=words):
        unpack([archive], tmp_path / "place")
    assert list(tmp_path.iterdir()) == [archive]


def test_archives_are_unpacked_whole_or_not_at_all(tmp_path):
    one = tar(tmp_path / "x.tar.gz", ("a/b", tarfile.REGTYPE, b"1"), ("c", tarfile.DIRTYPE, b""))
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as other:
        other.writestr("d/e", "2")
        other.writestr("f/", "")
    (tmp_path / "place.part").mkdir()  # of one that was killed
    (tmp_path / "place.part" / "half").touch()
    unpack([one, tmp_path / "y.zip"], tmp_path / "place")
    place = tmp_path / "place"
    found = {str(f.relative_to(place)): f.read_text() for f in place.rglob("*") if f.is_file()}
    assert found == {"a/b": "1", "d/e": "2"}
    assert not (tmp_path / "place.part").exists()


def test_broken_archives_are_named(load, make):
    root = make("nothing") / "DVS128Gesture" / "download"
    root.mkdir(parents=True)
    for name in ("DvsGesture.tar.gz", "gesture_mapping.csv", "LICENSE.txt", "README.txt"):
        (root / name).write_bytes(zlib.compress(b"no archive"))
    assert_refused("dvs128gesture: ReadError: *, in *extract; expected", load, "dvs128gesture")
    assert not (root.parent / "extract").exists()


def test_a_list_of_recordings_writes_nowhere_else(load, make, tmp_path):
    extract = make("dvs128gesture") / "DVS128Gesture" / "extract" / "DvsGesture"
    (extract.parent / "user01_fluorescent.aedat").write_bytes(b"")
    with (extract / "trials_to_test.txt").open("a") as lines:
        lines.write("../user01_fluorescent.aedat\n")
    words = "trials_to_test.txt names '../user01_fluorescent.aedat', which is not beside it"
    assert_refused(words, load, "dvs128gesture", frames=4, side=32)


def chunk(kind: bytes, held: bytes) -> bytes:
    return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))


LARGE = b"\x89PNG\r\n\x1a\n" + chunk(
    b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
)
LARGE += chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("what", ["pipe", "device", "lost", "folder", "other", "large"])
def test_what_is_called_an_image_and_is_none_is_named(load, make, what):
    file = make("imagefolder") / "train" / "n00000001" / "x.png"
    match what:
        case "pipe":
            os.mkfifo(file)
        case "device":
            file.symlink_to("/dev/zero")
        case "lost":
            file.symlink_to("nowhere")
        case "folder":
            file.mkdir()
        case "other":
            Image.new("RGB", (64, 64)).save(file, format="TIFF")
        case "large":
            file.write_bytes(LARGE)
    start = time.perf_counter()
    assert_refused("1 of 37 images in *train are broken: *x.png", load, "imagefolder", side=16)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_a_kept_array_that_is_damaged_is_made_again(tmp_path, capsys, cut):
    made = np.arange(60.0).reshape(6, 10), np.arange(6)
    mapped("mine", "of this", lambda: made)
    for file in (tmp_path / "cache" / "data").iterdir():
        os.truncate(file, min(cut, file.stat().st_size - 8))
    capsys.readouterr()
    store, labels = mapped("mine", "of this", lambda: made)
    assert len(store) == 6 and labels.tolist() == list(range(6))
    assert "Reading mine once again, since what was kept is damaged" in capsys.readouterr().err
