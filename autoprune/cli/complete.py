"""What a shell offers for a word: machines, studies, and the trials of the run before it.

A word that is the beginning of none is completed as a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

_PLAIN = re.compile(r"\w[\w.+-]*", re.ASCII)
"""A name that a shell takes as it is: of another's run one may be a command, as ``$(reboot)``."""


def machines(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Those of the run that the line names, and those that are bundled."""
    from autoprune.api import bundled

    own = filter(_PLAIN.fullmatch, _stems(context, "machines", "*.toml"))
    return _offered([*own, *bundled("cost_models")], incomplete)


def studies(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Those that are bundled."""
    from autoprune.api import bundled

    return _offered(bundled("studies"), incomplete)


def anything(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Every machine, search space and study that is bundled."""
    from autoprune.api import bundled

    spaces, studies = bundled("search_spaces"), bundled("studies")
    return _offered([*bundled("cost_models"), *spaces, *studies], incomplete)


def trials(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The trials and the baselines of one word of the run that the line names."""
    from autoprune.trial.key import TrialKey

    stems = [*_stems(context, "trials", "*.parquet"), *_stems(context, "baselines", "*.parquet")]
    keys = sorted(key for stem in stems if (key := TrialKey.named_by(stem)) is not None)
    return _offered([str(key) for key in keys if " " not in str(key)], incomplete)


def _stems(context: click.Context, folder: str, pattern: str) -> list[str]:
    """Names of the files in a folder of the run that the line names; none without a run."""
    run = context.params.get("run")
    if run is None and context.args:  # click stops where an option still waits for its value
        run = context.args[0]
    return [] if run is None else sorted(f.stem for f in (Path(run) / folder).glob(pattern))


def _offered(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    found = [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
    return [CompletionItem(name) for name in found] or [CompletionItem(incomplete, type="file")]
