"""What values show of themselves: a line in a terminal, a table in a notebook."""

from __future__ import annotations

from dataclasses import replace

import autoprune


def test_the_package_shows_what_there_is() -> None:
    assert [name for name in dir(autoprune) if name[0] != "_"] == sorted(autoprune.__all__)
    assert dir(autoprune) == sorted(dir(autoprune))


def test_everything_that_a_run_answers_prints_in_a_line(run_folder) -> None:
    run = autoprune.open_run(run_folder)
    values = {
        "pick for loihi1: trial 1, 96.0 %, ": run.pick("loihi1"),
        "pick for loihi1: nothing fits": run.pick("loihi1", min_accuracy=1.0),
        "answer for loihi1: trial 1, ": run.answers("loihi1")[0],
        "status: ": run.status(),
        "front of loihi1: 1 of 2 networks": run.machine_front("loihi1"),
        "fronts of loihi1, ops45_int8": run.fronts(),
        "2 trials on loihi1, ops45_int8; on all fronts: 1": run.compare(),
        "trial 1, measured: T": run.trial(1),
        "workload of ": run.workload(1),
        "cost on loihi1: ": run.price(1, "loihi1"),
        "EventDriven loihi1": run.models("loihi1")[0],
    }
    for words, value in values.items():
        assert repr(value).startswith(f"<{words}"), repr(value)
        assert len(repr(value)) < 100


def test_a_notebook_shows_tables_in_which_no_text_is_markup(run_folder) -> None:
    run = autoprune.open_run(run_folder)
    pick, front = run.pick("loihi1"), run.machine_front("loihi1")
    assert ">loihi1</td><td>1</td><td>96.0 [90 98]</td>" in run._repr_html_()
    assert "autoprune export" in pick._repr_html_() and "<td>1</td>" in pick._repr_html_()
    assert front._repr_html_().count("<tr>") == 2
    hostile = replace(front, title="<script>", rows=(replace(front.rows[0], plan="<b>"),))
    assert "<script>" not in hostile._repr_html_() and ">&lt;b&gt;</td>" in hostile._repr_html_()


def test_a_run_without_a_front_says_why(run_folder) -> None:
    (run_folder / "baselines" / "fine-tuned.parquet").unlink()
    assert "no fine-tuned parent yet" in autoprune.open_run(run_folder)._repr_html_()
