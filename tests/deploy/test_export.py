"""Export of a real run: proved or nothing, and every mistake named."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors import safe_open

from autoprune.api import open_run
from autoprune.cli.export import export as command
from autoprune.compress.surgery.fold import fold
from autoprune.cost.load import load_machine
from autoprune.deploy.export import whole_or_nothing
from autoprune.deploy.load import load
from autoprune.deploy.member import find_member
from autoprune.deploy.observe import observe
from autoprune.errors import ExportError, InputError, RecordError
from autoprune.runs.folder import RunFolder
from autoprune.trial.key import FINE_TUNED, PARENT, TrialKey

from .conftest import altered, note


@pytest.fixture
def own(finished, tmp_path) -> RunFolder:
    """A copy of the run that a test may change."""
    shutil.copytree(finished, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def front_member(folder: RunFolder) -> TrialKey:
    """A trial on a front that was trained."""
    found = [TrialKey.of_stem(file.stem) for file in folder.checkpoints.iterdir()]
    return max(key for key in found if key.is_trial)


def manifest(out: Path) -> dict:
    return json.loads((out / "manifest.json").read_text())


def left_beside(out: Path) -> list[str]:
    return [path.name for path in out.parent.iterdir() if "partial" in path.name]


def test_a_front_member_with_the_command(finished, tmp_path):
    folder, out = RunFolder(finished), tmp_path / "a" / "b"
    key = front_member(folder)
    done = CliRunner().invoke(command, [str(finished), str(key), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "Proved: without autoprune, in a fresh process" in " ".join(done.output.split())
    assert "not kept" not in done.output
    outcome, found = folder.read(key), manifest(out)
    measurement = outcome.measurement
    assert found["title"] == "A few real trials on a small network, in seconds"
    assert (found["trial"], found["seed"]) == (str(key), measurement.seed)
    assert found["test"]["correct"] == measurement.test.correct
    assert found["parameters"] == measurement.parameters
    sops = measurement.workload.per_sample("effective_sops")
    assert found["effective_sops_per_sample"] == sops
    assert set(found["machines"]) == {"loihi1", "systolic_14x12", "ops45_fp32"}
    at_8 = found["machines"]["loihi1"]
    assert at_8["energy_uj"] > 0
    assert (at_8["accuracy_bits"], at_8["priced_bits"]) == (8, 8)
    assert (
        at_8["test"]["correct"]
        == measurement.at(*load_machine("loihi1").machine.precision).test.correct
    )
    assert found["machines"]["ops45_fp32"]["accuracy_bits"] == found["accuracy_bits"] == 32
    assert found["input"] == ["B", 1, 8, 8]
    assert json.loads((out / "plan.json").read_text())["blocks"]
    files = {str(f.relative_to(out)) for f in out.rglob("*") if f.is_file()}
    assert files == {*found["files"], "manifest.json"}
    assert found["bytes"]["network_file"] == (out / "network.safetensors").stat().st_size
    with safe_open(folder.checkpoint(key), "pt") as kept:
        state = load(out).state_dict()
        assert set(kept.keys()) == set(state)
        assert all(torch.equal(kept.get_tensor(name), state[name]) for name in state)
    assert found["input_range"] == [0.0, 1.0]
    assert found["preparation"]["divisor"] == 16
    assert found["class_names"] == list("0123456789")


@pytest.mark.full
def test_the_readmes_program_classifies_raw_samples_as_on_record(finished, tmp_path):
    """Grey values up to 16, as scikit-learn has them; taken for the input they give noise."""
    from sklearn.datasets import load_digits

    key = front_member(RunFolder(finished))
    member = find_member(RunFolder(finished), key, lambda line: None)
    open_run(finished).export(key, tmp_path / "out")
    _, program, _ = (tmp_path / "out" / "README.md").read_text().split("```")
    pixels, _ = load_digits(return_X_y=True)
    part = member.setup.data.validation
    torch.save(torch.tensor(pixels).reshape(-1, 1, 8, 8)[part.indices], tmp_path / "raw.pt")
    program = program.removeprefix("python").replace("FOLDER", str(tmp_path / "out"))
    zeros = "torch.zeros(1, 1, 8, 8)"
    assert zeros in program
    program = program.replace(zeros, f"torch.load({str(tmp_path / 'raw.pt')!r})")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    names = ast.literal_eval(done.stdout)
    right = sum(name == str(label) for name, label in zip(names, part.labels.tolist(), strict=True))
    assert right == member.measurement.validation.correct


@pytest.mark.full
def test_everything_at_once_is_trained_again_first(finished, tmp_path):
    said: list[str] = []
    exported = open_run(finished).export(
        "90", tmp_path / "out", nir=True, nir_extension=True, say=said.append
    )
    assert said[0] == "The weights of trial 90 were not kept: training it again."
    found = manifest(tmp_path / "out")
    assert found["weights_trained_again"]
    assert {how["format"] for how in found["storage"].values()} >= {"dense", "bitmap"}
    assert len(found["starts"]["slif"]) > 2
    parent = RunFolder(finished).parent.stat().st_size
    learned = sum(how["bytes"] for n, how in found["storage"].items() if "decay_logit" in n)
    assert learned > 1000  # one value per neuron
    assert exported.sizes["network.safetensors"] - learned < 0.8 * parent
    assert exported.stored_bytes < exported.dense_bytes < exported.parent_bytes + learned
    assert exported.parent_bytes == parent
    assert exported.proofs[1].startswith("loaded and measured again, as on record: at 32 bits")
    assert exported.proofs[-2].startswith("network.nir (")
    assert exported.proofs[-1].startswith("in the integers of loihi1, weights of 8 bits: ")
    assert found["nir"]["spikes"] > 0 and found["nir"]["extension_nodes"] > 0


@pytest.mark.parametrize(
    "key",
    ["without blocks.0.attention", pytest.param("without all blocks", marks=pytest.mark.full)],
)
def test_baselines_and_removed_branches(key, finished, tmp_path):
    bare = key == "without all blocks"
    open_run(finished).export(key, tmp_path / "out", nir=bare)
    found = manifest(tmp_path / "out")
    if bare:
        [held] = found["integers"]  # of three machines, loihi1 says what its integers are
        assert (held["machine"], held["weight_bits"], held["refused"]) == ("loihi1", 8, "")
        assert held["validation"]["correct"] > 0.5 * found["validation"]["correct"] > 0
        assert found["nir"]["extension_nodes"] == 0 and "network.nir" in found["files"]
    held = {name for how in found["storage"].values() for name in how["holds"]}
    assert not any(name.startswith("blocks.0.attention") for name in held)
    assert any(name.startswith("blocks.0.mlp") for name in held) == (key != "without all blocks")


def test_the_parent_and_the_fine_tuned_parent(own):
    own.checkpoint(FINE_TUNED).unlink(missing_ok=True)
    said: list[str] = []
    parent = find_member(own, PARENT, said.append)
    assert said == [] and not parent.rebuilt
    tuned = find_member(own, FINE_TUNED, said.append)
    assert tuned.rebuilt
    assert said == ["The weights of the baseline 'fine-tuned' were not kept: training it again."]
    assert tuned.network.state_dict().keys() == parent.network.state_dict().keys()


def test_a_duplicate_is_the_trial_that_was_trained(own):
    outcome = own.read(front_member(own))
    for key, earlier in (("95", outcome.key), ("96", TrialKey(95))):
        note(own, key, outcome.plan, outcome.measurement, state="duplicate", same_as=earlier)
    member = find_member(own, TrialKey(96), pytest.fail)
    assert (member.key, member.same_as, member.rebuilt) == (TrialKey(96), outcome.key, False)


@pytest.mark.full
def test_folded_and_as_onnx(finished, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    out = tmp_path / "out"
    exported = open_run(finished).export("90", out, folded=True, onnx=True)
    found = manifest(out)
    assert len(found["folded"]) > 3
    assert found["fold"]["max_abs_difference"] < 1e-3
    assert found["onnx"]["max_abs_difference"] < 1e-3
    assert "network.onnx" in found["files"]
    assert any(line.startswith("network.onnx in onnxruntime") for line in exported.proofs)
    network, sample = load(out), torch.rand(1, 1, 8, 8)
    session = onnxruntime.InferenceSession(out / "network.onnx")
    [got] = session.run(None, {session.get_inputs()[0].name: sample.numpy()})
    assert torch.allclose(torch.from_numpy(got), observe(network, sample)["output"], atol=1e-4)


def test_a_folding_that_changes_a_prediction_is_refused(finished, tmp_path, monkeypatch):
    def wrong(network, inputs):
        folded, pairs = fold(network, inputs)
        folded.head.bias.data += torch.arange(10) * 100.0
        return folded, pairs

    monkeypatch.setattr("autoprune.deploy.write.fold", wrong)
    with pytest.raises(ExportError, match="rounding changes a prediction on the recorded inputs"):
        open_run(finished).export("parent", tmp_path / "out", folded=True)
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_onnx_is_refused_by_its_name(finished, tmp_path, monkeypatch):
    monkeypatch.setattr("autoprune.deploy.onnx.NEEDED", ("onnx_that_nobody_has",))
    with pytest.raises(InputError, match=r"pip install 'autoprune\[onnx\]'"):
        open_run(finished).export("90", tmp_path / "out", onnx=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("kept", "bits"), [(True, 32), (True, 8), (False, 32), (False, 8)])
def test_a_measurement_that_differs_is_refused_and_nothing_left(kept, bits, own, tmp_path):
    source = front_member(own) if kept else TrialKey(90)
    altered(own, source, "91", bits)
    if kept:
        shutil.copy(own.checkpoint(source), own.checkpoint(TrialKey(91)))
    what = "the exported network" if kept else "what was trained again"
    out = tmp_path / "new" / "out"
    words = rf"{what} is not .* on record: validation at {bits} bits \d+ of"
    with pytest.raises(ExportError, match=words):
        open_run(own.path).export("91", out)
    assert not out.parent.exists()
    assert left_beside(tmp_path / "x") == []


def test_a_loader_that_fails_is_refused_and_nothing_left(finished, tmp_path, monkeypatch):
    monkeypatch.setattr("autoprune.deploy.sources._INIT", "raise ValueError('broken')\n")
    with pytest.raises(ExportError, match="does not load without autoprune.*broken"):
        open_run(finished).export("parent", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_weights_of_another_network_are_refused(own, tmp_path):
    shutil.copy(own.parent, own.checkpoint(TrialKey(90)))
    with pytest.raises(InputError, match="00090.safetensors: weights of another network"):
        open_run(own.path).export("90", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unknown_and_failed_trials_and_no_run(own, tmp_path):
    failed = {"state": "failed", "cause": "ValueError: no spikes"}
    note(own, "92", own.read(TrialKey(90)).plan, None, **failed)
    for run, key, words in (
        (own.path, "77", "no trial '77'"),
        (own.path, "92", r"trial 92 failed and has no network \(ValueError: no spikes\)"),
        (tmp_path, "1", "not a run folder"),
    ):
        with pytest.raises(RecordError, match=words):
            open_run(run).export(key, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_empty_stays_untouched(finished, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep")
    for out in (tmp_path / "out", tmp_path / "out" / "mine"):
        with pytest.raises(InputError, match="a new or an empty folder"):
            open_run(finished).export("parent", out)
    assert [f.name for f in (tmp_path / "out").iterdir()] == ["mine"]
    assert (tmp_path / "out" / "mine").read_text() == "keep"


def test_what_a_killed_export_left_goes_with_the_next_and_with_clean(own, tmp_path):
    names = [f".out.{i:016x}.partial" for i in range(2)]
    for i, name in enumerate(names):
        (tmp_path / name).mkdir()
        (tmp_path / name / "network.safetensors").write_bytes(bytes(1000))
        (own.path / "exports").mkdir(exist_ok=True)
        note = own.path / "exports" / f"{i:016x}.json"
        note.write_text(json.dumps({"folder": str(tmp_path / name)}))
        assert (str(tmp_path / name), 1000) in own_clean(own, dry_run=True)
        if i:
            assert (str(tmp_path / name), 1000) in own_clean(own)
        else:
            with pytest.raises(RecordError, match="no trial"):
                open_run(own.path).export("77", tmp_path / "out")
        assert not (tmp_path / name).exists()
        assert not (own.path / "exports").exists()


def own_clean(run: RunFolder, *, dry_run: bool = False) -> list[tuple[str, int]]:
    return open_run(run.path).clean(dry_run=dry_run)


def test_an_empty_folder_is_taken_and_a_failure_leaves_it(tmp_path, finished):
    run, out = RunFolder(finished), tmp_path / "out"
    out.mkdir()
    with pytest.raises(KeyboardInterrupt), whole_or_nothing(run, out) as part:
        (part / "file").write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == [out]
    with whole_or_nothing(run, out) as part:
        (part / "file").write_text("whole")
    assert (out / "file").read_text() == "whole"
    assert list(tmp_path.iterdir()) == [out]
