"""Archives that may be anybody's, unpacked into a folder and nowhere else."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final

GROWTH: Final = 64
"""How many times larger than an archive its files may be; recordings of events grow threefold."""

UNREADABLE: Final = (
    *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError),
    *(zlib.error, tarfile.TarError, zipfile.BadZipFile),
)
"""What an archive that is cut or none makes its reader raise."""


def unpack(archives: Iterable[Path], folder: Path) -> None:
    """Put the files of archives, ``.zip`` or ``.tar.gz``, into a new folder: all, or none.

    Raises ValueError for one that holds what is no file below the folder, such as a link, or that
    grows beyond all of its kind, and what else `UNREADABLE` has.
    """
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of one that was interrupted
    part.mkdir()
    try:
        for archive in archives:
            left = archive.stat().st_size * GROWTH
            for name, size, held in _files(archive):
                place, left = part / name, left - size
                if ".." in Path(name).parts or Path(name).is_absolute():
                    raise ValueError(f"{archive.name} holds {name!r}, which is not below it")
                if left < 0:
                    raise ValueError(f"{archive.name} grows more than {GROWTH} times")
                place.parent.mkdir(parents=True, exist_ok=True)
                with held, place.open("wb") as stream:
                    shutil.copyfileobj(held, stream)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _files(archive: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Name, size and content of each file in an archive."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                if not info.is_dir():
                    yield info.filename, info.file_size, packed.open(info)
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            held = tar.extractfile(member) if member.isreg() else None
            if held is not None:
                yield member.name, member.size, held
            elif not member.isdir():
                raise ValueError(f"{archive.name} holds {member.name!r}, which is no file")
