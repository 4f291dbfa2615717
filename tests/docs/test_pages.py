"""Generated pages are up to date, and Sphinx makes a site of all of them."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest


@pytest.fixture
def script(root, monkeypatch):
    """Runs a script of `docs/` as its command does."""

    def run(name: str, out: Path) -> None:
        monkeypatch.setattr(sys, "argv", [name, "--out", str(out)])
        runpy.run_path(str(root / "docs" / name), run_name="__main__")

    return run


@pytest.mark.full
def test_the_pages_of_the_machines_are_up_to_date(root, tmp_path, script):
    """Else run ``python docs/machine_pages.py``."""
    script("machine_pages.py", tmp_path)
    pages = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    kept = root / "docs" / "machines"
    assert pages == {f.name: f.read_text(encoding="utf-8") for f in kept.iterdir()}
    assert "| 112283 | 112283 |" in pages["systolic.md"]


def test_the_keys_of_a_study_are_up_to_date(root, tmp_path, script):
    """Else run ``python docs/study_keys.py``, which fails for a key that nothing describes."""
    page = tmp_path / "study_keys.md"
    script("study_keys.py", page)
    kept = (root / "docs" / "study_keys.md").read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8") == kept


def test_sphinx_makes_a_site_without_a_warning_and_without_network(root, tmp_path):
    """Links between pages are among what it checks; sockets raise."""
    code = "import socket; socket.socket.connect = None; from sphinx.cmd.build import main; "
    code += f"raise SystemExit(main(['-q', '-W', {str(root / 'docs')!r}, {str(tmp_path)!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "study_keys.html").read_text(encoding="utf-8")
    assert "neuron_learning_rate" in page
    for file in (root / "docs").rglob("*.md"):
        built = tmp_path / file.relative_to(root / "docs").with_suffix(".html")
        title = file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        if file.name != "index.md":  # whose title is the README's
            assert f"<h1>{title}<" in built.read_text(encoding="utf-8"), file


def test_the_citation_is_of_this_version(root):
    cited = (root / "CITATION.cff").read_text(encoding="utf-8")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"\nversion: {project['version']}\n" in cited
    assert f"\nlicense: {project['license']}\n" in cited


def test_links_lead_somewhere(root):
    """README and CONTRIBUTING are no part of the site, whose links Sphinx checks."""
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (root / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            assert "://" in target or (root / target).exists(), f"{name}: {target}"
