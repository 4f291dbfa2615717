"""The notebooks, executed one after the other as a user does: the second opens the first's run."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

NAMES = ["first_sweep.ipynb", "own_machine.ipynb"]


def notebook(root, name):
    return nbformat.read(root / "docs" / "notebooks" / name, as_version=4)


@pytest.mark.ray
@pytest.mark.slow
def test_the_notebooks_run(root, tmp_path):
    shown = {}
    for name in NAMES:
        client = NotebookClient(notebook(root, name), resources={"metadata": {"path": tmp_path}})
        done = client.execute()
        kinds = [
            kind
            for cell in done.cells
            for out in cell.get("outputs", ())
            for kind in out.get("data", ())
        ]
        shown[name] = kinds
    assert (tmp_path / "runs" / "first_sweep" / "fronts" / "loihi1" / "front.csv").is_file()
    for kinds in shown.values():
        assert "text/html" in kinds  # a data frame
        assert "application/vnd.plotly.v1+json" in kinds


def test_all_notebooks_are_executed_and_kept_without_outputs(root):
    assert sorted(file.name for file in (root / "docs" / "notebooks").iterdir()) == NAMES
    for name in NAMES:
        code = [cell for cell in notebook(root, name).cells if cell.cell_type == "code"]
        assert len(code) > 3
        assert all(not cell.outputs and cell.execution_count is None for cell in code)
