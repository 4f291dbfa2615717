"""Prove that a folder holds the network that was searched, before anybody is told so."""

from __future__ import annotations

from pathlib import Path

from autoprune.deploy.fresh_process import in_fresh_process
from autoprune.deploy.load import WEIGHTS, load
from autoprune.deploy.manifest import Folding
from autoprune.deploy.member import Member
from autoprune.deploy.onnx import OnnxProof
from autoprune.deploy.remeasure import compare, recorded, remeasured
from autoprune.deploy.size_proof import sizes_are_exact, weights_are_planned
from autoprune.deploy.write import SAMPLES, Written, compared
from autoprune.trial.measurement import Precision


def prove(member: Member, written: Written, folder: Path) -> list[str]:
    """Everything that has to hold before the folder is released, in words."""
    manifest, setup, measurement = written.manifest, member.setup, member.measurement
    loaded = load(folder, imports=True)  # what the run has imported
    sizes_are_exact(written.packed, folder)
    weights_are_planned(loaded, setup.adapter, member.shape, measurement.plan)
    proofs = [f"{WEIGHTS} takes the bytes that plan, zeros and formats predict"]
    expected = recorded(measurement, member.shape.block_weights)
    if manifest.fold is not None:
        found = remeasured(setup, member.network, measurement)
        compare(found, expected, "the network before folding")
        proofs += [_measured_words(member, "before folding"), _folded_words(manifest.fold)]
    else:
        compare(remeasured(setup, loaded, measurement), expected, "the exported network")
        proofs.append(_measured_words(member, "loaded and"))
    layers = in_fresh_process(written.network, member.inputs(SAMPLES), folder)
    proofs.append(
        f"without autoprune, in a fresh process: output and spikes of {layers} layers of neurons "
        f"on {compared(member)} validation samples, bit for bit"
    )
    if manifest.onnx is not None:
        proofs.append(_onnx_words(manifest.onnx))
    if manifest.nir is not None:
        proofs.append(manifest.nir.words())
    proofs += [held.words(measurement.validation) for held in manifest.integers]
    return proofs


def _measured_words(member: Member, when: str) -> str:
    found = "; ".join(_precision_words(p) for p in member.measurement.precisions)
    return f"{when} measured again, as on record: {found}; every count of every operation"


def _precision_words(precision: Precision) -> str:
    validation, test = precision.validation, precision.test
    assert test is not None  # `find_member` has seen to it
    sops = precision.workload.per_sample("effective_sops")
    return (
        f"at {precision.words} validation {validation.correct:g} of {validation.total}, test "
        f"{test.correct:g} of {test.total}, {sops:.6g} effective SOPs per sample"
    )


def _folded_words(fold: Folding) -> str:
    parts = (("validation", fold.validation), ("test", fold.test))
    scores = ", ".join(f"{part} {score.correct:g} of {score.total}" for part, score in parts)
    return (
        f"folded: same predictions on {fold.samples} samples, outputs within "
        f"{fold.max_abs_difference:.3g}, {fold.spikes_changed} of {fold.spikes_compared} "
        f"spikes changed; {scores}"
    )


def _onnx_words(proof: OnnxProof) -> str:
    return (
        f"network.onnx in onnxruntime: same predictions on {proof.samples} samples, outputs within "
        f"{proof.max_abs_difference:.3g}"
    )
