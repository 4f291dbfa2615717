"""Where the Optuna study of a run is: in a journal of the run folder, or in a database.

A journal is read by any Optuna tool:
`optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(FILE))`, study
``autoprune``. A journal and not SQLite: adding a trial of 15 parameters and telling its outcome
took 1.3 ms against 25 ms (median of 60 trials, one core, Optuna 5.0.0).

A database is any that Optuna takes, by its address; the password is never in it. It comes from the
environment, AUTOPRUNE_STORAGE_PASSWORD, or by the database's own ways (PGPASSWORD, ~/.pgpass), is
handed to the driver and nowhere written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final
from urllib.parse import quote

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from autoprune.errors import InputError, RecordError
from autoprune.files import MIB, parse_json

PASSWORD = "AUTOPRUNE_STORAGE_PASSWORD"
"""The environment's variable."""

_CONNECT_S = 5

_LINE_BYTES = 4 * MIB
"""The longest line of a journal that is read; one of 100 parameters takes a hundredth."""


@final
class _HeldLock(JournalFileOpenLock):
    """The journal needs no lock of its own: its one writer holds the lock of the run folder.

    Optuna's own lock outlives a killed process and lets the next one wait half a minute.
    """

    def acquire(self) -> bool:
        """Always held."""
        return True

    def release(self) -> None:
        """Nothing to let go."""


def open_journal(file: Path) -> optuna.storages.JournalStorage:
    """The journal in that file, made where it is absent; a line that a power loss tore is cut.

    Raises RecordError where it is damaged; what is in its trials is not looked at.
    """
    if file.is_file():
        _check_lines(file)
        _cut_torn_line(file)
    found = read_journal(file)
    if file.is_file():
        with file.open(encoding="utf-8") as lines:
            for line in lines:  # Optuna meets the last one only when more is written
                parse_json(line, str(file))
    return found


def read_journal(file: Path) -> optuna.storages.JournalStorage:
    """The journal in a file that is there, to read while another process writes to it.

    Raises RecordError where it is damaged.
    """
    if file.is_file():
        _check_lines(file)
    try:
        backend = JournalFileBackend(str(file), lock_obj=_HeldLock(str(file)))
        return optuna.storages.JournalStorage(backend)
    except Exception as error:
        raise RecordError(f"{file}: damaged ({type(error).__name__}: {error!s:.200})") from error


def _check_lines(journal: Path) -> None:
    """RecordError for a line that would fill the memory, as of a file of zeros."""
    with journal.open("rb") as lines:
        while line := lines.readline(_LINE_BYTES + 1):
            if len(line) > _LINE_BYTES:
                raise RecordError(f"{journal}: damaged (a line longer than all of ours)")


def _cut_torn_line(journal: Path) -> None:
    """Cut a last line that a power loss left incomplete; Optuna would fail on it."""
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with journal.open("rb+") as stream:
            stream.truncate(whole)


def open_database(address: str) -> RDBStorage:
    """The database at an address such as ``postgresql://USER@HOST/NAME``, with Optuna's tables.

    Raises InputError where its driver is missing, or it does not let us in.
    """
    given = os.environ.get(PASSWORD)
    return _database(address, {"password": given} if given else {})


def read_database(address: str) -> RDBStorage:
    """The same, to read alone, for an address that a run folder names, and so may be another's.

    No password of the environment goes there, one of ~/.pgpass only to the host that it names, and
    nothing is written: SQLite and PostgreSQL would refuse. Raises InputError as `open_database`.
    """
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        place = f"file:{quote(str(Path(url.database or '').absolute()))}"
        readable = url.set(database=place).update_query_dict({"mode": "ro", "uri": "true"})
        return _database(readable.render_as_string(), {}, reading=True)
    options = {"password": ""}  # given, and so PGPASSWORD is not looked at
    if url.get_backend_name() == "postgresql":
        options["options"] = "-c default_transaction_read_only=on"
    return _database(address, options, reading=True)


def _database(address: str, connect: dict[str, Any], *, reading: bool = False) -> RDBStorage:
    url = make_url(address)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    where = f"storage {address}"
    # A connection that broke while a trial ran for hours is made anew.
    options: dict[str, Any] = {"pool_pre_ping": True}
    if url.get_backend_name() != "sqlite":
        options["connect_args"] = {"connect_timeout": _CONNECT_S, **connect}
    try:
        return RDBStorage(
            url.render_as_string(hide_password=False),
            engine_kwargs=options,
            skip_table_creation=reading,
        )
    except ImportError as error:
        reason = error.__cause__ or error
        remedy = "its driver; PostgreSQL's comes with pip install 'autoprune[postgresql]'"
        raise InputError(where, f"no driver for it ({reason})", remedy) from error
    except (SQLAlchemyError, StorageInternalError, RuntimeError) as error:
        given = f"cannot be used ({_reason(error)})"
        raise InputError(where, given, f"a database; its password in {PASSWORD}") from None


@contextmanager
def reachable() -> Iterator[None]:
    """Whatever goes wrong with storage in here is a RecordError; nothing measured is lost."""
    try:
        yield
    except OSError as error:  # of a journal
        raise RecordError(
            f"the Optuna study cannot be written ({error.strerror}); what was measured is in the "
            "run folder, and the same command goes on once it can"
        ) from error
    except (SQLAlchemyError, StorageInternalError) as error:
        raise RecordError(
            f"the database of the Optuna study fails ({_reason(error)}); what was measured "
            "is in the run folder, and the same command goes on from there"
        ) from None


def _reason(error: BaseException) -> str:
    """What the database itself said, without statement and parameters."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    said = str(getattr(cause, "orig", None) or cause or error).strip()
    return said.splitlines()[0] if said else type(error).__name__
