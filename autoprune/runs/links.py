"""A run folder holds folders and regular files alone: through a link a command would leave it."""

from __future__ import annotations

import os
from pathlib import Path

from autoprune.errors import RecordError


def refuse_links(folder: Path) -> None:
    """RecordError for the first entry below `folder` that is neither a folder nor a regular file.

    A run makes no links, pipes or devices. In a folder that is another's they may lead anywhere:
    what a command reads, writes or removes there would not be the run's. `folder` itself may be a
    link: it is the user who has named it.
    """
    left = [folder]
    while left:
        for entry in _entries(left.pop()):
            if entry.is_dir(follow_symlinks=False):
                left.append(Path(entry.path))
            elif not entry.is_file(follow_symlinks=False):
                what = "a link that leads elsewhere" if entry.is_symlink() else "no regular file"
                raise RecordError(
                    f"{entry.path}: {what}; a run folder holds its own files alone: remove it"
                )


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder; nothing where a run that goes on has removed it this moment."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:
        return []
