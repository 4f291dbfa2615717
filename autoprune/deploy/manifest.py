"""The manifest of an exported folder: what the network is, what was measured, what was proved."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autoprune.data.preparation import Preparation
from autoprune.deploy.form import Form
from autoprune.deploy.integers import InIntegers
from autoprune.deploy.load import FORMAT, MANIFEST, described
from autoprune.deploy.nir.proof import NirProof
from autoprune.deploy.onnx import OnnxProof
from autoprune.trial.measurement import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class OnMachine:
    """What a network is worth on a machine, with weights of at most its bits.

    Attributes:
        validation, test: with weights rounded to `accuracy_bits` bits.
        energy_uj, latency_us: of an inference; None where the machine defines none.
        priced_bits: of a weight there.
    """

    validation: Score
    test: Score
    accuracy_bits: int
    energy_uj: float | None
    latency_us: float | None
    priced_bits: int

    def to_dict(self) -> dict[str, object]:
        """Keys and values of a manifest."""
        return _with_scores({name: getattr(self, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Where a network comes from and what was measured, as it stands on record.

    Attributes:
        title: of the study. trial: its key. trained_as: the trial that was trained in its place.
        weights_trained_again: whether they had not been kept. seed: of its training.
        plan, data: in words. input: shape of what it is called with, the samples as ``B``.
        input_range: least and largest number in that, over `input_samples` validation samples.
        preparation: what made it of raw samples; None where only the study's own function knows.
        class_names: by label; none where nothing says so.
        time_steps: T. validation, test: with weights of `accuracy_bits` bits.
        parameters: that are not zero. effective_sops_per_sample: synaptic operations.
        machines: of the run, by name.
    """

    title: str
    trial: str
    trained_as: str
    weights_trained_again: bool
    seed: int
    plan: str
    data: str
    input: tuple[int | str, ...]
    input_range: tuple[float, float]
    input_samples: int
    preparation: Preparation | None
    class_names: tuple[str, ...]
    time_steps: int
    validation: Score
    test: Score
    accuracy_bits: int
    parameters: int
    effective_sops_per_sample: float
    machines: Mapping[str, OnMachine]

    def to_dict(self) -> dict[str, object]:
        """Keys and values of a manifest."""
        found = _with_scores({name: getattr(self, name) for name in self.__slots__})
        return {
            **found,
            "preparation": asdict(self.preparation) if self.preparation else None,
            "machines": {name: m.to_dict() for name, m in self.machines.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """How far folding batch norm moves a network.

    Attributes:
        samples: on which it was observed. max_abs_difference: of outputs.
        spikes_changed: of `spikes_compared`. validation, test: of the folded network.
    """

    samples: int
    max_abs_difference: float
    spikes_changed: int
    spikes_compared: int
    validation: Score
    test: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Bytes of the parent's and the network's file of weights, and of the latter's tensors."""

    parent_file: int
    network_file: int
    tensors_dense: int
    tensors_stored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What stands in manifest.json but for the list of files.

    Attributes:
        facts: of the trial. form: of the network. sizes: of its weights.
        fold: None where nothing was folded. onnx, nir: None where there is no such file.
        integers: what it scores in the integers of machines, where network.nir was written.
    """

    facts: Facts
    form: Form
    sizes: Sizes
    fold: Folding | None = None
    onnx: OnnxProof | None = None
    nir: NirProof | None = None
    integers: tuple[InIntegers, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Keys and values in the order in which they are written."""
        return {
            **self.facts.to_dict(),
            "versions": versions(),
            **({"fold": asdict(self.fold)} if self.fold else {}),
            **self.form.to_dict(),
            "bytes": asdict(self.sizes),
            **({"onnx": asdict(self.onnx)} if self.onnx else {}),
            **({"nir": asdict(self.nir)} if self.nir else {}),
            **({"integers": [_in_integers(one) for one in self.integers]} if self.nir else {}),
        }


def versions() -> dict[str, str]:
    """Versions of what made the folder, by name."""
    found = {"python": platform.python_version()}
    for name in ("torch", "spikingjelly", "safetensors", "autoprune"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def write_manifest(folder: Path, document: Mapping[str, object], files: Iterable[str]) -> None:
    """Write what `Manifest.to_dict` gives, with size and SHA-256 of every file."""
    listed = {name: described(folder / name) for name in sorted(files)}
    whole = {"autoprune_export": FORMAT, **document, "files": listed}
    (folder / MANIFEST).write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def _with_scores(values: dict[str, object]) -> dict[str, object]:
    return {k: _score(v) if isinstance(v, Score) else v for k, v in values.items()}


def _in_integers(found: InIntegers) -> dict[str, object]:
    return {**asdict(found), **_with_scores({k: getattr(found, k) for k in ("validation", "test")})}


def _score(score: Score) -> dict[str, object]:
    return {
        "score": score.name,
        "correct": score.correct,
        "total": score.total,
        "value": score.accuracy,
        "interval_95": list(score.interval),
    }
