"""A method that breaks a law of methods is told which, and no run begins with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autoprune.compress.registry import OURS, forget, named, use
from autoprune.trial.method_contract import refuse_broken, verdicts
from autoprune.trial.method_laws import CHEAP, LAWS
from autoprune.trial.tried import tried_network
from tests.refusals import assert_refused, refusals

NAME = "bad_method:Bad"
GOOD = """
from autoprune.compress.method import Left, Method
from autoprune.compress.part import Part, key_of
from autoprune.compress.setting import Setting
from autoprune.compress.surgery.masks import MaskSurgery


class Bad(Method):
    name = "bad"
    settings = (
        Setting(name="bad", kinds=("branch",), means="share", neutral=0.0, below=True),
    )

    def part(self, given, before, effort):
        zeros = []
        for place, branch in before.shape.branches():
            for matrix in branch.matrices:
                count = int(given.number(place, "bad") * branch.weights(matrix, branch.size))
                zeros += [(key_of(place, matrix.name), count)] if count else []
        return Part.of(self.name, zeros)

    def left(self, part, before):
        return before.with_zeros(dict(part.amounts))

    def surgery(self):
        return First()


class First(MaskSurgery):
    def keep(self, weight, amount):
        kept = weight != weight
        kept.view(-1)[amount:] = True
        return kept
"""
BAD = {
    "no neutral value": (
        "neutral=0.0",
        "neutral=2.0",
        "every setting has a neutral value, and others",
    ),
    "neutral is not empty": (
        "if count else []",
        "if True else []",
        "neutral values make an empty part",
    ),
    "an empty part changes something": (
        "    def keep(",
        "    def reshape(self, subject, part):\n"
        '        subject.network.get_submodule("head").weight.data.mul_(2)\n\n    def keep(',
        "an empty part leaves the parent, bit for bit",
    ),
    "parts that hash alike": (
        'int(given.number(place, "bad") * branch.weights(matrix, branch.size))',
        'int(bool(given.number(place, "bad")))',
        "different values make parts that hash differently",
    ),
    "another part every time": (
        "return Part.of(self.name, zeros)",
        "import random; return Part.of(self.name, "
        "[(k, max(1, c - random.randrange(9))) for k, c in zeros])",
        "a part is canonical: made again and stored, it is the same",
    ),
    "a part of another method": (
        "Part.of(self.name, zeros)",
        'Part.of("l1p", zeros)',
        "a part is canonical: made again and stored, it is the same",
    ),
    "ends the process": (
        "        zeros = []",
        "        raise SystemExit(3)",
        "every setting has a neutral value, and others",
    ),
    "grows": (
        "    def keep(",
        "    def thin(self, subject, part):\n"
        "        from torch import nn\n"
        "        subject.network.extra = nn.Linear(99, 999)\n\n    def keep(",
        "no network grows",
    ),
    "says too little": (
        "return before.with_zeros(dict(part.amounts))",
        "return before",
        "sizes and zeros are those that are found",
    ),
    "adds parameters": (
        "    def keep(",
        "    def reshape(self, subject, part):\n"
        "        import torch\n"
        "        subject.network.extra = torch.nn.Parameter(torch.ones(3))\n\n    def keep(",
        "sizes and zeros are those that are found",
    ),
    "does not pickle": (
        "    def surgery(self):",
        "    def __init__(self):\n        self.own = lambda: 0\n\n    def surgery(self):",
        "the network copies, pickles, saves and loads",
    ),
    "hashes otherwise elsewhere": (
        "return Part.of(self.name, zeros)",
        'import os; s = os.environ.get("PYTHONHASHSEED", "0"); '
        "return Part.of(self.name, [(k, c - (s == '1')) for k, c in zeros])",
        "a part hashes alike in another process",
    ),
    "zeros come back": (
        "    def keep(",
        "    def training(self, subject, part):\n"
        "        from contextlib import nullcontext\n"
        "        return nullcontext()\n\n    def keep(",
        "zeros survive momentum and weight decay",
    ),
}


@pytest.fixture
def write(tmp_path, monkeypatch) -> Iterator[object]:
    """Writes bad_method.py into the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(old: str = "", new: str = "") -> None:
        assert old in GOOD
        Path("bad_method.py").write_text(GOOD.replace(old, new, 1), encoding="utf-8")

    yield make
    forget([NAME])
    sys.modules.pop("bad_method", None)


def test_a_good_method_passes(autoprune, write):
    write("        zeros = []", "        zeros = []\n        print('a part')")
    said = autoprune("check", NAME)
    assert (said.code, said.err) == (0, "")
    assert said.out.count("  pass ") == 10
    assert "broken" not in said.out


def test_a_method_that_ships_is_checked_alike(autoprune, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    said = autoprune("check", "autoprune.compress.methods.weight_bits:WeightBits")
    assert (said.code, said.err) == (0, "")
    assert said.out.count("  pass ") == 10


@pytest.mark.parametrize("what", BAD)
def test_a_law_that_is_broken_is_named(write, what):
    old, new, law = BAD[what]
    write(old, new)
    use([NAME], "here")
    tried = tried_network()
    [verdict] = verdicts(named(NAME), tried, {law: LAWS[law]})
    assert verdict.counterexample
    if law in CHEAP:
        words = "study: bad breaks a law of methods; expected that"
        assert_refused(words, refuse_broken, named(NAME), tried, "study")


def test_check_prints_every_law(autoprune, write):
    write("return before.with_zeros(dict(part.amounts))", "return before")
    said = autoprune("check", NAME)
    assert said.code == 2
    assert said.out.count("  pass ") == len(LAWS) - 1
    assert "broken  sizes and zeros are those that are found\n          branch.bad = " in said.out
    assert "breaks 1 of 10 laws that methods obey" in said.err


@refusals(
    (('name = "bad"', 'name = "l1p"'), "there is another method 'l1p'"),
    (('name="bad"', 'name="l1p"'), "a second setting 'l1p' of a branch"),
    (('("branch",)', '("branch", "branch")'), "a second setting 'bad' of a branch"),
    (("def surgery", "def surgeri"), "raised TypeError: Can't instantiate abstract class Bad"),
    (('name = "bad"', 'name = "bad"\n    stage = "last"'), "stage 'last'"),
    (('name = "bad"', 'name = "a bad one"'), "the name 'a bad one'; expected letters, digits"),
    (('name="bad"', 'name="b-d"'), "the name 'b-d'; expected letters, digits"),
    (('kinds=("branch",)', 'kinds=("brunch",)'), "a setting of a 'brunch'*mean 'branch'"),
    (("settings = (", 'settings = ("bad",) + ('), "settings ('bad', *expected a tuple of Setting"),
    (
        ("    def surgery", "    def __init__(self):\n        1 / 0\n\n    def surgery"),
        "raised ZeroDivisionError: division by zero (*bad_method.py, line",
    ),
)
def test_what_is_no_method_is_refused(autoprune, write, given, words):
    write(*given)
    assert_refused(words, autoprune, "check", NAME)


@refusals(
    (
        ("return before.with_zeros(dict(part.amounts))", "return before"),
        "bad breaks a law of methods; expected that sizes and zeros are those",
    ),
    (('name="bad"', 'name="l1p"'), "bad_method:Bad: a second setting 'l1p' of a branch"),
    (("zeros = []", "1 / 0"), "bad breaks a law*has a neutral value, and others (ZeroDivision"),
)
def test_no_run_begins_with_a_method_that_breaks_a_law(autoprune, write, short_study, given, words):
    write(*given)
    Path("space.toml").write_text(
        'title = "own"\n[branch.mlp]\nbad = { values = [0.0, 0.5] }\n', encoding="utf-8"
    )
    own = f'[compression]\nmethods = ["{NAME}"]'
    study = short_study(("short_space.toml", "space.toml"), after=own)
    assert_refused(words, autoprune, "run", study, "--dry-run")
    words = "names code, 'bad_method:Bad', which is not imported"
    assert_refused(words, autoprune, "check", study)


def test_ours_obey_every_law_on_the_network_of_check():
    tried = tried_network()
    for method in OURS:
        assert [v for v in verdicts(method, tried) if v.counterexample] == []
