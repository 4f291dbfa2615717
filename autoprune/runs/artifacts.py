"""Artifacts: files of a run on storage that its nodes share, by an fsspec address.

``file:///mnt/shared/runs``, ``s3://BUCKET/runs``, ``gs://...``: whatever fsspec has a package for.
A file appears whole or not at all: it is stored under another name first.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import final

from fsspec.core import url_to_fs

from autoprune.errors import InputError, RecordError
from autoprune.files import PARTIAL

_MARK = "autoprune_run"
_LONGEST = 64
"""Bytes of a mark that are read."""


def refuse_storage(address: str, where: str) -> None:
    """InputError, at `where`: opening storage that a file names contacts, and may write there."""
    raise InputError(
        where,
        f"names storage, {address!r}, which is not opened",
        "--import, or imports=True in Python, if you trust it",
    )


@final
class Artifacts:
    """The files below one address.

    Args:
        address: PROTOCOL://...; secrets belong into the environment, where each protocol's package
            looks for them.

    Raises RecordError, as all methods do, where the address cannot be used.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        try:
            self._files, self._root = url_to_fs(self.address)
        except (ImportError, ValueError, OSError) as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> RecordError:
        return RecordError(f"{self.address}: cannot be used ({error or type(error).__name__})")

    def put(self, file: Path, name: str) -> None:
        """Store a file under a name such as ``checkpoints/00012.safetensors``."""
        whole = f"{self._root}/{name}"
        part = f"{whole}.{secrets.token_hex(4)}{PARTIAL}"
        try:
            self._files.makedirs(whole.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(file), part)
            self._files.mv(part, whole)
        except Exception as error:
            raise self._unusable(error) from error

    def get(self, name: str, file: Path) -> None:
        """Copy what is stored under a name into a file."""
        try:
            self._files.get_file(f"{self._root}/{name}", str(file))
        except Exception as error:
            raise self._unusable(error) from error

    def sizes(self, folder: str) -> dict[str, int]:
        """Names and bytes of the files in a folder, without those half-written."""
        found = self._listed(folder)
        return {name: size for name, size in found.items() if not name.endswith(PARTIAL)}

    def half_written(self, folder: str) -> dict[str, int]:
        """Those that are half-written: by who writes now, or has died."""
        found = self._listed(folder)
        return {name: size for name, size in found.items() if name.endswith(PARTIAL)}

    def _listed(self, folder: str) -> dict[str, int]:
        place = f"{self._root}/{folder}"
        try:
            self._files.invalidate_cache()
            if not self._files.isdir(place):
                return {}
            found = self._files.ls(place, detail=True)
        except Exception as error:
            raise self._unusable(error) from error
        names = {str(item["name"]).rpartition("/")[2]: int(item["size"] or 0) for item in found}
        return dict(sorted(names.items()))

    def remove(self, name: str) -> None:
        """Remove what is stored under a name, if anything is."""
        try:
            self._files.rm_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return
        except Exception as error:
            raise self._unusable(error) from error

    def claim(self, mark: str) -> None:
        """Mark the place as that of the run whose record has `mark`; see `check_claimed`."""
        with TemporaryDirectory() as scratch:
            file = Path(scratch) / _MARK
            file.write_text(mark, encoding="utf-8")
            self.put(file, _MARK)

    def check_claimed(self, mark: str) -> None:
        """RecordError unless the place was marked as that of the run whose record has `mark`.

        A run folder may be another's and name any place, also that of a run of yours, of which it
        does not know the mark; only in its own are files replaced and removed.
        """
        file = f"{self._root}/{_MARK}"
        try:
            there = self._files.cat_file(file, 0, _LONGEST) if self._files.exists(file) else b""
        except Exception as error:
            raise self._unusable(error) from error
        if not mark or there != mark.encode():
            what = "another run" if there else "no run of autoprune's"
            raise RecordError(f"{self.address}: holds {what}")

    def check(self) -> None:
        """Write, read and remove a small file."""
        name = f"check-{secrets.token_hex(4)}"
        with TemporaryDirectory() as scratch:
            file = Path(scratch) / name
            file.write_text(name, encoding="utf-8")
            self.put(file, name)
            self.get(name, file)
            self.remove(name)
