"""What the README shows works as it stands there."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from autoprune.cli.main import cli
from autoprune.config import bundled_names, validate
from autoprune.cost.contract import check_contract
from autoprune.cost.load import FAMILIES, load_machine
from autoprune.runs.budget import parse_budgets
from autoprune.study.study import load_study
from autoprune.trial.spec import ComputeSpec
from tests.short import NETWORK, write_short


def blocks(readme: str, language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", readme, flags=re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


def test_the_machine_in_ten_lines(pages, tmp_path):
    text = next(text for text in blocks(pages, "toml") if "family" in text)
    assert len([line for line in text.splitlines() if line]) <= 10
    (tmp_path / "my_chip.toml").write_text(text, encoding="utf-8")
    check_contract(load_machine(str(tmp_path / "my_chip.toml")))


def test_what_a_trial_reserves(pages):
    text = next(text for text in blocks(pages, "toml") if "gpu_fraction" in text)
    spec = validate(ComputeSpec, tomllib.loads(text)["compute"], "README")
    assert (spec.cpus, spec.memory_gib, spec.gpu_fraction) == (2, 8.0, 0.25)


def test_what_a_trial_may_take(pages):
    text = next(text for text in blocks(pages, "toml") if "retries" in text)
    spec = validate(ComputeSpec, tomllib.loads(text)["compute"], "README")
    assert (spec.retries, spec.trial_minutes, spec.memory_gib) == (3, 30, 8.0)


def test_what_a_search_is_asked_for(pages, root, tmp_path):
    """The README's lines in the place of those of the bundled study."""
    text = next(text for text in blocks(pages, "toml") if "stop_below" in text)
    head, search = text.split("[search]")
    study = (root / "studies" / "digits.toml").read_text(encoding="utf-8")
    study = study[: study.index("[search]")].replace("trials = 48\n", head) + "[search]" + search
    (tmp_path / "study.toml").write_text(study, encoding="utf-8")
    spec, _, _ = load_study(str(tmp_path / "study.toml"))
    assert (spec.trials, spec.warm_start, spec.search.stop_below) == (96, "runs/digits", 0.002)
    assert [b.metric for b in parse_budgets(spec.budgets, "README")] == [
        "accuracy",
        "energy_uj@loihi1",
        "parameters",
    ]


def own_machine(pages: str, folder: Path) -> None:
    """Write the README's class and its file into a folder."""
    code = next(text for text in blocks(pages, "python") if "class WideMemory" in text)
    own = code[code.index("class WideMemory") :]
    assert len([line for line in own.splitlines() if line]) <= 20
    (folder / "wide_memory.py").write_text(code, encoding="utf-8")
    text = next(text for text in blocks(pages, "toml") if "wide_memory:WideMemory" in text)
    (folder / "wide_chip.toml").write_text(text, encoding="utf-8")


def command(*arguments: object, folder: Path, **environment: str) -> str:
    """What `autoprune ARGUMENTS` prints in a folder, in a process of its own."""
    done = subprocess.run(
        [Path(sys.executable).with_name("autoprune"), *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "AUTOPRUNE_CACHE": str(folder / "cache"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.full
def test_a_machine_of_ones_own_physics(pages, tmp_path):
    own_machine(pages, tmp_path)
    said = command("check", "wide_chip.toml", "--import", folder=tmp_path)
    assert said.count("  pass  ") == 15
    assert "a correct machine" in said
    said = command("show", "wide_chip.toml", "--import", folder=tmp_path)
    assert "Every event fetches its row" in said


PACKAGE = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "wide-machines"
version = "1"
"""


def test_a_family_of_an_installed_package(pages, tmp_path):
    """A second package is built and installed by pip; its family is known by its name alone."""
    own_machine(pages, tmp_path)
    source = tmp_path / "source" / "my_package"
    source.mkdir(parents=True)
    (tmp_path / "wide_memory.py").rename(source / "wide_memory.py")
    entry = next(text for text in blocks(pages, "toml") if "entry-points" in text)
    project = f'{PACKAGE}{entry}[tool.hatch.build]\ninclude = ["my_package"]\n'
    (source.parent / "pyproject.toml").write_text(project, encoding="utf-8")
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", site, source.parent], check=True, capture_output=True)
    chip = (tmp_path / "wide_chip.toml").read_text(encoding="utf-8")
    chip = chip.replace('"wide_memory:WideMemory"', '"wide_memory"')
    (tmp_path / "wide_chip.toml").write_text(chip, encoding="utf-8")
    said = command("check", "wide_chip.toml", "--import", folder=tmp_path, PYTHONPATH=str(site))
    assert said.count("  pass  ") == 15
    listed = command("list", folder=tmp_path, PYTHONPATH=str(site))
    assert re.search(r"wide_memory +my_package\.wide_memory:WideMemory", listed)


@pytest.mark.slow
@pytest.mark.ray
def test_a_network_of_ones_own_on_ray(pages, short_study, tmp_path):
    """The README's network, adapter, study and machine, from a folder of their own, as a user
    runs them; the machine's energy is an objective.
    """
    code = next(text for text in blocks(pages, "python") if "class MyAdapter" in text)
    adapter = code[code.index("class MyAdapter") :]
    assert len([line for line in adapter.splitlines() if line]) <= 20
    network = next(text for text in blocks(pages, "toml") if "my_network" in text)
    (tmp_path / "my_network.py").write_text(code, encoding="utf-8")
    short_study(
        # of as many time steps as the short space offers
        (NETWORK, network.replace("time_steps = 4", "time_steps = 3")),
        ('"ops45_fp32"]', '"ops45_fp32", "wide_chip.toml"]'),
        ("energy_uj@loihi1", "energy_uj@wide_chip"),
    ).rename(tmp_path / "my_study.toml")
    own_machine(pages, tmp_path)
    said = command("run", "my_study.toml", "--trials", "3", folder=tmp_path)
    assert "3 plans measured, 0 duplicates, 0 failed" in said
    assert re.search(r"^ wide_chip +\d", said, re.MULTILINE)
    # the run's own copy of the machine finds the class where it lay
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    again = command(
        "front", "../runs/my_study", "--machine", "wide_chip", "--import", folder=elsewhere
    )
    assert again.startswith("wide_chip: front of")


WORDS = """
title = "What the words of an adapter are for"
[branch.mixer]
l1p = { values = [0.0, 0.5] }
[branch.attention]
dsp = { values = [0.125, 1.0] }
[neuron]
threshold = { values = ["fixed", "channel"] }
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("SSA", "SSA", "blocks.0.mixer.l1p*Measured with weights"),
        (
            "        local=LocalSSA,\n",
            "",
            "with blocks.0.attention.dsp = 0.125 alone*y.reshape(sha",
        ),
        (
            "a.proj_conv.in_channels, 1)",
            "16,)",
            "what 'attn_lif' learns per channel, of shape (16,)",
        ),
        (', residual="inside"', "", "with blocks.0.attention.dsp = 0.0 alone*IndexError"),
    ],
)
def test_the_words_of_an_adapter_are_needed(pages, tmp_path, monkeypatch, old, new, words):
    """The page's network in a dry run, as it stands and with a word left out or a wrong one."""
    code = next(text for text in blocks(pages, "python") if "class PublicAdapter" in text)
    network = next(text for text in blocks(pages, "toml") if "public_network" in text)
    name = f"public_{secrets.token_hex(4)}"
    assert old in code
    (tmp_path / f"{name}.py").write_text(code.replace(old, new), encoding="utf-8")
    (tmp_path / "words.toml").write_text(WORDS, encoding="utf-8")
    network = network.replace("public_network", name)
    write_short(tmp_path, (NETWORK, network), ("short_space.toml", "words.toml"))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["run", "study.toml", "--workers", "0", "--dry-run"])
    said = done.output + str(done.exception or "")
    assert re.search(".*".join(map(re.escape, words.split("*"))), said, re.DOTALL), said


@pytest.mark.full
def test_data_and_a_score_of_ones_own(pages, root, desk):
    """The page's module and its lines of a study, in the place of those of the short study."""
    lines = next(text for text in blocks(pages, "toml") if "my_data" in text)
    head, functions = lines.split("[functions]")
    study = (desk / "digits.toml").read_text(encoding="utf-8")
    study = re.sub(r"^(data|objectives) = .*\n", "", study, flags=re.MULTILINE)
    (desk / "low.toml").write_text(f"{head}{study}\n[functions]{functions}", encoding="utf-8")
    said = CliRunner().invoke(cli, ["run", "low.toml", "--trials", "1"])
    assert said.exit_code == 0, said.output
    assert "images of 1 x 8 x 8, 4 classes" in said.output
    assert "val_top2" in (desk / "runs/low/fronts/loihi1/front.csv").read_text(encoding="utf-8")


def test_so_many_families_and_machines_ship(readme):
    shipped = f"{len(bundled_names('cost_models'))} machines of {len(FAMILIES)} families ship"
    assert shipped in readme


def test_the_tree_is_the_packages_tree(readme, root):
    tree = next(block for block in blocks(readme, "text") if block.startswith("autoprune/"))
    files = {path.name for path in (root / "autoprune").iterdir()} - {"__init__.py", "__pycache__"}
    for name in files - {"_bundled"}:
        assert name in tree, name


def test_pictures_are_there(readme, root):
    for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", readme):
        assert (root / target).stat().st_size > 10_000
