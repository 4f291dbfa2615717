"""Where Ray cannot keep its files, that is said before anything trains."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from autoprune.errors import InputError
from autoprune.sweep.prepare import prepare
from autoprune.sweep.ray.place import check_place
from tests.short import SHORT


def test_a_name_that_is_too_long_for_sockets(monkeypatch):
    session = f"/ray/session_2026-01-01_00-00-00_000000_{os.getpid()}/sockets/plasma_store"
    left = 107 - len(session)
    monkeypatch.setenv("TMPDIR", "/tmp/" + "x" * (left - 4))
    said = rf"TMPDIR: given '/tmp/x+', too long a name .*at most {left} bytes, or --workers 0"
    with pytest.raises(InputError, match=said):
        check_place()
    with pytest.raises(InputError, match=said):
        prepare(SHORT, workers=1)
    prepare(SHORT, workers=0)
    prepare(SHORT, workers=1, address="10.0.0.1:6379")


def test_a_folder_that_is_not_there_or_full(monkeypatch):
    monkeypatch.setenv("TMPDIR", "/tmp/nowhere")
    with pytest.raises(InputError, match="TMPDIR: given '/tmp/nowhere'; expected a folder that is"):
        check_place()
    monkeypatch.setenv("TMPDIR", "/tmp")
    monkeypatch.setattr("shutil.disk_usage", lambda place: SimpleNamespace(free=1))
    with pytest.raises(InputError, match="TMPDIR: '/tmp' has 0 MiB left; expected 200 MiB for the"):
        check_place()
