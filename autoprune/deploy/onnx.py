"""Write a network as ONNX, all time steps unrolled, and run it by onnxruntime."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.compress.registry import methods
from autoprune.errors import ExportError, InputError

NEEDED = ("onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxProof:
    """What onnxruntime computed beside the network.

    Attributes:
        samples: that both were run on, one at a time.
        max_abs_difference: of what they returned.
    """

    samples: int
    max_abs_difference: float


def check_onnx() -> None:
    """InputError where the libraries are not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise InputError(
            "--onnx",
            f"{', '.join(missing)} not installed",
            "the extra that holds them: pip install 'autoprune[onnx]'",
        )


def write_onnx(network: nn.Module, samples: Sequence[Tensor], file: Path) -> OnnxProof:
    """Write one inference of `network` to `file` and compare both on `samples`, one by one.

    Raises ExportError where the network cannot be written, or a prediction differs.
    """
    check_onnx()
    plain = copy.deepcopy(network).eval()
    for path, module in list(plain.named_modules()):
        for method in methods():
            written = method.surgery().plain(module)
            if written is not None:
                plain.set_submodule(path, written)
    functional.invalidate_reset_cache(plain)
    functional.reset_net(plain)
    try:
        _export(plain, samples[0], file)
    except Exception as error:  # the exporter raises errors of many kinds
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ExportError(f"--onnx: {type(network).__name__} cannot be written: {reason[0]}") from (
            error
        )
    return _compared(network, samples, file)


def _export(plain: nn.Module, sample: Tensor, file: Path) -> None:
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            # of neurons' states, which a reset sets again, and of torch's own deprecations
            warnings.simplefilter("ignore")
            program = torch.onnx.export(plain, (sample,), dynamo=True, verbose=False)
            assert program is not None
            program.save(str(file), external_data=False)
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _compared(network: nn.Module, samples: Sequence[Tensor], file: Path) -> OnnxProof:
    onnxruntime = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    largest = 0.0
    for index, sample in enumerate(samples):
        functional.reset_net(network)
        with torch.inference_mode():
            wanted = network(sample)
        found = torch.from_numpy(session.run(None, {name: sample.numpy()})[0])
        if found.shape != wanted.shape or not torch.equal(_class(found), _class(wanted)):
            raise ExportError(f"--onnx: onnxruntime predicts another class on sample {index}")
        largest = max(largest, float((found - wanted).abs().max()))
    functional.reset_net(network)
    return OnnxProof(samples=len(samples), max_abs_difference=largest)


def _class(out: Tensor) -> Tensor:
    return (out.mean(0) if out.ndim == 3 else out).argmax(-1)
