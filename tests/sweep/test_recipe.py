"""A study without learning rates: the run chooses them, once, and is of what it has chosen."""

from __future__ import annotations

import pytest

from autoprune.errors import InputError
from autoprune.runs.folder import RunFolder
from autoprune.runs.recipe import ChosenRates, read_chosen
from autoprune.study.recorded import recorded_parts
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import prepare
from autoprune.trial.key import FINE_TUNED
from tests.short import Noting

SILENT = ("learning_rate = 1e-3\n", "")
ONE = ("l1p = [0.5, 0.8, 0.9]", "l1p = [0.9]")
FIXED = ('[neuron]\nthreshold = { values = ["fixed", "layer"] }\n', "")
PINNED = ('threshold = ["fixed"]\ntau = ["fixed"]\n', "")
FREE = ('tau = { values = ["fixed", "layer", "channel"] }\n', "")


class Watching(Noting):
    """Notes what is said of the recipe; stops the run in its middle, or after two baselines."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__()
        self.stop_at, self.chosen, self.done = stop_at, [], []

    def tuning(self, done: int, total: int) -> None:
        self.done.append(done)
        if done == self.stop_at:
            raise KeyboardInterrupt

    def recipe(self, chosen: ChosenRates) -> None:
        self.chosen.append(chosen)

    def measuring(self, done: int, total: int) -> None:
        if done >= 2:
            raise KeyboardInterrupt


def watched(study, place, stop_at: int | None = None, workers: int = 0) -> Watching:
    watcher = Watching(stop_at)
    with pytest.raises(KeyboardInterrupt):
        run(prepare(str(study), workers=workers), place, watcher)
    return watcher


@pytest.fixture
def silent(short_study):
    from tests.short import change_space

    study = short_study(SILENT, ("trials = 7", "trials = 1"))
    change_space(study, ONE, FIXED, PINNED, FREE)
    return study


def test_a_run_chooses_once_and_is_of_what_it_has_chosen(silent, tmp_path):
    place = tmp_path / "run"
    watched(silent, place, stop_at=2)
    assert len(RunFolder(place).files(place / "recipe")) == 2
    watcher, whole = watched(silent, place), watched(silent, tmp_path / "other")
    assert watcher.done[0] == 2  # what was trained is taken up
    (chosen,), (same,) = watcher.chosen, whole.chosen
    assert chosen.choices == same.choices
    folder, rate = RunFolder.opened(place), chosen.rates["learning_rate"]
    assert folder.read(FINE_TUNED).plan.effort.learning_rate == rate
    assert folder.record.effort.learning_rate == rate
    assert folder.record.identity["finetune"]["learning_rate"] == rate
    assert recorded_parts(folder).finetune.learning_rate == rate
    again = watched(silent, place)
    assert (again.chosen, again.done) == ([read_chosen(folder.chosen_rates)], [])
    given = silent.read_text().replace("[finetune]\n", "[finetune]\nlearning_rate = 0.5\n")
    silent.write_text(given)
    with pytest.raises(InputError, match=f"finetune.learning_rate is {rate} there and 0.5"):
        run(prepare(str(silent), workers=0), place, Noting())


@pytest.mark.slow
@pytest.mark.ray
def test_two_workers_choose_as_one_process_does(silent, tmp_path, one_ray):
    one_ray()
    one, two = (watched(silent, tmp_path / str(n), workers=n).chosen[0] for n in (0, 2))
    assert one.choices == two.choices


def test_what_cannot_be_chosen_is_said_before_anything_trains(short_study):
    study = short_study(SILENT, ("epochs = 1", "epochs = 0"))
    with pytest.raises(
        InputError, match="finetune.learning_rate: left out, and nothing is fine-tu"
    ):
        prepare(str(study), workers=0)


def test_check_tries_a_studys_own_rate_among_the_others(silent, autoprune):
    text = silent.read_text().replace("[finetune]\n", "[finetune]\nlearning_rate = 2e-3\n")
    silent.write_text(text.replace("workers = 2", "workers = 0"))
    said = autoprune("check", silent, "--recipe")
    assert ("0.002" in said.out and "0.0032" in said.out) and "*" in said.out, said
    assert said.code in (0, 2)
    said = autoprune("check", "loihi1", "--recipe")
    assert (said.code, "--recipe of a study, which loihi1 is not" in said.err) == (2, True)
