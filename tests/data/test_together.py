"""torchvision and torchaudio that were built for another torch: said before anything trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoprune.data import together
from autoprune.data.load import NamedData
from autoprune.data.spec import DataSpec
from autoprune.errors import InputError

DECLARED = ["torch<3,>=2", "click>=8", "torchvision>=0.2", "torchaudio>=2"]


@pytest.fixture
def broken(monkeypatch):
    """What libraries raise that were built for another."""

    def raises(module: str):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(together, "import_module", raises)
    monkeypatch.setattr(together, "requires", lambda name: DECLARED)


@pytest.mark.parametrize(
    ("name", "module"),
    [("cifar10", "torchvision"), ("imagefolder", "torchvision"), ("mnist", "torchvision")],
)
def test_a_data_set_says_what_it_takes_does_not_work(broken, name, module) -> None:
    with pytest.raises(InputError, match=f"data {name}: {module} cannot be .*nms does not exist"):
        NamedData(DataSpec(name=name), Path())


def test_a_data_set_that_takes_neither_works(broken) -> None:
    assert NamedData(DataSpec(name="digits"), Path()).about.classes == 10


def test_event_cameras_take_torchaudio_as_well(monkeypatch) -> None:
    taken: list[str] = []
    monkeypatch.setattr(together, "import_module", taken.append)
    NamedData(DataSpec(name="cifar10dvs"), Path())
    assert taken == ["torchvision", "spikingjelly.datasets"], "which imports torchaudio"


@pytest.mark.parametrize(
    ("installed", "options"),
    [
        ("2.11.0", ""),
        ("2.13.0+cpu", "--force-reinstall --index-url https://download.pytorch.org/whl/cpu "),
    ],
)
def test_the_line_that_repairs_it(monkeypatch, installed, options) -> None:
    monkeypatch.setattr(together, "requires", lambda name: DECLARED)
    monkeypatch.setattr(together, "version", {"torch": installed}.__getitem__)
    line = f"pip install {options}'torch<3,>=2' 'torchvision>=0.2' 'torchaudio>=2'"
    assert together.built_together().endswith(f": {line}")
