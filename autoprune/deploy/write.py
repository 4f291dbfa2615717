"""Fill the folder of an exported network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from autoprune.compress.surgery.fold import fold
from autoprune.deploy.facts import facts
from autoprune.deploy.integers import InIntegers, score_in_integers
from autoprune.deploy.load import WEIGHTS
from autoprune.deploy.manifest import Folding, Manifest, Sizes, write_manifest
from autoprune.deploy.member import Member
from autoprune.deploy.observe import OUTPUT, observe
from autoprune.deploy.onnx import write_onnx
from autoprune.deploy.pack import Packed, pack
from autoprune.deploy.readme import write_readme
from autoprune.errors import ExportError
from autoprune.runs.machines import run_machines
from autoprune.trial.trial import measure

SAMPLES = 8
"""Validation samples on which the exported network is compared with the searched one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What becomes of a network that is exported.

    Attributes:
        folded: batch norm is folded into the layers before it; else it stays bit for bit.
        onnx: network.onnx is written, too. nir: so is network.nir.
        nir_extension: whether that may hold nodes that NIR does not have.
    """

    folded: bool = False
    onnx: bool = False
    nir: bool = False
    nir_extension: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What fills the folder: a network, its tensors and its manifest."""

    network: nn.Module
    packed: Packed
    manifest: Manifest


def write(member: Member, folder: Path, wanted: Wanted, say: Callable[[str], None]) -> Written:
    """Fill the folder."""
    network, origin, inputs = member.network, member.origin(), member.inputs(SAMPLES)
    found, moved = facts(member), None
    if wanted.folded:
        network, pairs = fold(member.network, inputs)
        origin = replace(origin, folded=pairs)
        moved = _folding(member, network, inputs)
    packed = pack(network, member.setup.adapter, origin, folder)
    files, proof, read_back = [*packed.files], None, None
    integers: tuple[InIntegers, ...] = ()
    if wanted.onnx:
        say("Writing network.onnx.")
        proof = write_onnx(network, member.single_inputs(SAMPLES), folder / "network.onnx")
        files.append("network.onnx")
    if wanted.nir:
        from autoprune.deploy.nir.write import write_nir  # which imports an extra's libraries

        say("Writing network.nir.")
        extended = wanted.nir_extension
        file = folder / "network.nir"
        read_back = write_nir(member.network, member.inputs, file, SAMPLES, extended=extended)
        files.append(file.name)
        integers = _in_integers(member, say)
    manifest = Manifest(
        facts=found,
        form=packed.form,
        sizes=Sizes(
            parent_file=member.run.parent.stat().st_size,
            network_file=(folder / WEIGHTS).stat().st_size,
            tensors_dense=packed.dense_bytes,
            tensors_stored=packed.stored_bytes,
        ),
        fold=moved,
        onnx=proof,
        nir=read_back,
        integers=integers,
    )
    files.append(write_readme(folder, found, packed.form))
    write_manifest(folder, manifest.to_dict(), files)
    return Written(network=network, packed=packed, manifest=manifest)


def _in_integers(member: Member, say: Callable[[str], None]) -> tuple[InIntegers, ...]:
    """What the network scores on every machine of the run that says what its integers are."""
    found = []
    for model in run_machines(member.run):
        if model.machine.arithmetic is not None:
            say(f"Evaluating it in the integers of {model.machine.name}.")
            found.append(score_in_integers(member, model.machine))
    return tuple(found)


def _folding(member: Member, network: nn.Module, inputs: Tensor) -> Folding:
    """How far folding moves the network; ExportError where a prediction changes."""
    before, after = observe(member.network, inputs), observe(network, inputs)
    if not torch.equal(_classes(before[OUTPUT]), _classes(after[OUTPUT])):
        raise ExportError("--fold: rounding changes a prediction on the recorded inputs")
    spikes = [name for name in before if name != OUTPUT]
    bits = [member.measurement.precisions[0].bits]
    [found] = measure(member.setup, network.to(member.setup.device), bits, test=True)
    assert found.test is not None
    network.cpu()
    return Folding(
        samples=compared(member),
        max_abs_difference=float((before[OUTPUT] - after[OUTPUT]).abs().max()),
        spikes_changed=sum(int((before[n] != after[n]).sum()) for n in spikes),
        spikes_compared=sum(before[n].numel() for n in spikes),
        validation=found.validation,
        test=found.test,
    )


def compared(member: Member) -> int:
    """How many validation samples the exported network is compared on."""
    return min(SAMPLES, len(member.setup.data.validation))


def _classes(out: Tensor) -> Tensor:
    return (out.mean(0) if out.ndim == 3 else out).argmax(-1)
