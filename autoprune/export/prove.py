"""Prove that a folder holds the network that was searched, before anybody is told so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autoprune.export.fresh_process import in_fresh_process
from autoprune.export.load import WEIGHTS, load
from autoprune.export.member import Member
from autoprune.export.onnx_file import OnnxProof
from autoprune.export.record import compare, recorded, remeasured
from autoprune.export.size_proof import sizes_are_exact, weights_are_planned
from autoprune.export.write import SAMPLES, Written, compared


def prove(member: Member, written: Written, folder: Path) -> list[str]:
    """Everything that has to hold before the folder is released, in words."""
    document, adapter = written.document, member.bench.adapter
    loaded = load(folder)
    sizes_are_exact(written.packed, folder)
    weights_are_planned(loaded, adapter, member.shape, member.measurement.plan)
    proofs = [f"{WEIGHTS} takes the bytes that plan, zeros and formats predict"]
    expected = recorded(member.measurement, member.shape.block_weights)
    if "fold" in document:
        compare(remeasured(member.bench, member.network), expected, "the network before folding")
        proofs += [_measured_words(member, "before folding"), _folded_words(document["fold"])]
    else:
        compare(remeasured(member.bench, loaded), expected, "the exported network")
        proofs.append(_measured_words(member, "loaded and"))
    layers = in_fresh_process(written.network, member.inputs(SAMPLES), folder)
    proofs.append(
        f"without autoprune, in a fresh process: output and spikes of {layers} layers of neurons "
        f"on {compared(member)} validation samples, bit for bit"
    )
    if "onnx" in document:
        proofs.append(_onnx_words(OnnxProof(**document["onnx"])))
    return proofs


def _measured_words(member: Member, when: str) -> str:
    validation, test = member.measurement.validation, member.measurement.test
    sops = member.measurement.workload.per_sample("effective_sops")
    return (
        f"{when} measured again, as on record: validation {validation.correct:g} of "
        f"{validation.total}, test {test.correct:g} of {test.total}, {sops:.6g} effective SOPs "
        "per sample, every count of every operation"
    )


def _folded_words(fold: dict[str, Any]) -> str:
    scores = ", ".join(
        f"{part} {fold[part]['correct']:g} of {fold[part]['total']}"
        for part in ("validation", "test")
    )
    return (
        f"folded: same predictions on {fold['samples']} samples, outputs within "
        f"{fold['max_abs_difference']:.3g}, {fold['spikes_changed']} of {fold['spikes_compared']} "
        f"spikes changed; {scores}"
    )


def _onnx_words(proof: OnnxProof) -> str:
    return (
        f"network.onnx in onnxruntime: same predictions on {proof.samples} samples, outputs within "
        f"{proof.max_abs_difference:.3g}"
    )
