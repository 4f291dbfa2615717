"""`autoprune init`: files to start from."""

from __future__ import annotations

import os
from pathlib import Path

import click

NAMES = ("my_study.toml", "my_space.toml", "my_chip.toml")
_TEMPLATES = Path(__file__).resolve().parent / "templates"


@click.command()
@click.argument("folder", metavar="FOLDER", default=".")
def init(folder: str) -> None:
    """Write a study, a search space and a machine to start from, in FOLDER or here.

    They run as they are. A file that is there is never overwritten.

    \b
    autoprune init my_study
    autoprune check my_study/my_study.toml
    autoprune run my_study/my_study.toml --dry-run
    """
    from autoprune.errors import InputError
    from autoprune.files import user_path, write_text

    place = user_path(folder, "FOLDER")
    run, real = (place / "study.json").is_file(), os.path.realpath(place)
    if run or real == os.path.dirname(real):
        given = "a run's folder" if run else "the root of all folders"
        raise InputError(str(place), given, "a folder of your own")
    for name in NAMES:
        if (place / name).exists():
            raise InputError(str(place / name), "is there already", "another folder")
    for name in NAMES:
        write_text(place / name, (_TEMPLATES / name).read_text(encoding="utf-8"))
        click.echo(place / name)
    click.echo(f"Next: autoprune run {place / NAMES[0]} --dry-run")
