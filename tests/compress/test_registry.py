"""Methods are known by name, once each: ours, installed ones, and those that a study names."""

from __future__ import annotations

import os
import subprocess
import sys

from autoprune.compress.method import STAGES
from autoprune.compress.registry import in_stages, methods

CODE = """
from autoprune.compress.methods.l1p import L1P
from autoprune.compress.setting import Setting


class Installed(L1P.__base__):
    name = "installed"
    stage = "dimensions"
    settings = (Setting(name="installed", kinds=("branch",), means="", neutral=0.0),)

    def part(self, given, before, effort): ...

    def surgery(self): ...
"""


def test_methods_act_in_the_order_of_their_stages():
    stages = [STAGES.index(method.stage) for method in in_stages()]
    assert stages == sorted(stages)
    expected = "dsp dsp_matrix nm l1p slif weight_bits"
    assert [method.name for method in in_stages()] == expected.split()
    assert {method.name for method in methods()} == {method.name for method in in_stages()}


def test_a_package_offers_methods_by_an_entry_point(tmp_path):
    (tmp_path / "own_package.py").write_text(CODE, encoding="utf-8")
    info = tmp_path / "own_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: own-package\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        "[autoprune.methods]\ninstalled = own_package:Installed\n", encoding="utf-8"
    )
    code = "from autoprune.compress.parameter import Parameter; "
    code += "from autoprune.compress.registry import in_stages; "
    code += "print(Parameter.parse('blocks.0.mlp.installed'), *(m.name for m in in_stages()))"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = "blocks.0.mlp.installed dsp dsp_matrix installed nm l1p slif weight_bits"
    assert done.stdout.split() == expected.split()
