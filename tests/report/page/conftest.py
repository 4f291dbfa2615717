"""A recorded run with every kind of trial, its page, and Debian's chromium to open it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.cost.load import load_machine
from autoprune.networks.shape import NetworkShape
from autoprune.report.page.gather import gather
from autoprune.report.page.page import render
from autoprune.runs.environment import Environment, record_environment
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Origin, Outcome, State
from autoprune.runs.recipe import Attempt, Choice, ChosenRates, write_chosen
from autoprune.runs.record import RunRecord
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.trial.measurement import Measurement, Score

HOSTILE = "</script><img src=x onerror='window.hit=1'><b>&amp;"
"""What a title, a name or a cause may hold, and what must stay text."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    program = shutil.which("chromium")
    if program is None:
        reason = "chromium is not installed: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def folder(
    tmp_path: Path, shape: NetworkShape, effort: Effort, measured: Callable[..., Measurement]
) -> RunFolder:
    """A run on two machines: every origin and state, one trial on fresh seeds, an environment."""
    run = RunFolder(tmp_path / "run")
    run.write_record(RunRecord(shape=shape, title=HOSTILE, data="made up"))

    def write(
        key: object,
        origin: Origin,
        correct: int,
        zeros: float,
        state: State = "measured",
        **more: Any,
    ) -> None:
        plan = make_plan(parse_configuration({"blocks.0.attention.l1p": zeros}), shape, effort)
        found = None
        if state != "failed":
            found = measured(plan, correct=correct, zeros=zeros, rounded={8: correct - 1})
        values = {
            "key": TrialKey.parse(str(key)),
            "origin": origin,
            "configuration": (),
            "plan": plan,
            "seed": 0,
            **more,
        }
        run.write(Outcome(**values, state=state, measurement=found))

    write(FINE_TUNED, "baseline", 95, 0.0)
    write("without blocks.0.attention", "baseline", 93, 0.95)
    write("0", "uniform", 80, 0.5)
    write("1", "warm", 94, 0.25)
    write("2", "sampled", 97, 0.75)
    write("3", "sampled", 90, 0.9)
    write("4", "sampled", 97, 0.75, state="duplicate", same_as=TrialKey(2))
    write("5", "sampled", 60, 0.95, state="infeasible", broken=(("accuracy >= 0.7", 0.14),))
    write("6", "sampled", 0, 0.1, state="failed", cause=f"killed {HOSTILE}")
    write("2-0", "sampled", 96, 0.75)
    write("2-1", "sampled", 93, 0.75)
    run.machines.mkdir()
    for name in ("loihi1", "ops45_int8"):
        shutil.copy(load_machine(name).machine.where, run.machines / f"{name}.toml")
    score = Score(correct=140, total=200)
    tried = Attempt(rate=0.0032, scores=(0.9, None), score=score)
    best = Attempt(rate=0.01, scores=(0.9, 0.8), score=replace(score, correct=170))
    choice = Choice(of="learning_rate", plans=(HOSTILE, "b"), attempts=(best, tried))
    chosen = ChosenRates(choices=(choice,), trainings=4, seconds=12.0)
    write_chosen(chosen, run.chosen_rates)
    here = Environment.here(gpu="", threads=1, seed=7, files={"study": "x"}, first_trial=0)
    record_environment(run.environments, here)
    return run


@pytest.fixture
def show(chromium: Any, folder: RunFolder, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens the page of the run; at the end nothing was complained of, and nothing was fetched."""
    file = tmp_path / "report.html"
    complaints: list[str] = []
    contexts = []

    def open_page(width: int = 1440, scheme: str = "light", ready: str = "ready") -> Any:
        file.write_text(render(gather(folder)), encoding="utf-8")
        contexts.append(
            chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda said: complaints.append(f"console: {said.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: complaints.append(f"request: {request.url}"))
        page.goto(file.as_uri())
        page.wait_for_selector(f"body[data-{ready}]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    own = f"request: {file.as_uri()}"
    assert [said for said in complaints if said != own and "request: data:" not in said] == []
