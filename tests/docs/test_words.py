"""One thing has one name: in help texts, studies' keys, tables and pages."""

from __future__ import annotations

import re
from typing import get_args

import click
import pytest

from autoprune.cli.main import cli
from autoprune.compress.registry import settings_at
from autoprune.runs.metrics import MACHINE_METRICS, PLAIN_METRICS
from autoprune.runs.outcome import Origin, State
from autoprune.study.study import Study

OTHER_NAMES = {
    r"for machines\b": "for scripts; a machine is an accelerator",
    r"machine at hand|(per|on this|your) machine's (cpu|processor)": "computer",
    r"synops?\b|synaptic ops|spike operations": "synaptic operations, effective_sops",
    r"finetun": "fine-tuning",
    r"time-?steps?(?![\w-])|timesteps?": "time steps",
    r"pruning (rate|ratio)|compression (rate|ratio)|prune ratio": "sparsity, dimensions kept",
    r"baseline (network|model)|original (network|model)|teacher|dense model": "parent",
    r"hyper-?parameters?": "configuration",
    r"pareto (set|curve|frontier)|frontier": "front",
    r"(hardware|cost) profiles?|hardware models?|backends?": "machine",
    r"evaluated plans|evaluated configurations": "plans that are trained",
    r"experiments?\b|campaigns?": "study, run",
    r"constraint file|search-space": "search space",
    r"layer-wise sparsity|channel pruning|weight pruning": "L1P, DSP",
    r"leaky neuron|adaptive lif|plif": "sLIF",
}
"""What is called otherwise, and its name here."""


def commands() -> list[click.Command]:
    found = [cli.get_command(None, name) for name in cli.list_commands(None)]  # type: ignore[arg-type]
    return [command for command in found if command is not None]


def help_of(command: click.Command) -> str:
    context = click.Context(command, info_name=command.name, max_content_width=400)
    context.terminal_width = 400
    return command.get_help(context)


def prose(text: str) -> str:
    """Without code, options, links, and the names of a study's tables."""
    text = re.sub(r"^```.*?^```$|^### \w+$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`|--[\w-]+|\]\([^)]*\)|\\\[\w+\\", "", text)


@pytest.mark.parametrize("pattern", OTHER_NAMES)
def test_no_other_name_in_help_texts_and_pages(pattern, pages):
    texts = [help_of(command) for command in commands()] + [pages, cli.help or ""]
    found = [
        text[max(0, hit.start() - 40) : hit.end() + 40]
        for text in map(prose, texts)
        for hit in re.finditer(rf"\b(?:{pattern})", text, re.IGNORECASE)
    ]
    assert found == [], f"here: {OTHER_NAMES[pattern]}"


def test_every_metric_state_origin_and_parameter_is_explained(root):
    """In the words or, of a space's parameters, where compression is explained."""
    words = (root / "docs" / "words.md").read_text(encoding="utf-8")
    metrics = ["accuracy", "accuracy@MACHINE", *PLAIN_METRICS]
    metrics += [f"{name}@MACHINE" for name in MACHINE_METRICS]
    for name in (*metrics, *get_args(State), *get_args(Origin)):
        assert f"`{name}`" in words, name
    compression = (root / "docs" / "compression.md").read_text(encoding="utf-8")
    for kind in ("branch", "neuron", "model"):
        for setting in settings_at(kind):
            assert f"`{setting.name}`" in compression, setting.name


def test_an_option_of_one_name_means_one_thing():
    """It has the same placeholder in all commands; machines and scripts are told apart."""
    seen: dict[str, set[str]] = {}
    for command in commands():
        context = click.Context(command)
        for param in command.params:
            if isinstance(param, click.Option) and param.name != "help":
                seen.setdefault(param.opts[0], set()).add(param.make_metavar(context))
    told_apart = {name: kinds for name, kinds in seen.items() if len(kinds) > 1}
    assert told_apart == {}


def test_options_that_stand_for_a_key_of_a_study_have_its_name():
    run = cli.get_command(None, "run")  # type: ignore[arg-type]
    assert run is not None
    own = {"address", "time_limit", "grace", "out", "dry_run", "json_lines", "quiet"}
    names = {param.name for param in run.params if isinstance(param, click.Option)}
    assert names - own <= set(Study.model_fields)
