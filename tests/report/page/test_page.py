"""The page of a run in a real browser; `show` fails on any console message or request."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys

import plotly.offline
import pytest

from autoprune.cost.load import load_machine
from autoprune.opened_run import OpenedRun
from autoprune.report.front.answer import answer
from autoprune.report.front.knee import knee
from autoprune.report.front.priced import price_outcomes
from autoprune.report.front.run_fronts import RunFronts
from autoprune.report.page.gather import gather
from autoprune.report.page.page import render
from autoprune.report.units import energy_words
from autoprune.runs.machines import find_machine
from autoprune.trial.key import TrialKey

pytestmark = pytest.mark.browser

SECTIONS = [
    *("answer", "why", "front", "trial", "trials", "heat", "sensitivity", "hypervolume", "rates"),
    *("disagree", "recipe", "time", "prices", "environment"),
]
PLOTS = [
    *("all-plot", "front-plot", "heat-zeros", "heat-kept", "heat-neurons", "sensitivity-plot"),
    *("hypervolume-plot", "rates-plot"),
]


def rows(page) -> list[list[str]]:
    cells = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    return page.eval_on_selector_all("#trial-table tbody tr", cells)


def in_unit(page, energy_uj: float) -> float:
    """As the page shows an energy on the machine that is chosen."""
    return float(f"{energy_uj / page.evaluate('state.machine.unit.in_uj'):.4g}")


def energies(folder, machine) -> dict[str, float]:
    priced, _ = price_outcomes(folder.read_trials(), find_machine(folder, machine))
    return {str(item.outcome.key): item.energy_uj for item in priced}


def test_every_section_is_there_in_order_and_filled(show):
    page = show()
    assert page.eval_on_selector_all("section", "all => all.map(one => one.id)") == SECTIONS
    for plot in PLOTS:
        page.locator(f"#{plot}").scroll_into_view_if_needed()  # it is drawn when it comes near
        page.wait_for_selector(f"#{plot} .main-svg")
        assert page.locator(f"#{plot} .main-svg").first.bounding_box()["height"] > 150, plot
    for section in SECTIONS:
        words = page.inner_text(f"#{section}").split()
        assert len(words) > 8, section


@pytest.mark.full
def test_the_rates_that_were_tried_are_shown(show):
    words = show().inner_text("#recipe")
    for part in ("4 trainings, 12 s", "0.01, chosen", "85.0 %", "failed", "70.0 %", "the highest"):
        assert part in words, part


def test_every_kind_of_trial_is_told_apart(show):
    page = show()
    legend = " ".join(page.locator("#front-plot .legendtext").all_text_contents())
    for words in ("sampled (2)", "uniform (1)", "of the run begun with (1)", "breaks a budget (1)"):
        assert words in legend
    assert "fine-tuned parent (1)" in legend
    assert "on fresh seeds, sd (1)" in legend
    assert page.locator("#front-plot .yerror").count() >= 3
    assert "Failed, not drawn: 1" in page.inner_text("#not-drawn")
    assert "Duplicate of another trial, not drawn: 1" in page.inner_text("#not-drawn")


def test_machines_switch(show, folder):
    page = show()
    assert "loihi1" in page.inner_text("#prices")
    page.click("#machines button:text-is('ops45_int8')")
    pressed = page.locator("#machines button[aria-pressed=true]")
    assert pressed.all_text_contents() == ["ops45_int8"]
    assert "ops45_int8" in page.inner_text("#prices")
    assert "ops45_int8" in page.inner_text("#trial")
    found = {row[0]: row[5] for row in rows(page)}
    assert float(found["2"]) == in_unit(page, energies(folder, "ops45_int8")["2"])


@pytest.mark.full
def test_both_ends_of_a_range_are_shown(show, folder):
    truenorth = load_machine("truenorth").machine
    shutil.copy(truenorth.where, folder.machines / "truenorth.toml")
    page = show()
    page.click("#machines button:text-is('truenorth')")
    assert "2.5 to 26" in page.inner_text("#prices")
    ends = "J at the lower end of synaptic_operation at 2.5 to 26 pJ."
    assert ends in page.inner_text("#why")
    upper = energies(folder, "truenorth")["2"]
    unit = page.evaluate("state.machine.unit.name")
    least = (
        f"{in_unit(page, upper * 2.5 / 26):g} {unit} at the lower ends of prices that are ranges"
    )
    assert least in page.inner_text("#trial")


def test_a_trial_opens_by_row_key_and_point(show, folder):
    page = show()
    page.click("#trial-table tr[data-trial='3']")
    assert page.inner_text("#trial h2") == "Trial 3"
    assert f"autoprune export {folder.path.name} 3" in page.inner_text("#trial")
    assert page.evaluate("location.hash") == "#trial-3"
    (marked,) = page.evaluate("find('front-plot').data.at(-1).x")
    assert float(f"{marked:.4g}") == in_unit(page, energies(folder, "loihi1")["3"])
    for words in ("By branch", "Energy by cause", "Energy by layer", "blocks.0.attention"):
        assert words in page.inner_text("#trial")
    page.focus("#trial-table tr[data-trial='6']")
    page.keyboard.press("Enter")
    assert page.inner_text("#trial h2") == "Trial 6"
    assert "killed </script>" in page.inner_text("#trial")
    assert page.evaluate("document.activeElement.id") == "trial"
    place = page.locator("#front-plot .scatterlayer .point").first
    box = place.bounding_box()
    page.mouse.wheel(0, box["y"] - 300)
    page.wait_for_timeout(300)
    box = place.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("document.querySelector('#trial h2').textContent !== 'Trial 6'")


@pytest.mark.full
def test_a_trial_has_an_address_and_neighbours_and_stays_when_the_machine_changes(show):
    page = show()
    assert page.evaluate("location.hash") == "", "what the page itself opens is no choice"
    page.evaluate("location.hash = '#trial-3'")
    page.wait_for_function("document.querySelector('#trial h2').textContent === 'Trial 3'")
    page.click("#machines button:text-is('ops45_int8')")
    assert page.inner_text("#trial h2") == "Trial 3"
    page.click("#next")
    after = page.inner_text("#trial h2")
    assert after != "Trial 3"
    assert page.evaluate("location.hash") == f"#trial-{after.removeprefix('Trial ')}"
    page.click("#previous")
    assert page.inner_text("#trial h2") == "Trial 3"


@pytest.mark.full
def test_the_answer_has_a_row_per_machine_that_opens_its_trial(show, folder):
    page = show()
    cells = page.eval_on_selector_all(
        "#answers tbody tr", "rows => rows.map(row => [...row.cells].map(c => c.textContent))"
    )
    assert [row[0] for row in cells] == ["loihi1", "ops45_int8"]
    picked = {name: answer(OpenedRun(folder.path).machine_front(name)) for name, *_ in cells}
    for name, trial, _, energy, parent, _ in cells:
        assert trial == str(picked[name].row.trial)
        assert energy == energy_words(picked[name].row.energy_uj)
        assert parent == f"{float(f'{picked[name].less_than_parent:.2g}'):g} x"
    page.click("#answers tr:nth-child(2) button")
    assert page.inner_text("#trial h2") == f"Trial {cells[1][1]}"
    assert "ops45_int8" in page.inner_text("#why")


@pytest.mark.full
def test_no_path_of_the_computer_is_on_it(show, folder):
    assert str(folder.path.parent) not in show().content()


@pytest.mark.full
def test_the_axes_of_the_front_change(show, folder):
    """What they leave out is counted at the margin where it lies; unpriced chips are named."""
    shutil.copy(load_machine("speck").machine.where, folder.machines / "speck.toml")
    page = show()
    assert "No published price, and so no energies: speck." in page.inner_text("#answers")
    assert page.inner_text("#failed") == ""
    counted = "find('front-plot').layout.annotations.map(one => one.text)"
    assert page.evaluate(counted) == ["1 \u25be below"]
    page.evaluate("Plotly.relayout('front-plot', {'yaxis.range': [91, 100]})")
    assert page.evaluate(counted) == ["2 \u25be below"]
    page.evaluate("Plotly.relayout('front-plot', {'yaxis.range': [85, 95.5]})")
    assert page.evaluate(counted) == ["1 \u25be below", "1 \u25b4 above"]
    page.evaluate("Plotly.relayout('front-plot', {'yaxis.autorange': true})")
    assert page.evaluate(counted) == []
    page.select_option("#x-axis", "kept")
    title = page.locator("#front-plot .xtitle")
    assert title.text_content() == "kept block weights [%]"
    page.select_option("#y-axis", "sops")
    assert page.locator("#front-plot .ytitle").text_content() == "synaptic operations (SOPs)"


@pytest.mark.full
def test_the_table_sorts_and_filters(show):
    page = show()
    assert [row[0] for row in rows(page)] == ["0", "1", "2", "3", "4", "5", "6"]
    reading = "((one) => [columns[0][2](columns[0][1](one)), columns[0][3](one)])({trial: '4@2'})"
    assert page.evaluate(reading) == ["4@2", 4.002]
    page.click("#trial-table th button:has-text('validation')")
    values = [float(row[3]) for row in rows(page)[:-1]]
    assert values == sorted(values) and values[0] < values[-1]
    assert rows(page)[-1][3] == "-"
    page.keyboard.press("Enter")  # the head keeps the focus
    assert [float(row[3]) for row in rows(page)[:-1]] == values[::-1]
    page.fill("#filter", "uniform")
    assert [row[0] for row in rows(page)] == ["0"]
    assert page.inner_text("#shown") == "1 of 7"
    page.fill("#filter", "")
    page.select_option("#state", "failed")
    assert [row[0] for row in rows(page)] == ["6"]
    page.check("#on-front")
    assert rows(page) == [] and page.inner_text("#shown").endswith(": nothing fits")
    page.select_option("#state", "")
    assert [row[0] for row in rows(page)] == page.evaluate("state.machine.front.toSorted()")
    page.uncheck("#on-front")
    page.select_option("#origin", "uniform")
    with page.expect_download() as saved:
        page.click("#csv")
    [head, line] = saved.value.path().read_text(encoding="utf-8").splitlines()
    assert head.startswith("trial,state,origin,validation %") and line.startswith("0,measured,")
    cells = dict(zip(head.split(","), line.split(","), strict=True))
    shown = page.inner_text("#trial-table tbody tr td:nth-child(4)")
    assert f"{float(cells['validation %']):.1f}" == shown, "of the unit that its head says"


@pytest.mark.full
def test_on_paper_nothing_is_cut(show):
    page = show(718)  # A4 between its margins
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    cut = """all => all.filter(one => one.scrollWidth > one.clientWidth
        || one.scrollHeight > one.clientHeight).map(one => one.closest("section").id)"""
    assert page.eval_on_selector_all(".wide, .sideways", cut) == []
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")


@pytest.mark.parametrize("width", [390, pytest.param(1440, marks=pytest.mark.full)])
@pytest.mark.parametrize("scheme", ["dark", pytest.param("light", marks=pytest.mark.full)])
def test_text_fits_and_can_be_read(show, width, scheme):
    page = show(width, scheme)
    for plot in PLOTS:
        page.locator(f"#{plot}").scroll_into_view_if_needed()
        page.wait_for_selector(f"#{plot} .main-svg")
    size = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert size[0] <= size[1] == width
    beyond = """all => all.filter(one => !one.closest('.wide, .plot')
        && one.getBoundingClientRect().right > innerWidth + 0.5).map(one => one.outerHTML)"""
    assert page.eval_on_selector_all("main *, header *", beyond) == []
    assert page.evaluate("(box => box.scrollWidth <= box.clientWidth)(find('answers').firstChild)")
    ground, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    light, dark = (sum(json.loads(f"[{c[4:-1]}]")) for c in (ground, ink))
    assert (light - dark) * (1 if scheme == "light" else -1) > 500


def test_numbers_equal_the_records(show, folder):
    page = show()
    data = json.loads(page.text_content("#data"))
    heads = folder.read_heads()
    for machine in data["machines"]:
        name = machine["name"]
        front = RunFronts(folder, heads).of(find_machine(folder, name))
        assert machine["front"] == [str(row.trial) for row in front.rows]
        assert machine["hypervolume"] == front.hypervolume
        assert machine["knee"] == str(knee(front).row.trial)
        own = {t["trial"]: t["on"][name]["energy_uj"] for t in data["trials"] if t["on"]}
        assert own == energies(folder, name)
        page.click(f"#machines button:text-is('{name}')")
        for row in rows(page):
            if row[0] in own:
                assert float(row[5]) == float(f"{own[row[0]] / machine['unit']['in_uj']:.4g}")
                numbers = find_machine(folder, name).machine.precision
                score = folder.read(TrialKey.parse(row[0])).measurement.at(*numbers).validation
                assert row[3] == f"{100 * score.accuracy:.1f}"
        chosen = knee(front).row
        assert f"Trial {chosen.trial} needs {energy_words(chosen.energy_uj)}" in page.inner_text(
            "#why"
        )
    for trial in data["trials"]:
        for on in trial["on"].values():
            for parts in (on["causes"], on["layers"]):
                assert sum(parts[1::2]) == pytest.approx(1e6 * on["energy_uj"], rel=1e-3)


@pytest.mark.full
def test_a_users_words_stay_words(show, folder):
    page = show()
    assert page.inner_text("#title") == folder.record.title
    page.click("#trial-table tr[data-trial='6']")
    assert page.evaluate("window.hit") is None
    assert page.locator("img").count() == 0


@pytest.mark.full
def test_answer_trial_and_table_do_not_wait_for_plotly(show, folder, monkeypatch):
    """As when a page is long in loading: no plots, but all the words, and no error."""
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "document.body.dataset.plotly = 1;")
    page = show(ready="plotly")
    assert "Trial 2 needs 443 nJ per inference" in page.inner_text("#why")
    assert len(rows(page)) == 7
    page.click("#machines button >> text=ops45_int8")
    page.click("#trial-table tr[data-trial='3']")
    assert "ops45_int8: " in page.inner_text("#trial")
    assert page.locator(".main-svg").count() == 0


def test_plotly_is_embedded_with_its_license_and_without_its_wrapper(folder):
    text = render(gather(folder))
    found = plotly.offline.get_plotlyjs()
    for words in ("Copyright 2012-", "Licensed under the MIT license"):
        assert text.count(words) == found.count(words) > 0
    assert "module.exports = factory()" in found
    assert "module.exports = factory()" not in text


@pytest.mark.full
@pytest.mark.usefixtures("chromium")
def test_its_benchmark_lengthens_a_run(root, folder, tmp_path):
    script, out = root / "benchmarks" / "page.py", tmp_path / "page.csv"
    command = [sys.executable, script, folder.path, "--trials", "12", "--rounds", "2", "--out", out]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["trials"] for row in rows] == ["7", "12"]
    assert all(float(row["opened_s"]) > 0 < float(row["size_mb"]) for row in rows)
