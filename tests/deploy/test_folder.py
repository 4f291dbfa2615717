"""Folders of every family: loaded bit for bit, by autoprune and without it; damage is named."""

from __future__ import annotations

import ast
import json
import os
import random
import runpy
import shutil
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest
import torch

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.registry import forget, use
from autoprune.compress.surgery.apply import compress
from autoprune.deploy.fresh_process import in_fresh_process
from autoprune.deploy.load import described, load
from autoprune.deploy.observe import OUTPUT, observe
from autoprune.deploy.onnx import write_onnx
from autoprune.deploy.pack import pack
from autoprune.deploy.size_proof import sizes_are_exact, weights_are_planned
from autoprune.deploy.sources import closure, rewritten
from autoprune.errors import AutopruneError, ExportError, InputError
from autoprune.networks.build import build
from tests.mutations import mutate_bytes, mutate_json, tried

from .conftest import EFFORT, FAMILIES, compressed


@pytest.mark.parametrize("family", FAMILIES)
def test_a_compressed_network_of_every_family_is_loaded_bit_for_bit(family, packed, samples):
    network, adapter, origin = compressed(family)
    folder = packed(network, adapter, origin)
    wanted = observe(network, samples)
    assert sum(float(spikes.sum()) > 0 for spikes in wanted.values()) > 3
    standalone = runpy.run_path(str(folder / "load_network.py"))["load"]()
    for loaded in (load(folder, imports=":" in origin.model), standalone):
        assert not loaded.training
        found = observe(loaded, samples)
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)
        state = network.state_dict()
        assert loaded.state_dict().keys() == state.keys()
        assert all(torch.equal(value, state[k]) for k, value in loaded.state_dict().items())
    formats = {how["format"] for how in manifest(folder)["storage"].values()}
    assert "dense" in formats and formats & {"bitmap", "csr"}


def test_a_process_without_autoprune_computes_the_same_bits(packed, samples):
    network, adapter, origin = compressed("own")
    folder = packed(network, adapter, origin)
    assert in_fresh_process(network, samples, folder) == len(observe(network, samples)) - 1
    with torch.no_grad():
        network.classify.bias += 0.25
    with pytest.raises(ExportError, match=r"computes something else at 1 of \d+ places \(output"):
        in_fresh_process(network, samples, folder)


@pytest.mark.full
def test_soft_reset_and_what_is_learned_per_neuron_are_written_as_onnx(samples, tmp_path):
    pytest.importorskip("onnxruntime")
    network, _, origin = compressed("own_soft")
    assert "neuron" in dict(origin.plan.part("slif").amounts).values()
    proof = write_onnx(network, samples.split(1), tmp_path / "network.onnx")
    assert proof.samples == 4
    assert proof.max_abs_difference < 1e-5


def test_the_users_own_module_is_left_as_it_was(packed, samples):
    network, adapter, origin = compressed("own")
    before = sys.modules["own_network"]
    standalone = runpy.run_path(str(packed(network, adapter, origin) / "load_network.py"))["load"]()
    assert sys.modules["own_network"] is before
    assert type(standalone) is not type(network)


def test_a_start_learned_by_the_parents_neurons_is_kept(packed, samples):
    network, adapter, origin = compressed("spikformer_patch")
    nodes = [module for module in network.modules() if hasattr(module, "decay_start")]
    nodes[0].decay_start = 0.4321
    folder = packed(network, adapter, origin)
    assert torch.equal(observe(load(folder), samples)[OUTPUT], observe(network, samples)[OUTPUT])
    path = next(path for path, module in network.named_modules() if module is nodes[0])
    assert load(folder).get_submodule(path).decay_start == 0.4321


def test_loading_leaves_random_numbers_and_other_folders_alone(packed, samples, tmp_path):
    network, adapter, origin = compressed("spikformer_patch")
    folder = packed(network, adapter, origin)
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    networks = [runpy.run_path(str(f / "load_network.py"))["load"]() for f in (folder, other)]
    assert torch.equal(torch.rand(3), expected)
    assert type(networks[0]) is not type(networks[1])
    assert sys.modules["autoprune"].__name__ == "autoprune"


OTHERS = [
    (("network", "arguments", "embed_dims"), 200_000),
    (("network", "arguments", "embed_dims"), 10**30),
    (("network", "arguments", "depths"), 10**6),
    (("network", "arguments"), [1]),
    (("network", "offered", "num_classes"), "many"),
    (("storage", "head.weight", "shape"), [10**9, 10**9]),
    (("storage", "head.weight", "shape"), [-1, -4]),
    (("storage", "head.weight", "format"), "csr"),
    (("starts", "slif"), {"head": 1}),
    (("folded",), {"head": 3}),
]


def test_a_manifest_of_another_network_is_refused_before_memory_is_filled(packed):
    folder = packed(*compressed("spikformer_patch"))
    good = (folder / "manifest.json").read_text(encoding="utf-8")
    for key, value in OTHERS:
        document = json.loads(good)
        *path, last = key
        place = document
        for name in path:
            place = place[name]
        place[last] = value
        (folder / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(InputError, match=r"manifest\.json|network\.safetensors|network spik"):
            load(folder)
    (folder / "manifest.json").write_text(good.replace('"embed_dims": 16', '"embed_dims": 2048'))
    with pytest.raises(InputError, match=r"parameters or more; expected at most \d+, by the size"):
        load(folder)  # some KB of weights are of no such network


@pytest.mark.fuzz
def test_any_manifest_is_loaded_or_refused(packed):
    folder, rng = packed(*compressed("spikformer_patch")), random.Random(0)
    file = folder / "manifest.json"
    content, found = file.read_bytes(), tried.setdefault("manifest.json", Counter())
    for number in range(1000):
        file.write_bytes(rng.choice((mutate_bytes, mutate_json, mutate_json))(content, rng))
        start = time.process_time()
        try:
            load(folder)
            found["valid"] += 1
        except AutopruneError:
            found["refused"] += 1
        except BaseException as error:
            raise AssertionError(f"{number}: {error!r}: {file.read_text()[:5000]}") from error
        assert time.process_time() - start < 2
    assert found["refused"]


def manifest(folder) -> dict:
    return json.loads((folder / "manifest.json").read_text())


@pytest.mark.parametrize(
    "name",
    ["network.safetensors", "plan.json", "load_network.py", "autoprune_network/compress/plan.py"],
)
def test_a_changed_or_missing_file_is_named(name, packed):
    folder = packed(*compressed("spikformer_patch"))
    content = bytearray((folder / name).read_bytes())
    content[-3] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: was changed"):
        load(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: no such file"):
        load(folder)


def test_what_is_no_exported_folder_is_refused(packed, tmp_path):
    with pytest.raises(InputError, match="manifest.json: no such file; expected a folder of"):
        load(tmp_path)
    folder = packed(*compressed("spikformer_patch"))
    file = folder / "manifest.json"
    whole = file.read_text()
    file.write_text(whole[:-40])
    with pytest.raises(InputError, match="manifest.json: damaged"):
        load(folder)
    file.write_text(whole.replace('"autoprune_export": 1', '"autoprune_export": 2'))
    with pytest.raises(InputError, match="not a manifest of this version"):
        load(folder)
    file.write_text(whole.replace('"embed_dims": 16', '"embed_dims": 20'))
    with pytest.raises(InputError, match="network.safetensors: does not fit the network"):
        load(folder)


@pytest.mark.parametrize("key", ["model", "adapter", "methods"])
def test_what_a_manifest_names_is_not_called_unasked(key, packed, tmp_path):
    """A folder of a stranger's that names a function of the standard library."""
    folder = packed(*compressed("spikformer_patch"))
    document, ran = manifest(folder), tmp_path / "ran"
    named = document["network"]
    if key == "model":
        named |= {"arguments": {"cmd": f"touch {ran}"}, "offered": {}}
    named[key] = ["subprocess:getoutput"] if key == "methods" else "subprocess:getoutput"
    (folder / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"json: names code, 'subprocess:getoutput', .* imports="):
        load(folder)
    assert not ran.exists()
    with pytest.raises(InputError, match="getoutput"):
        load(folder, imports=True)
    assert ran.exists() == (key == "model")


def test_a_manifest_names_files_of_its_folder_alone(packed):
    folder = packed(*compressed("spikformer_patch"))
    document = manifest(folder)
    for name in ("../secret", "x" * 300, "a\0b"):
        changed = document | {"files": document["files"] | {name: {}}}
        (folder / "manifest.json").write_text(json.dumps(changed))
        with pytest.raises(InputError, match=r"manifest.json: names '.*; expected files of the"):
            load(folder)


def test_a_file_of_another_size_is_not_read_and_a_circle_of_links_is_none(packed):
    folder = packed(*compressed("spikformer_patch"))
    plan = folder / "plan.json"
    os.truncate(plan, 2**33)
    start = time.process_time()
    with pytest.raises(InputError, match=r"plan.json: was changed: its size"):
        load(folder)
    assert time.process_time() - start < 1
    plan.unlink()
    plan.symlink_to(plan.name)
    with pytest.raises(InputError, match=r"plan.json: no such file"):
        load(folder)


@pytest.mark.parametrize("text", ["[1]", '{"parts": 1}', "1e400"])
def test_a_plan_that_is_none_is_named(packed, text):
    folder = packed(*compressed("spikformer_patch"))
    (folder / "plan.json").write_text(text)
    document = manifest(folder)
    document["files"]["plan.json"] = described(folder / "plan.json")
    (folder / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"plan.json: damaged .plan: not a plan"):
        load(folder)


def test_a_manifest_of_no_family_is_refused(packed):
    folder = packed(*compressed("spikformer_patch"))
    document = manifest(folder)
    document["network"]["model"] = "spikformer_path"
    (folder / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="damaged .* no family of networks is called"):
        load(folder)


def test_the_copied_code_needs_torch_safetensors_and_spikingjelly_alone(packed):
    folder = packed(*compressed("spikformer_patch"))
    outside = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                outside |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                outside.add((node.module or "").split(".")[0])
    assert outside - sys.stdlib_module_names == {"torch", "safetensors", "spikingjelly"}
    copies = {str(f.relative_to(folder / "autoprune_network")) for f in folder.glob("*/**/*.py")}
    assert {name for name in copies if not name.endswith("__init__.py")} == set(closure())


def test_imports_become_relative_and_nothing_else_changes():
    text = (
        "from autoprune.compress.plan import Plan\n    from autoprune.compress.surgery import dsp\n"
        "x = 'autoprune'\n"
    )
    assert rewritten(text, "errors.py") == (
        "from .compress.plan import Plan\n    from .compress.surgery import dsp\nx = 'autoprune'\n"
    )
    assert "from ..compress.plan import Plan" in rewritten(text, "networks/adapter.py")


def test_bytes_and_weights_that_nothing_predicts_are_refused(tmp_path):
    network, adapter, origin = compressed("spikformer_patch")
    parent = build(origin.model, origin.arguments, origin.offered)
    shape = adapter.shape(parent)
    found = pack(network, adapter, origin, tmp_path)
    sizes_are_exact(found, tmp_path)
    weights_are_planned(network, adapter, shape, origin.plan)
    with pytest.raises(ExportError, match=r"the matrices of the blocks hold \d+ weights; planned"):
        weights_are_planned(parent, adapter, shape, origin.plan)
    name, how = next((n, how) for n, how in found.form.storage.items() if how.format != "dense")
    wasteful = {**found.form.storage, name: replace(how, bytes=how.bytes + 1)}
    with pytest.raises(ExportError, match="takes .* bytes; .* were possible"):
        sizes_are_exact(replace(found, form=replace(found.form, storage=wasteful)), tmp_path)
    (tmp_path / "network.safetensors").write_bytes(b"\x08" + bytes(7) + b"{}      " + b"1")
    with pytest.raises(ExportError, match="holds 1 bytes of tensors; .* predict"):
        sizes_are_exact(found, tmp_path)


BEHIND = """
from torch import nn

from autoprune.compress.method import Method
from autoprune.compress.part import Part, key_of
from autoprune.compress.setting import Setting
from autoprune.compress.surgery.surgery import Surgery
from autoprune.networks.place import MODEL


class Behind(Method):
    name = "behind"
    settings = (
        Setting(name="behind", kinds=("model",), means="", neutral=0, high=9, whole=True),
    )

    def part(self, given, before, effort):
        outputs = int(given.number(MODEL, "behind"))
        return Part.of(self.name, [(key_of(MODEL), outputs)] if outputs else [])

    def surgery(self):
        return Append()


class Append(Surgery):
    def reshape(self, subject, part):
        for _, outputs in part.amounts:
            subject.network.head = Head(subject.network.head, nn.Linear(4, outputs))


class Head(nn.Sequential):
    pass
"""


def test_a_method_that_reshapes_is_loaded_without_autoprune(packed, samples, tmp_path, monkeypatch):
    """Its module imports autoprune, in whose place the folder's own code stands while it loads."""
    (tmp_path / "behind.py").write_text(BEHIND, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    use(["behind:Behind"], "here")
    _, adapter, origin = compressed("spikformer_patch")
    parent = build(origin.model, origin.arguments, origin.offered)
    shape = adapter.shape(parent)
    plan = make_plan(parse_configuration({"behind": 3}), shape, EFFORT)
    network = compress(parent, plan, adapter)
    origin = replace(origin, plan=plan, methods=("behind:Behind",))
    try:
        folder = packed(network, adapter, origin)
        standalone = runpy.run_path(str(folder / "load_network.py"))["load"]()
    finally:
        forget(["behind:Behind"])
        sys.modules.pop("behind", None)
    assert torch.equal(observe(standalone, samples)[OUTPUT], observe(network, samples)[OUTPUT])
    assert observe(network, samples)[OUTPUT].shape == (4, 3)
    assert type(standalone.head).__name__ == "Head"
    assert type(standalone.head) is not type(network.head)
