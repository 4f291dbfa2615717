"""What properties are tried on: shapes of networks, places and keys, records, points of fronts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from autoprune.compress.effort import Effort
from autoprune.config import Json
from autoprune.cost.load import load_machine
from autoprune.networks.place import BRANCHES, Place
from autoprune.networks.shape import BlockShape, BranchShape, MatrixShape, NetworkShape
from autoprune.runs.record import Calibration, Places, RunRecord, Volumes
from autoprune.trial.key import FINE_TUNED, NO_BLOCKS, PARENT, TrialKey

WORDS = st.text(max_size=8)
LOIHI = load_machine("loihi1").machine.arithmetic
assert LOIHI is not None
ARITHMETICS = (LOIHI, replace(LOIHI, state=32, decay_form="shift"))
COUNTS, SIZES = st.integers(0, 10**6), st.integers(1, 10**6)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | COUNTS | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)

MATRIX = st.builds(MatrixShape, name=WORDS, weights_per_dimension=SIZES)
MATRICES = st.lists(MATRIX, max_size=3).map(tuple)
BLOCKS = st.lists(
    st.builds(
        BranchShape,
        name=st.sampled_from(BRANCHES),
        groups=st.integers(1, 8),
        size=SIZES,
        matrices=st.lists(MATRIX, min_size=1, max_size=3).map(tuple),
        fixed=WORDS,
    ),
    max_size=3,
    unique_by=lambda branch: branch.name,
).map(lambda branches: BlockShape(branches=tuple(branches)))
SHAPES = st.builds(
    NetworkShape,
    blocks=st.lists(BLOCKS, min_size=1, max_size=13).map(tuple),
    stem=MATRICES,
    head=MATRICES,
)
"""Networks of up to 13 blocks, so that some have numbers of two digits; with stem and head."""

PLACES = st.builds(Place, st.integers(0, 99), st.sampled_from(["", *BRANCHES]))
BASELINES = st.sampled_from([PARENT, FINE_TUNED, NO_BLOCKS]) | PLACES.map(TrialKey.without)
TRIALS = st.builds(TrialKey, st.integers(0, 10**7))
REPETITIONS = st.builds(TrialKey, st.integers(0, 10**7), st.integers(0, 99))
KEYS = BASELINES | TRIALS | REPETITIONS

RECORDS = st.builds(
    RunRecord,
    title=WORDS,
    data=WORDS,
    trials=COUNTS,
    shape=SHAPES,
    effort=st.builds(
        Effort, time_steps=st.integers(1, 8), learning_rate=st.floats(0, 1), epochs=COUNTS
    ),
    weight_bits=st.lists(st.integers(2, 32), max_size=3).map(tuple),
    arithmetics=st.lists(st.sampled_from(ARITHMETICS), max_size=2, unique=True).map(tuple),
    folder=WORDS,
    data_root=st.none() | WORDS,
    identity=st.dictionaries(WORDS, JSON, max_size=3),
    places=st.builds(Places, storage=st.none() | WORDS, mlflow=st.none() | WORDS),
    machine_folders=st.dictionaries(WORDS, WORDS, max_size=2),
    hypervolumes=st.dictionaries(
        WORDS,
        st.builds(
            Volumes,
            reference=st.tuples(NUMBERS, NUMBERS),
            trials=NUMBERS,
            uniform=NUMBERS,
            history=st.lists(st.tuples(COUNTS, NUMBERS), max_size=3).map(tuple),
        ),
        max_size=2,
    ),
    calibration=st.none()
    | st.builds(
        Calibration,
        trials=COUNTS,
        errors=st.dictionaries(WORDS, NUMBERS, max_size=2),
        expected=NUMBERS,
        realised=NUMBERS,
    ),
)

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.floats(1e-9, 1e9)), min_size=1, max_size=40)
"""Points of a front: accuracy and energy."""

STEPS = 20
TIED_PAIRS = st.lists(
    st.tuples(
        st.integers(0, STEPS).map(lambda step: step / STEPS),
        st.sampled_from([0.0, 1.0, 2.0, 3.5, 9.0]),
    ),
    max_size=25,
)
"""The same of few different values, steps of accuracy, so that ties and equal points occur."""
