"""A study's own training and evaluation take the place of ours."""

from __future__ import annotations

import json

import pytest
from safetensors.torch import load_file

from autoprune.cli.main import main


@pytest.fixture
def study(short_study, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOPRUNE_CACHE", str(tmp_path / "cache"))

    def write(functions: str, objective: str = "top3", extra: str = "") -> str:
        after = f"[functions]\n{functions}\n{extra}"
        return str(short_study(('"accuracy"', f'"{objective}"'), after=after))

    return write


def command(monkeypatch, capsys, *arguments: str):
    monkeypatch.setattr("sys.argv", ["autoprune", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0, *capsys.readouterr()


def test_own_score_and_training(study, tmp_path, monkeypatch, capsys):
    file = study('train = "own_functions:warm"\nevaluate = "own_functions:top3"')
    run = ("run", file, "--workers", "0", "--trials", "2", "--out", str(tmp_path / "out"))
    code, out, err = command(monkeypatch, capsys, *run)
    assert code == 0, err
    assert "Top3 measured and energy priced at 8 bits." in " ".join(out.split())
    front = json.loads((tmp_path / "out" / "fronts" / "loihi1" / "front.json").read_text())
    assert "val_top3" in front["fine_tuned_parent"]
    assert "val_accuracy" not in front["fine_tuned_parent"]
    header = (tmp_path / "out" / "fronts" / "loihi1" / "front.csv").read_text().splitlines()[0]
    assert header.startswith("trial,origin,val_top3,test_top3,")
    parent = load_file(next((tmp_path / "cache" / "parents").glob("*.safetensors")))
    assert parent["head.bias"][0] == 7.0


@pytest.mark.parametrize(
    ("functions", "objective", "extra", "message"),
    [
        ('evaluate = "own_functions:top3"', "accuracy", "", "unknown metric 'accuracy'"),
        ('evaluate = "own_functions:top4"', "top4", "", "has no attribute 'top4'"),
        ('train = "own_functions:short_of_arguments"', "accuracy", "", "takes no progress"),
        (
            'train = "own_functions:warm"',
            "accuracy",
            '[compression]\nl1p_schedule = "gradual"',
            "takes no after_step",
        ),
        ('trian = "own_functions:warm"', "accuracy", "", "did you mean 'train'"),
        ('train = "warm"', "accuracy", "", "given 'warm'; expected module:name"),
    ],
)
def test_what_is_wrong_is_named(study, monkeypatch, capsys, functions, objective, extra, message):
    file = study(functions, objective, extra)
    code, _, err = command(monkeypatch, capsys, "run", file, "--dry-run")
    assert code == 2
    assert message in err


def test_a_score_out_of_range_fails_by_name(study, tmp_path, monkeypatch, capsys):
    file = study('evaluate = "own_functions:wrong"', "wrong")
    run = ("run", file, "--workers", "0", "--trials", "1", "--out", str(tmp_path / "out"))
    code, _, err = command(monkeypatch, capsys, *run)
    assert code == 2
    assert "wrong gave 1.5; expected a score from 0 to 1" in err
