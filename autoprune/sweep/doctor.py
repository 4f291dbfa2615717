"""Doctor: whether what autoprune needs is here and works, and what to do where it does not."""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

import psutil
from packaging.requirements import Requirement

from autoprune.data.folders import cache_folder, data_folder
from autoprune.data.together import TOGETHER, built_together
from autoprune.errors import InputError
from autoprune.files import GIB

Level = Literal["ok", "warning", "error"]

_MEMORY_GIB = 4
_SHARED_GIB = 1
_WITHOUT_RAY = "--workers 0 runs without Ray"
_SPIKINGJELLY = ("spikingjelly.activation_based.neuron", "spikingjelly.datasets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one look came to.

    Attributes:
        subject: what was looked at. level: how bad it is. found: in words.
        remedy: what to do; empty where all is well.
    """

    subject: str
    level: Level
    found: str
    remedy: str = ""


def examine(watch: Callable[[Finding], None]) -> list[Finding]:
    """Look at everything, one after the other, and tell `watch`; Ray is started and ended."""
    found = []
    for finding in _findings():
        watch(finding)
        found.append(finding)
    return found


def _findings() -> Iterator[Finding]:
    yield from versions()
    for module in (*TOGETHER, *_SPIKINGJELLY):
        yield _import(module)
    yield _threads()
    yield _memory()
    yield _shared_memory()
    yield _gpu()
    yield _ray()
    yield writable("cache", cache_folder())
    yield writable("data", data_folder())


def versions() -> Iterator[Finding]:
    """Every package that autoprune declares, against the versions that it declares."""
    for line in requires("autoprune") or ():
        needed = Requirement(line)
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        remedy = f"pip install '{needed.name}{needed.specifier}'"
        try:
            found = version(needed.name)
        except PackageNotFoundError:
            yield Finding(subject=needed.name, level="error", found="not installed", remedy=remedy)
            continue
        if needed.specifier.contains(found, prereleases=True):
            yield Finding(subject=needed.name, level="ok", found=found)
        else:
            said = f"{found}, needed {needed.specifier}"
            yield Finding(subject=needed.name, level="error", found=said, remedy=remedy)


def _import(module: str) -> Finding:
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - whatever a broken library raises
        return Finding(
            subject=f"import {module}",
            level="error",
            found=f"{type(error).__name__}: {error}",
            remedy=f"{built_together()}; where that does not help, reinstall autoprune in a fresh "
            "environment",
        )
    return Finding(subject=f"import {module}", level="ok", found="works")


def _threads() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    asked = os.environ.get("OMP_NUM_THREADS")
    said = f"{cores} cores, OMP_NUM_THREADS {asked or 'not set'}"
    if asked and asked.isdecimal() and int(asked) > (cores or 1):
        remedy = f"set it to {cores} at most; a trial takes what its study says (threads)"
        return Finding(subject="threads", level="warning", found=said, remedy=remedy)
    return Finding(subject="threads", level="ok", found=said)


def _memory() -> Finding:
    free = psutil.virtual_memory().available / GIB
    said = f"{free:.1f} GiB free"
    if free < _MEMORY_GIB:
        return Finding(subject="memory", level="warning", found=said, remedy="fewer workers")
    return Finding(subject="memory", level="ok", found=said)


def _shared_memory() -> Finding:
    place = Path("/dev/shm")
    if not place.is_dir():
        return Finding(subject="/dev/shm", level="ok", found="none here; Ray uses files")
    free = shutil.disk_usage(place).free / GIB
    said = f"{free:.1f} GiB free"
    if free < _SHARED_GIB:
        remedy = "a larger one (docker run --shm-size=4g); Ray is slow without"
        return Finding(subject="/dev/shm", level="warning", found=said, remedy=remedy)
    return Finding(subject="/dev/shm", level="ok", found=said)


def _gpu() -> Finding:
    try:
        torch = importlib.import_module("torch")
        there = torch.cuda.is_available()
        said = torch.cuda.get_device_name() if there else "none; studies run on the processor"
    except Exception as error:  # noqa: BLE001 - a driver that does not fit, or no torch
        remedy = "a driver that fits torch, or CUDA_VISIBLE_DEVICES= to go without"
        return Finding(subject="GPU", level="warning", found=str(error), remedy=remedy)
    return Finding(subject="GPU", level="ok", found=said)


def _ray() -> Finding:
    try:
        said = importlib.import_module("autoprune.sweep.ray.cluster").try_ray()
    except InputError as error:  # which says itself what to do
        return Finding(subject="Ray", level="error", found=str(error), remedy=_WITHOUT_RAY)
    except Exception as error:  # noqa: BLE001 - whatever Ray raises when it cannot start
        said = f"{type(error).__name__}: {error}"
        remedy = f"look into /tmp/ray/session_latest/logs; {_WITHOUT_RAY}"
        return Finding(subject="Ray", level="error", found=said, remedy=remedy)
    return Finding(subject="Ray", level="ok", found=said)


def writable(name: str, path: Path) -> Finding:
    """Whether a file can be made in a folder, or in the folder in which it would be made."""
    place = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        said = f"{path}: cannot be written ({error.strerror})"
        remedy = "another folder, or the right to write there"
        return Finding(subject=name, level="error", found=said, remedy=remedy)
    return Finding(subject=name, level="ok", found=f"{path}, writable")
