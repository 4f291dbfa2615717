"""Every mistake is one message on stderr, exit code 2, and no traceback."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import pytest

from tests.refusals import assert_refused, refusals


@refusals(
    ("lohi1", "did you mean 'loihi1'?"),
    ("loihi", "did you mean 'loihi1' or 'loihi2'?"),
    ("ops45", "did you mean 'ops45_fp16' or 'ops45_fp32' or 'ops45_int8'?"),
)
def test_unknown_machine(autoprune, run_folder, given, words) -> None:
    words = f"unknown machine {given!r}*{words}"
    said = assert_refused(words, autoprune, "front", run_folder, "--machine", given)
    assert len(said.splitlines()) == 1


def test_missing_machine_file(autoprune, run_folder) -> None:
    price = ("price", f"{run_folder}:0", "--machine", "no/chip.toml")
    assert_refused("no/chip.toml: no such file", autoprune, *price)


def test_folder_that_is_no_run(autoprune, tmp_path) -> None:
    for arguments in (
        ("front", tmp_path),
        ("price", f"{tmp_path}:0", "--machine", "loihi1"),
        ("workload", tmp_path, "0", "--out", tmp_path / "w.json"),
    ):
        assert_refused(f"{tmp_path}: not a run folder", autoprune, *arguments)
    assert not list(tmp_path.iterdir())


def test_file_where_a_run_folder_is_needed(autoprune, tmp_path) -> None:
    file = tmp_path / "w.json"
    file.write_text("{}", encoding="utf-8")
    assert_refused(f"{file}*Not a directory", autoprune, "front", file)


def test_trial_that_is_not_there_or_failed(autoprune, run_folder) -> None:
    for trial, words in ((99, "no trial '99'"), (2, "trial 2 failed and has no workload")):
        assert_refused(words, autoprune, "price", f"{run_folder}:{trial}", "--machine", "loihi1")


def test_run_folder_where_a_trial_is_needed(autoprune, run_folder) -> None:
    words = "a folder; expected a workload file, or a trial of a run"
    assert_refused(words, autoprune, "price", run_folder, "--machine", "loihi1")


def test_run_without_machines(autoprune, run_folder) -> None:
    for file in (run_folder / "machines").iterdir():
        file.unlink()
    assert_refused("name one with --machine", autoprune, "front", run_folder)


def test_damaged_trial(autoprune, run_folder) -> None:
    file = run_folder / "trials" / "00001.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    assert_refused("00001.parquet: damaged", autoprune, "front", run_folder)


@refusals(
    (lambda text: text[: len(text) // 2], "it may be truncated"),
    (lambda _: "", "it may be truncated"),
    (lambda _: "[]", "no layer; expected one at least"),
    (lambda text: text.replace('"samples"', '"sample"'), "incomplete workload"),
    (lambda text: json.dumps({**json.loads(text), "samples": 0}), "0 samples"),
    (lambda text: text.replace('"dense_macs": ', '"dense_macs": -', 1), "counts >= 0"),
)
def test_workload_that_is_not_whole(autoprune, run_folder, tmp_path, given, words) -> None:
    file = tmp_path / "w.json"
    autoprune("workload", run_folder, "1", "--out", file)
    file.write_text(given(file.read_text(encoding="utf-8")), encoding="utf-8")
    assert_refused(words, autoprune, "price", file, "--machine", "loihi1")


def test_workload_that_is_absent_or_not_utf8(autoprune, tmp_path) -> None:
    file = tmp_path / "w.json"
    assert_refused(f"{file}: no such file", autoprune, "price", file, "--machine", "loihi1")
    file.write_bytes(b"\xff\xfe{}")
    assert_refused(f"{file}: not UTF-8", autoprune, "price", file, "--machine", "loihi1")


def test_workload_that_cannot_be_written(autoprune, run_folder, tmp_path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    out = tmp_path / "file" / "w.json"
    assert_refused("cannot be written", autoprune, "workload", run_folder, "1", "--out", out)


WRITING = {
    "report": ["RUN", "--out", "PLACE"],
    "workload": ["RUN", "1", "--out", "PLACE"],
    "trials": ["RUN", "--parquet", "PLACE"],
}


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize("place", ["", ".", "..", "/dev/null", "link"])
def test_place_where_no_file_is_put(autoprune, run_folder, monkeypatch, command, place) -> None:
    monkeypatch.chdir(run_folder)
    (run_folder / "link").symlink_to("/etc/passwd")
    given = {"RUN": str(run_folder), "PLACE": place}
    monkeypatch.setattr("autoprune.api.open_run", lambda *_, **__: pytest.fail("it was read"))
    words = "given ''; expected a path" if not place else "no regular file, and not replaced by one"
    assert_refused(words, autoprune, command, *(given.get(w, w) for w in WRITING[command]))


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize(
    "place", ["run/study.json", "run/trials/9.parquet", "run/../run/run.lock", "link/run/fronts/x"]
)
def test_what_a_run_keeps_is_not_replaced(autoprune, run_folder, tmp_path, command, place) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    given = {"RUN": str(run_folder), "PLACE": str(tmp_path / place)}
    before = {file: file.read_bytes() for file in run_folder.rglob("*") if file.is_file()}
    words = "what a run keeps in its folder; expected another name"
    assert_refused(words, autoprune, command, *(given.get(w, w) for w in WRITING[command]))
    assert before == {file: file.read_bytes() for file in run_folder.rglob("*") if file.is_file()}


def test_export_to_the_current_folder(autoprune, run_folder, tmp_path, monkeypatch) -> None:
    """The shell would no longer find it."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for place in (".", "../empty", tmp_path / "empty"):
        words = "the current folder; expected a new or an empty folder"
        assert_refused(words, autoprune, "export", run_folder, "1", "--out", place)
    assert_refused("--out: given ''", autoprune, "export", run_folder, "1", "--out", "")


@refusals(
    (("confirm", "RUN", "--seeds", 10**12), "--seeds: given 1000000000000; expected 1 to 1000"),
    (("confirm", "RUN", "--grace", f"{'9' * 400}d"), "expected at most a year"),
    (("run", "digits", "--time-limit", "367d"), "given '367d'; expected at most a year"),
    (("measure", "RUN", "--threads", 10**12), "--threads: given 1000000000000; expected 1 to 1024"),
    (("measure", "RUN", "--rounds", 10**12), "--rounds: given 1000000000000; expected 1 to 100000"),
    (("measure", "RUN", "--name", "a\nb"), "expected a folder's name of 1 to 100 characters"),
    (("measure", "RUN", "--name", "x" * 101), "expected a folder's name of 1 to 100 characters"),
    (("trial", "RUN", "9" * 5000), "... is no trial and no baseline"),
)
def test_what_cannot_be_meant(autoprune, run_folder, root, given, words) -> None:
    study = (root / "studies" / "digits.toml").read_text(encoding="utf-8")
    (run_folder / "study.toml").write_text(study, encoding="utf-8")
    assert_refused(words, autoprune, *(str(w).replace("RUN", str(run_folder)) for w in given))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])  # of a disk, of ulimit -f
def test_a_system_that_has_no_room(autoprune, run_folder, monkeypatch, number) -> None:
    """Where a temporary file has no name to complain of."""

    def full(*_: object, **__: object) -> None:
        raise OSError(number, "no room")

    monkeypatch.setattr("autoprune.api.open_run", full)
    assert assert_refused("autoprune: no room", autoprune, "status", run_folder).count("\n") == 1


@pytest.mark.parametrize("command", ["check", "show"])
def test_file_that_is_of_no_kind(autoprune, tmp_path: Path, command: str) -> None:
    file = tmp_path / "odd.toml"
    assert_refused(f"{file}: no such file", autoprune, command, file)
    for content, words in (
        (b"title = '\xff'", "not UTF-8 (byte 9)"),
        (b"a = 1\na = 2\n", "not valid TOML"),
        (b"a = 1\n", "neither a machine nor a search space nor a study"),
    ):
        file.write_bytes(content)
        assert_refused(f"{file}: {words}", autoprune, command, file)
    assert_refused("'digts'*did you mean 'digits'?", autoprune, command, "digts")


@refusals(
    (("cost_models/loihi1", "[prices]", "[price]"), "did you mean 'prices'?"),
    (("cost_models/loihi1", "value = 23.6", "value = -1.0"), "a finite number >= 0"),
    (("cost_models/loihi1", "value = 23.6", "value = nan"), "a finite number >= 0"),
    (("cost_models/loihi1", "value = 23.6", "value = 1e308"), "value is 1e+308; *at most 1e+12"),
    (("cost_models/loihi1", 'unit = "pJ"', 'unit = "pj"'), "did you mean 'pJ'?"),
    (("cost_models/loihi1", '"event_driven"', '"event_drivn"'), "did you mean 'event_driven'?"),
    (("studies/digits", '"block_response"', '"tpee"'), "sampler"),
    (("studies/digits", "energy_uj@loihi1", "energy_uj@lohi1"), "energy_uj@loihi1'?"),
    (("studies/digits", "trials = 48", "trials = -3"), "trials"),
    (("search_spaces/digits", "low = 0.0", "low = 2.0"), "l1p"),
    (("search_spaces/digits", "[branch.mlp]", "[branch.mpl]"), "mpl"),
)
def test_check_tells_place_and_remedy(autoprune, root, tmp_path, given, words) -> None:
    bundled, old, new = given
    text = (root / f"{bundled}.toml").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert_refused(f"{file}: *{words}", autoprune, "check", file)


def test_a_machine_that_breaks_a_rule_is_shown_the_counterexample(
    autoprune, root, tmp_path
) -> None:
    """Skipping weights that are zero must save energy."""
    text = (root / "cost_models" / "ops45_int8.toml").read_text(encoding="utf-8")
    file = tmp_path / "mine.toml"
    file.write_text(re.sub(r"value = 0\.\d+", "value = 0.0", text), encoding="utf-8")
    said = autoprune("check", file)
    kept = said.out.count("  pass    ")
    words = f"autoprune: {file}: breaks 1 of {kept + 1} rules that machines obey\n"
    assert (said.code, said.err) == (2, words)
    broken = said.out[said.out.index("  broken  zero weights save") :].splitlines()
    assert "sparsity is skip: " in broken[1]


@refusals(
    ("frnt", "COMMAND: given 'frnt'; expected one of autoprune --help; did you mean 'front'?"),
    ("xyzzy", "autoprune: COMMAND: given 'xyzzy'; expected one of autoprune --help\n"),
    ("front", "autoprune: front: missing argument 'RUN'; expected as autoprune front --help has"),
    ("front r --machin x", "autoprune: front --machin: no such option; expected one of --csv, *"),
    ("front r --machin x", "; did you mean '--machine'?"),
    ("--versoin", "autoprune: --versoin: no such option; *did you mean '--version'?"),
    ("front r --csv --json", "autoprune: front: --json or --csv, not both"),
    ("price w.json", "autoprune: price: missing option '--machine'; expected as"),
    ("measure r --device cdua", "measure --device: given 'cdua'; expected one of cpu, cuda; did"),
    ("run digits --trials -3", "autoprune: run --trials: -3 is not in the range"),
    ("run digits --time-limit 3", "autoprune: run --time-limit: given '3'; expected such as 90s"),
    ("front r --csv=3", "autoprune: option '--csv' does not take a value"),
)
def test_wrong_usage(autoprune, given, words) -> None:
    """What click refuses reads as what we refuse: one line, with the nearest match."""
    message = assert_refused(words, autoprune, *given.split())
    assert len(message.splitlines()) == 1


def test_no_command_at_all_is_answered_with_help(autoprune) -> None:
    said = autoprune()
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Usage: autoprune ") and "First:\n  run " in said.err
