"""Every block of README and pages is executed; one of a kind that is not known here fails.

The commands and code stand on a short run in place of the bundled study's, whose trials they name.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import autoprune
from autoprune.api import prepare_run
from autoprune.cli.main import cli
from autoprune.compress.space import SearchSpace
from autoprune.config import find_file, read_toml, validate
from autoprune.cost.load import load_machine
from autoprune.errors import InputError
from autoprune.runs.budget import parse_budgets
from autoprune.study.study import Study

KINDS = {
    "bash": "each command is run, or parsed where NOT_RUN says why",
    "python": "executed",
    "toml": "loaded, as a machine, or as lines of a study or a search space",
    "csv": "a file that a command beside it reads",
    "text": "what a command prints, or the tree of files; see WHO_CHECKS",
    "{toctree}": "built by Sphinx with warnings as errors",
    "{include}": "the README's beginning, built by Sphinx as well",
}

WHO_CHECKS = {
    "README.md": "test_the_tree_is_the_packages_tree",
    "docs/reading_a_front.md": "test_what_a_front_looks_like",
    "docs/first_sweep.md": "test_what_the_branches_look_like",
    "docs/machines": "test_the_pages_of_the_machines_are_up_to_date",
    "docs/own_method.md": "test_the_page_shows_what_check_prints",
}
"""What makes sure of a text, by page or folder."""

NOT_RUN = {
    "pip install": "installs from a registry; .ci/run does it in a fresh environment",
    "autoprune run digits": "minutes; test_the_bundled_study_as_it_stands, slow, does it",
    "autoprune run my_study.toml --address": "needs a cluster; tests/sweep starts one",
    "python benchmarks/": "minutes to hours; tests/benchmarks runs each, smaller",
    "autoprune doctor": "looks at everything; tests/cli/test_doctor.py runs it",
    "nox": "checks of the code, not of the pages; tests/docs/test_habits.py knows each session",
    "pre-commit install": "changes the repository; its hooks are checks of the code",
    "pytest": "the tests themselves",
}
"""Commands that are parsed alone, by how they begin."""

ON_THE_SHORT_RUN = {
    r"\b53\b": "3",
    r"--seeds 3": "--seeds 1",
    r"0\.9\b": "0.1",
    r"run digits (--quiet|--json-lines)": r"run ./digits.toml --trials 4 \1",
}
"""What the short run has in place of what the bundled study has: trials, seeds, an accuracy, and
the study itself, where a command goes on with it."""


def short(text: str) -> str:
    for pattern, own in ON_THE_SHORT_RUN.items():
        text = re.sub(pattern, own, text)
    return text


def test_every_block_is_of_a_known_kind(blocks):
    assert {b.kind for b in blocks} <= set(KINDS), [b for b in blocks if b.kind not in KINDS]
    assert len(blocks) > 20


def test_every_text_has_who_checks_it(blocks):
    pages = {block.page for block in blocks if block.kind == "text"}
    assert {page for page in pages if not page.startswith(tuple(WHO_CHECKS))} == set()


def test_no_code_hides_in_an_indented_block(pages):
    """Which the walk would not find: four spaces behind an empty line, no list before."""
    outside = re.sub(r"^```.*?^```$", "", pages, flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^[^-\s].*\n\n {4}\S.*", outside, flags=re.MULTILINE) == []


def test_every_benchmark_that_a_page_names_is_smoke_tested(pages, root):
    files = ("benchmarks/test_benchmarks.py", "report/page/test_page.py")
    smoked = "".join((root / "tests" / file).read_text(encoding="utf-8") for file in files)
    names = set(re.findall(r"benchmarks/(\w+\.py)", pages))
    assert len(names) > 5
    for name in names:
        assert (root / "benchmarks" / name).exists(), name
        assert f'"{name}"' in smoked, name


def test_every_reason_has_its_command(shell_lines):
    for start in NOT_RUN:
        assert any(line.startswith(start) for line in shell_lines), start


def parse(words: list[str]) -> None:
    """The command exists and takes these arguments; click raises UsageError else."""
    command = cli.get_command(None, words[1])  # type: ignore[arg-type]
    assert command is not None, words
    command.make_context(words[1], words[2:])


def test_a_command_runs(shell_line, desk, no_ray):
    line = short(shell_line)
    words = shlex.split(line)
    if line.startswith(tuple(NOT_RUN)):
        if words[0] == "autoprune":
            parse(words)
        return
    assert words[0] == "autoprune", f"neither run nor in NOT_RUN: {shell_line}"
    done = CliRunner().invoke(cli, words[1:])
    assert done.exit_code == 0, done.output


def test_python_runs(python_block, desk, monkeypatch):
    """What would train for minutes is checked whole, and the short run stands for its result."""

    def run(study, **options):
        prepare_run(study, **options)
        return autoprune.open_run("runs/digits")

    monkeypatch.setattr(autoprune, "run", run, raising=False)
    exec(compile(short(python_block.text), python_block.page, "exec"), {"__name__": "page"})


def merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`own` over `base`, tables key by key; a network is replaced whole."""
    both = dict(base)
    for key, value in own.items():
        inner = isinstance(value, dict) and isinstance(base.get(key), dict) and key != "network"
        both[key] = merged(base[key], value) if inner else value
    return both


def test_toml_is_taken(toml_block, desk):
    content = tomllib.loads(toml_block.text)
    if "family" in content:
        assert toml_block.file, "a machine's block has its file named before it"
        assert load_machine(str(desk / toml_block.file)).machine.prices
    elif "project" in content:  # installed by test_a_family_of_an_installed_package
        assert set(content["project"]["entry-points"]) == {"autoprune.cost_models"}
    elif set(content) <= set(Study.model_fields):
        base = read_toml(find_file("studies", "digits"))
        study = validate(Study, merged(base, content), toml_block.page)
        parse_budgets(study.budgets, toml_block.page)
        study.compression.check_options(toml_block.page, imports=True)
    else:
        validate(SearchSpace, content, toml_block.page)


def test_a_misspelt_key_of_a_page_would_be_found(desk):
    base = read_toml(find_file("studies", "digits"))
    with pytest.raises(InputError, match="retry"):
        validate(Study, merged(base, {"compute": {"retry": 3}}), "page")


def check_options(name: str, arguments: str) -> None:
    """The command exists, and has these options."""
    command = cli.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None, name
    known = {option for param in command.params for option in param.opts}
    given = {word.partition("=")[0] for word in arguments.split() if word.startswith("--")}
    assert given <= known, (name, given - known)


def test_commands_in_the_text_exist_with_their_options(pages):
    """Also within a line, such as `autoprune run NAME --dry-run`."""
    found = re.findall(r"`autoprune ([a-z]+)((?: [^`]*)?)`", pages)
    assert len(found) > 10
    for name, arguments in found:
        check_options(name, arguments)


def test_examples_of_the_help_texts_exist_with_their_options():
    texts = [cli.help or ""]
    for name in cli.list_commands(None):  # type: ignore[arg-type]
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        texts.append(command.help or "" if command else "")
    found = re.findall(r"^ *autoprune ([a-z]+)(.*)$", "\n".join(texts), flags=re.MULTILINE)
    assert len(found) > 20
    for name, arguments in found:
        check_options(name, arguments)


def heads(text: str) -> list[list[str]]:
    """The words of tables' heads as printed, which stand above a rule; without a page's ①."""
    lines = [re.sub(r" *[①-⑳]$", "", line) for line in text.splitlines()]
    rules = [i for i, line in enumerate(lines) if i and set(line.strip()) == {"─"}]
    # the unit of energy is the one that suits a run
    heads = (re.sub(r"\b[pnµm]J\b", "J", lines[i - 1].strip()) for i in rules)
    return [head.split() for head in heads]


def without_worth(head: list[str]) -> list[str]:
    """As of a run of fewer than 12 trials, which expects nothing; there `test` is `test %`."""
    return [word for word in head if word not in ("worth", "P", "%")]


def test_what_a_front_looks_like(blocks, desk):
    """Not its numbers: those are the bundled study's."""
    shown = next(
        b.text for b in blocks if b.page.endswith("reading_a_front.md") and "front of" in b.text
    )
    said = CliRunner().invoke(cli, ["front", "runs/digits", "--machine", "loihi1"]).output
    known = [without_worth(head) for head in heads(said)]
    assert heads(shown)
    # a run of another width has more columns, or fewer
    assert [
        h for h in map(without_worth, heads(shown)) if not any({*h} <= {*k} for k in known)
    ] == []


def test_what_the_branches_look_like(blocks, desk):
    shown = next(b.text for b in blocks if b.page.endswith("first_sweep.md") and b.kind == "text")
    said = (desk / "said.txt").read_text(encoding="utf-8")
    assert heads(shown) and heads(shown)[0] in heads(said)


@pytest.mark.ray
@pytest.mark.slow
def test_the_bundled_study_as_it_stands(tmp_path, monkeypatch, blocks, root):
    """The README's and the first sweep's commands and code, on the run that they name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for block in blocks:
        if block.file:
            (Path(tmp_path) / block.file).write_text(block.text, encoding="utf-8")
    done = CliRunner().invoke(cli, ["run", "digits"])
    assert done.exit_code == 0, done.output
    pages = [b for b in blocks if b.page in ("README.md", "docs/first_sweep.md")]
    for block in pages:
        if block.kind == "python":
            exec(compile(block.text, block.page, "exec"), {"__name__": "page"})
        for line in block.text.splitlines() if block.kind == "bash" else ():
            words = shlex.split(line, comments=True)
            if words[0] == "autoprune":
                done = CliRunner().invoke(cli, words[1:])
                assert done.exit_code == 0, (line, done.output)
