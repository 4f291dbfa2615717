"""[compression]: the options that methods declare, a user's own among them."""

from __future__ import annotations

import sys

import pytest

from autoprune.compress.registry import forget, use
from autoprune.compress.spec import CompressionSpec
from autoprune.compress.surgery.apply import Manner, subject_of
from autoprune.errors import InputError
from tests.refusals import assert_refused, refusals

NAME = "own_option:Own"
CODE = """
from autoprune.compress.method import Method
from autoprune.compress.option import Option
from autoprune.compress.setting import Setting


class Own(Method):
    name = "own"
    settings = (Setting(name="own", kinds=("branch",), means="", neutral=0.0),)
    options = (Option(name="own_seed", means="", default=0, high=9, whole=True),)

    def part(self, given, before, effort): ...

    def surgery(self): ...
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Lets a method with an option of its own be known."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(option: str = "own_seed") -> None:
        (tmp_path / "own_option.py").write_text(CODE.replace("own_seed", option), encoding="utf-8")
        use([NAME], "study.toml")

    yield make
    forget([NAME])
    sys.modules.pop("own_option", None)


def test_an_option_of_ones_own_reaches_the_surgery(write, network, adapter):
    write()
    spec = CompressionSpec(methods=[NAME], own_seed=3)
    spec.check_options("study.toml", imports=True)
    told = subject_of(network, adapter, Manner(options=spec.options)).options
    assert told == {
        "own_seed": 3,
        "dsp_score": "l1",
        "l1p_score": "magnitude",
        "l1p_schedule": "one_shot",
    }
    assert subject_of(network, adapter).options["own_seed"] == 0


@refusals(
    ({"own_seed": 1.5}, "study.own_seed: given 1.5; expected a whole number from 0 to 9"),
    ({"own_seed": True}, "study.own_seed: given True; expected a whole number"),
    ({"own_seed": [1]}, "study.own_seed: given [1]; expected a whole number"),
    ({"own_sed": 1}, "study.own_sed: unknown key 'own_sed'*did you mean 'own_seed'"),
    ({"l1p_score": "os:system"}, "study.l1p_score: names code, 'os:system', which is not"),
)
def test_what_is_wrong_is_named(write, given, words):
    write()
    spec = CompressionSpec(**given)
    assert_refused(words, spec.check_options, "study", imports=False)


@pytest.mark.parametrize("taken", ["dsp_score", "methods"])
def test_an_option_has_one_method(write, taken):
    with pytest.raises(InputError, match=f"own_option:Own: a second option {taken!r}"):
        write(taken)


def test_what_is_usual_decides_nothing():
    usual, other = CompressionSpec(dsp_score="l1"), CompressionSpec(dsp_score="activity")
    assert usual.decided() == CompressionSpec().decided() == {"methods": []}
    assert other.decided() == {"methods": [], "dsp_score": "activity"}
