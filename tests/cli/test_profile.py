"""`autoprune profile`: any network, counted without a run."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

from autoprune import api
from autoprune.workload.workload import Workload
from tests.refusals import assert_refused, refusals

SPIKFORMER = "spikingjelly.activation_based.model.spikformer:Spikformer"
MODULE = """
from spikingjelly.activation_based.model.qkformer import QKFormer
from spikingjelly.activation_based.model.spikformer import Spikformer


def small():
    return Spikformer(T=2, img_size_h=16, img_size_w=16, patch_size=4, num_classes=4,
                      embed_dims=16, num_heads=2, depths=1)


def digits():
    return Spikformer(T=2, in_channels=1, img_size_h=8, img_size_w=8, patch_size=4, num_classes=4,
                      embed_dims=16, num_heads=2, depths=1)


def raises():
    raise KeyError("x")


class Dead(Spikformer):
    def __init__(self):
        super().__init__(T=2, img_size_h=16, img_size_w=16, patch_size=4, num_classes=4,
                         embed_dims=16, num_heads=2, depths=1)

    def forward(self, x):
        raise KeyError("dead")


def timeless():
    network = small()
    network.__class__ = type("Timeless", (type(network),), {})
    return network
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "my_profiled.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)


def test_a_network_is_counted_and_can_be_priced(autoprune, here, tmp_path):
    said = autoprune("profile", "my_profiled:small", "--input", "3x16x16")
    assert said.code == 0, said.err
    text = " ".join(said.out.split())
    assert "blocks.0.attention.qkv" in text
    assert re.search(r"batch norm 9 [\d.]+ k 5\.04 bias 1 8 none residual 3", text)
    assert "Dense MACs: counted 94.96 %, batch_norm 5.04 %." in text
    assert "Without MACs: _unsafe_view, add" in text
    assert "Means over 4 random samples" in text or "Means over 4 random" in text
    said = autoprune("profile", "my_profiled:small", "--input", "3x16x16", "--json")
    workload = Workload.from_json(said.out)
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    assert api.profile_untrained("my_profiled:small", [3, 16, 16]) == workload
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (workload.samples, workload.time_steps) == (4, 2)
    assert workload.total("effective_sops") > 0
    (tmp_path / "w.json").write_text(said.out, encoding="utf-8")
    priced = autoprune("price", tmp_path / "w.json", "--machine", "loihi1", "--json")
    assert json.loads(priced.out)["energy_uj"] > 0


def test_real_inputs_and_bytes_that_are_counted_as_spikes(autoprune, here, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 3, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "bytes.npz", pixels)
    np.savez(tmp_path / "pixels.npz", inputs=pixels / 255, other=pixels)
    found = {}
    for name in ("bytes", "pixels"):
        said = autoprune("profile", "my_profiled:small", "--inputs", f"{name}.npz", "--json")
        assert said.code == 0, said.err
        found[name] = Workload.from_json(said.out)
        assert ("whole numbers up to 255, which are counted as so many" in said.err) == (
            name == "bytes"
        )
        assert found[name].samples == 4
    first = {name: workload.ops[0].work for name, workload in found.items()}
    assert (first["bytes"].real_macs, first["pixels"].real_macs > 0) == (0, True)


def test_the_inputs_of_a_data_set(autoprune, here):
    said = autoprune("profile", "my_profiled:digits", "--inputs", "digits", "--samples", "3")
    assert said.code == 0, said.err
    assert "Means over 3 samples" in " ".join(said.out.split())


@refusals(
    (("--inputs", "absent.npz"), "absent.npz: no such file"),
    (("--inputs", "pickled.npz"), "pickled.npz: no .npz of numbers (Object arrays cannot"),
    (("--inputs", "two.npz"), "arrays a, b; expected one called 'inputs'"),
    (("--inputs", "small.npz"), "does not run on 4 x 3x4 (*expected"),
    (("--inputs", "digits", "--input", "3x16x16"), "--input, which is noise, or --inputs"),
)
def test_inputs_that_are_none(autoprune, here, given, words):
    np.savez("pickled.npz", np.array([{}], dtype=object))
    np.savez("two.npz", a=np.ones(3), b=np.ones(3))
    np.savez("small.npz", np.ones((5, 3, 4)))
    assert_refused(words, autoprune, "profile", "my_profiled:small", *given)


@refusals(
    (("my_profiled:smal", "--input", "3x16x16"), "has no attribute 'smal'"),
    (("my_profiled", "--input", "3x16x16"), "given 'my_profiled'; expected module:function"),
    (("my_profiled:small", "--input", "3x16"), "expected 4D image"),
    (("my_profiled:small", "--input", "3xax16"), "--input: given '3xax16'; expected sizes"),
    (("my_profiled:small", "--input", "9" * 5000), "--input: given '999*; expected sizes"),
    (("my_profiled:small", "--input", "99999x99999x99999"), "does not run on 4 x 99999x99999x9999"),
    (("my_profiled:small", "--input", "3x16x16", "--time-steps", "1025"), "not in the range"),
    (("my_profiled:raises", "--input", "3x16x16"), "cannot be built: KeyError: 'x'"),
    (("my_profiled:Dead", "--input", "3x16x16"), "does not run on 4 x 3x16x16 (KeyError: 'dead')"),
)
def test_bad_input(autoprune, here, given, words):
    assert_refused(words, autoprune, "profile", *given)
