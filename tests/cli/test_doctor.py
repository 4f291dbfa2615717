"""`autoprune doctor` finds what is broken, and says what to do."""

from __future__ import annotations

import importlib
import json
from importlib.metadata import requires
from types import SimpleNamespace

import pytest

from autoprune.sweep import doctor


@pytest.mark.full
@pytest.mark.ray
def test_a_working_installation(autoprune, no_ray, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("AUTOPRUNE_CACHE", str(tmp_path / "cache"))
    said = autoprune("doctor", "--json")
    assert said.code == 0, said
    found = {finding["subject"]: finding for finding in json.loads(said.out)}
    assert {"torch", "optuna", "click", "import torch", "Ray", "GPU", "threads"} <= found.keys()
    assert "ran a task in process" in found["Ray"]["found"]
    assert found["cache"]["found"] == f"{tmp_path / 'cache'}, writable"
    assert not (tmp_path / "cache").exists()
    assert {
        found[f"import {name}"]["level"] for name in ("torchaudio", "spikingjelly.datasets")
    } == {"ok"}
    assert "sphinx" not in found, "of an extra"


def test_a_broken_one(autoprune, monkeypatch, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTOPRUNE_DATA", str(tmp_path / "file" / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "4096")
    little = SimpleNamespace(available=2**30, free=2**29)
    monkeypatch.setattr(doctor, "psutil", SimpleNamespace(virtual_memory=lambda: little))
    monkeypatch.setattr(doctor, "shutil", SimpleNamespace(disk_usage=lambda place: little))

    def old_driver() -> bool:
        raise RuntimeError("the driver is too old")

    monkeypatch.setattr("torch.cuda.is_available", old_driver)
    needed = [*(requires("autoprune") or ()), "torch<1", "no-such-package-here>=3"]
    monkeypatch.setattr(doctor, "requires", lambda name: needed)

    def broken(name: str):
        def no_ray():
            raise RuntimeError("no port is free")

        if name.startswith("spikingjelly"):
            raise ImportError("undefined symbol")
        if name == "autoprune.sweep.ray.cluster":
            return SimpleNamespace(try_ray=no_ray)
        return importlib.import_module(name)

    monkeypatch.setattr(doctor, "importlib", SimpleNamespace(import_module=broken))
    said = autoprune("doctor")
    assert said.code == 1
    lines = said.out.splitlines()

    def remedy(start: str) -> str:
        [place] = [n for n, line in enumerate(lines) if line.startswith(start)]
        return lines[place + 1]

    assert remedy("error    no-such-package-here: not installed").endswith(
        "pip install 'no-such-package-here>=3'"
    )
    [line] = [line for line in lines if line.endswith("needed <1")]
    assert line.startswith("error    torch: ")
    repair = remedy("error    import spikingjelly.datasets: ImportError: undefined")
    assert "fresh environment" in repair and "pip install 'torch" in repair
    assert "--workers 0" in remedy("error    Ray: RuntimeError: no port is free")
    assert "4096" in next(line for line in lines if line.startswith("warning  threads"))
    assert "another folder" in remedy("error    data: ")
    assert remedy("warning  memory: 1.0 GiB free").endswith("fewer workers")
    assert "larger" in remedy("warning  /dev/shm: 0.5 GiB free")
    assert "CUDA_VISIBLE_DEVICES" in remedy("warning  GPU: the driver is too old")
