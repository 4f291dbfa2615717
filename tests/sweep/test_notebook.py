"""In a notebook a run shows by itself how far it is, in an output that is redrawn."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from autoprune.sweep import notebook
from autoprune.sweep.progress import Nobody, SearchProgress


@pytest.fixture
def shown(monkeypatch) -> list[str]:
    """What the cell's output is, one after the other."""
    said: list[str] = []

    def display(data, **how):
        said.append(data["text/plain"])
        return SimpleNamespace(update=lambda data, raw: said.append(data["text/plain"]))

    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    monkeypatch.setattr(notebook, "in_notebook", lambda: True)
    return said


def test_a_cell_shows_how_far_a_run_is_and_is_empty_at_its_end(shown, capsys) -> None:
    with notebook.usual_observer() as observer:
        observer.measuring(1, 5)
        observer.progress(
            SearchProgress(
                done=3, trials=10, running=2, states={}, best=0.97, fronts={"loihi1": []}
            )
        )
    assert "Baselines" in shown[1] and "1/5" in shown[1]
    assert "Trials" in shown[2] and "3/10 2 running" in shown[2]
    assert shown[0] == shown[-1] == ""
    assert capsys.readouterr().out == "", "no lines as in a log beside it"


def test_a_cell_counts_trainings(shown) -> None:
    with pytest.raises(KeyboardInterrupt), notebook.usual_count("networks trained") as watch:
        watch(7, 111)
        raise KeyboardInterrupt
    assert shown == ["", "7 of 111 networks trained", ""]


def test_elsewhere_nobody_watches(capsys) -> None:
    with notebook.usual_observer() as observer, notebook.usual_count("networks trained") as watch:
        watch(7, 111)
    assert isinstance(observer, Nobody)
    assert capsys.readouterr().out == ""
