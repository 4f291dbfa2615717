"""Weights as they lie about are read; a file that would run code is refused and runs none."""

from __future__ import annotations

import argparse
import io
import os
import pickle
import random
import zipfile
from collections import OrderedDict

import pytest
import torch
from torch import nn

from autoprune.errors import InputError
from autoprune.networks.state_file import read_state, without_prefix
from tests.refusals import assert_refused, refusals

STATE = OrderedDict({"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)})


def hostile_tensors() -> nn.Module:
    """A whole network: its class would be imported."""
    return nn.Linear(2, 2)


class Runs:
    """What a hostile pickle does."""

    def __init__(self, mark: object) -> None:
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


class Attribute:
    """Calls a function through the state of a Namespace, where that would take it."""

    def __init__(self, mark: object) -> None:
        self.mark = str(mark)

    def __reduce__(self):
        return argparse.Namespace, (), {"inner": Runs(self.mark)}


@pytest.mark.parametrize(
    "around",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3, "args": argparse.Namespace(lr=1e-3)},
        lambda state: {"model": state, "optimizer": {"state": {}, "param_groups": [{"lr": 1}]}},
        lambda state: {"net": state, "max_test_acc": 0.95},
        lambda state: {"model": {"state_dict": state}},
        lambda state: {"state_dict_ema": state},
        lambda state: {"state_dict": state, "state_dict_ema": {k: v + 1 for k, v in state.items()}},
        lambda state: {
            "epoch": 1,
            "model_ema": state,
            "args": argparse.Namespace(a=[1, (2, None)]),
        },
        lambda state: {"model_state_dict": state, "loss": torch.tensor(1.0)},
        lambda state: {"weights": state, "optimizer": {"state": {0: {"step": torch.ones(1)}}}},
    ],
)
def test_a_state_dict_is_found_beside_what_scripts_save_with_it(tmp_path, around):
    torch.save(around(STATE), tmp_path / "x.pth.tar")
    found = read_state(tmp_path / "x.pth.tar")
    assert found.keys() == STATE.keys()
    assert all(torch.equal(found[name], STATE[name]) for name in STATE)


@pytest.mark.parametrize("prefix", ["module.", "model.", "module.model.", "_orig_mod.module."])
def test_the_prefixes_of_wrappers_are_taken_off(prefix):
    given = {f"{prefix}{name}": tensor for name, tensor in STATE.items()}
    assert without_prefix(given, set(STATE)).keys() == STATE.keys()
    averaged = {"n_averaged": torch.tensor(3), **given}
    assert without_prefix(averaged, set(STATE)).keys() == STATE.keys()
    mixed = {**given, "head": torch.ones(1)}
    assert without_prefix(mixed, set(STATE)).keys() == mixed.keys(), "not all names have it"
    own = without_prefix(given, set(given))
    assert own.keys() == given.keys(), "the network's own names have it"


@refusals(
    (hostile_tensors(), "holds an object of torch.nn.modules.linear.Linear, and to make that"),
    ({"epoch": 3}, "holds no state dict under state_dict, model_state_dict"),
    ([STATE], "holds no state dict"),
    ({"state_dict": {"a": 1}}, "holds no state dict"),
    ({}, "holds no state dict"),
    ({"generator": STATE, "critic": STATE}, "nor a single one under another key"),
)
def test_what_holds_no_state_dict_is_refused(tmp_path, given, words):
    torch.save(given, tmp_path / "x.pt")
    said = assert_refused(words, read_state, tmp_path / "x.pt")
    if "object" in words:
        assert "torch.save(x.state_dict(), 'weights.pt')" in said


@pytest.mark.parametrize("kind", [Runs, Attribute])
@pytest.mark.parametrize("legacy", [False, True])
def test_no_code_of_a_file_is_run(tmp_path, kind, legacy):
    file, mark = tmp_path / "x.pth", tmp_path / "ran"
    hostile = {"state_dict": dict(STATE), "args": kind(mark)}
    torch.save(hostile, file, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(InputError, match=r"holds an object of (posix|os).mkdir"):
        read_state(file)
    assert not mark.exists()
    torch.load(file, weights_only=False)  # it would have
    assert mark.exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cargparse\nFileType\n(S'w'\ntR.",  # another class of that module
        b"cargparse\nNamespace\n(tR(dS'__class__'\nS'x'\nsb.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy.core.multiarray\nscalar\n(S'O'\nS'x'\ntR.",  # would unpickle what is in it
        b"\x80\x02]" + b"]" * 100_000 + b".",
        b"\x80\x02(" + b"K\x01" * 10 + b"t.",
        b"\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s.",  # a dictionary that holds itself
        b"",
        b"PK\x03\x04",
    ],
)
def test_hostile_pickles_end_in_an_error_of_ours(tmp_path, code):
    (tmp_path / "x.pt").write_bytes(code)
    with pytest.raises(InputError, match=r"x\.pt: (not readable|holds)"):
        read_state(tmp_path / "x.pt")


def test_damaged_files_end_in_an_error_of_ours(tmp_path):
    whole, rng = io.BytesIO(), random.Random(0)
    torch.save({"state_dict": STATE, "args": argparse.Namespace(lr=1)}, whole)
    for _ in range(100):
        content = bytearray(whole.getvalue())
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        (tmp_path / "x.pt").write_bytes(content[: rng.choice((None, rng.randrange(len(content))))])
        try:
            assert all(isinstance(v, torch.Tensor) for v in read_state(tmp_path / "x.pt").values())
        except InputError as error:
            assert "x.pt: " in str(error)


def test_a_namespace_is_data(tmp_path):
    """What torch makes of one has the attributes that were saved, and has called nothing."""
    torch.save({"net": STATE, "args": argparse.Namespace(data_dir="/data")}, tmp_path / "x.pt")
    read_state(tmp_path / "x.pt")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "x.pt", weights_only=True)  # elsewhere it stays refused


def test_a_small_file_does_not_fill_the_memory(tmp_path):
    """A bytearray of any length, and parts that are packed, which torch.save never does."""
    file = tmp_path / "x.pt"
    torch.save({"state_dict": STATE, "more": bytearray(9)}, file)
    assert_refused("x.pt: holds a bytearray; expected a state dict", read_state, file)
    torch.save({"a": torch.zeros(10_000)}, tmp_path / "plain.pt")
    assert read_state(tmp_path / "plain.pt").keys() == {"a"}
    with zipfile.ZipFile(tmp_path / "plain.pt") as plain, zipfile.ZipFile(file, "w") as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name), zipfile.ZIP_DEFLATED)
    assert_refused("x.pt: not readable (its parts are packed)", read_state, file)
    file.write_bytes(b"")
    assert_refused("x.pt: not readable", read_state, file)
