"""A limit of memory that no trial can keep, or no computer give, is refused before any training."""

from __future__ import annotations

import pytest

from autoprune.errors import InputError
from autoprune.sweep.memory import check_memory
from autoprune.sweep.prepare import prepare
from tests.refusals import assert_refused


def test_more_than_the_computer_has():
    words = "compute.memory_gib: given 1e+06; expected at most the * GiB of this computer"
    assert_refused(words, check_memory, 1e6)


def test_less_than_a_worker_takes_before_its_first_trial(monkeypatch):
    monkeypatch.setattr("autoprune.sweep.memory._least_gib", lambda: 0.54)
    words = "given 0.53; expected more than the 0.54 GiB that a worker takes before its first trial"
    assert_refused(words, check_memory, 0.53)
    check_memory(0.55)
    check_memory(None)


@pytest.mark.full
def test_that_is_asked_of_a_process_and_said_when_a_study_is_prepared(short_study, tmp_path):
    (tmp_path / "psutil.py").write_text("raise ValueError", encoding="utf-8")
    study = str(short_study(after="[compute]\nmemory_gib = 0.1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        with pytest.raises(InputError, match="given 0.1; expected more than the 0") as error:
            prepare(study, workers=1)
    assert 0.1 < float(str(error.value).split("the ")[1].split()[0]) < 2
    prepare(study, workers=1, address="10.0.0.1:6379")
