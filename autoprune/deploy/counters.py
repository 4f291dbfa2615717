"""Energy counters of the computer at hand: RAPL of a CPU, NVML of a GPU; or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows RAPL's domains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """An energy counter.

    Attributes:
        name: what is counted. read: joules since some moment.
        wraps: joules after which it begins again at 0; 0 where it does not.
    """

    name: str
    read: Callable[[], float]
    wraps: float = 0.0

    def between(self, before: float, after: float) -> float:
        """Joules between two readings, less than `wraps` of them."""
        return after - before + (self.wraps if after < before else 0.0)


def find_counter(device: str, powercap: Path = POWERCAP) -> tuple[Counter | None, str]:
    """The counter of a device; where there is none None, and why.

    RAPL counts all CPU packages, and NVML a whole GPU: whatever else runs there is in it.
    """
    return _nvml() if device == "cuda" else _rapl(powercap)


def _rapl(powercap: Path) -> tuple[Counter | None, str]:
    packages = sorted(
        folder
        for folder in powercap.glob("intel-rapl:*")
        if folder.name.count(":") == 1 and (folder / "energy_uj").is_file()
    )
    if not packages:
        return None, f"no energy counter: {powercap} shows no RAPL domain of a CPU package"
    try:
        wraps = sum(_microjoules(folder / "max_energy_range_uj") for folder in packages)
        for folder in packages:
            _microjoules(folder / "energy_uj")
    except (OSError, ValueError) as error:
        return None, f"no energy counter: RAPL cannot be read ({error})"

    def read() -> float:
        return sum(_microjoules(folder / "energy_uj") for folder in packages)

    # with several packages one of them may wrap alone, which cannot be told from their sum
    return Counter(
        name=f"RAPL, {len(packages)} CPU packages",
        read=read,
        wraps=wraps if len(packages) == 1 else 0.0,
    ), ""


def _microjoules(file: Path) -> float:
    return int(file.read_text(encoding="ascii")) * 1e-6


def _nvml() -> tuple[Counter | None, str]:
    try:
        nvml = import_module("pynvml")
    except ImportError:
        return None, "no energy counter: the package pynvml is not installed"
    try:
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByIndex(0)
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except nvml.NVMLError as error:
        return None, f"no energy counter: NVML says {error}"
    return Counter(
        name="NVML, GPU 0",
        read=lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle) * 1e-3,
    ), ""
