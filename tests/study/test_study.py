"""Studies: what is wrong with a file is named before anything trains."""

from __future__ import annotations

import pytest

from autoprune.config import bundled_names
from autoprune.errors import InputError
from autoprune.study.check import load_checked
from tests.refusals import assert_refused, refusals


@pytest.fixture
def good(root) -> str:
    return (root / "studies" / "digits.toml").read_text(encoding="utf-8")


def load(tmp_path, text: str):
    (tmp_path / "study.toml").write_text(text)
    return load_checked(str(tmp_path / "study.toml"))


@pytest.mark.parametrize("name", bundled_names("studies"))
def test_bundled_studies_load(name):
    checked = load_checked(name)
    assert checked.study.title and checked.space.title
    assert set(checked.machines) == set(checked.study.machines)


@refusals(
    (('"energy_uj@loihi1"', '"energy_uj@loihi"'), "unknown metric*mean 'energy_uj@loihi1'"),
    (('"accuracy", ', '"acuracy", '), "unknown metric 'acuracy'*mean 'accuracy'"),
    (('"accuracy", "energy_uj@loihi1", ', ""), "2 to 4 different metrics"),
    (('"energy_uj@loihi1"', '"latency_us@ops45_fp32"'), "ops45_fp32 defines no latency"),
    (('"energy_uj@loihi1"', '"weight_bits"'), "weight_bits, which digits does not search"),
    (('"accuracy", ', '"accuracy@loihi", '), "unknown metric*mean 'accuracy@loihi1'"),
    (
        ('sampler = "block_response"', 'sampler = "tpee"'),
        "sampler*gp, nsga2, nsga3, qmc, random, tpe*mean 'tpe'",
    ),
    (('"loihi1", "systolic_14x12", "ops', '"lohi1", "systolic_14x12", "ops'), "mean 'loihi1'"),
    (('machines = ["loihi1", ', 'machines = ["loihi1", "loihi1", '), "each once"),
    (('space = "digits"', 'space = "digit"'), "unknown search space 'digit'"),
    (('data = "digits"', 'data = "svhn"'), "data: given 'svhn'"),
    (('model = "spikformer_patch"', 'model = "spikfomer"'), "network.model*mean 'spikformer'"),
    (
        ('model = "sp', 'adapter = "mine"\nmodel = "sp'),
        "network.adapter: given 'mine'*module:Class",
    ),
    (("trials = 48\nworkers = 2\nthreads = 1\nseed = 0\n", ""), "trials: missing, as are *seed"),
    (("[parent]", "[old_parent]"), "unknown key 'old_parent'*mean 'parent'"),
    (('dsp_score = "l1"', 'l1p_schedule = "cubic"'), "given 'cubic'; expected one of gradual"),
    (('dsp_score = "l1"', 'dsp_scor = "l1"'), "compression.dsp_scor: unknown*mean 'dsp_score'"),
    (('dsp_score = "l1"', 'metods = ["a:B"]'), "unknown key 'metods'*mean 'methods'"),
    (('dsp_score = "l1"', 'dsp_score = "activty"'), "score: given 'activty'*mean 'activity'"),
    (('dsp_score = "l1"', "dsp_score = 1"), "dsp_score: given 1; expected one of activity, l1"),
    (('dsp_score = "l1"', 'l1p_score = "maths:sqrt"'), "l1p_score: 'maths:sqrt' cannot be imp"),
    (('dsp_score = "l1"', 'l1p_score = "math:pi"'), "l1p_score: 'math:pi' is of type float; exp"),
    (('dsp_score = "l1"', 'l1p_schedule = "math:sqrt"'), "given 'math:sqrt'; expected one of gr"),
    (("[measure]", "[compute]\ngpu_fraction = 0.5\n[measure]"), "gpu_fraction with device"),
    (("[measure]", '[compute]\nprecision = "fp61"\n[measure]'), "mean 'fp16'"),
    (("trials = 48", "trials = -3"), "trials: given -3*greater than or equal to 1"),
    (("trials = 48", 'trials = "48"'), "trials: given '48'"),
    (("trials = 48", "trails = 48"), "unknown key 'trails'*mean 'trials'"),
    (("learning_rate = 1e-2", "learning_rate = nan"), "learning_rate"),
    (("seed = 0", "seed = 0\nseed = 1"), "Cannot overwrite"),
    (("seed = 0", "seed = 4294967296"), "seed: given 4294967296*less than 4294967296"),
    (("trials = 48", f"trials = {2**63}"), f"trials: given {2**63}*less than or equal"),
    (("learning_rate = 1e-2", "learning_rate = 1e-320"), "learning_rate: given*greater than"),
    (("time_steps = 4", "time_steps = 1025"), "time_steps: given 1025*less than or equal to 1024"),
    (("threads = ", "threads = 1025 # "), "threads: given 1025*less than or equal to 1024"),
    (("[measure]", "[compute]\ntrial_minutes = 0.009\n[measure]"), "trial_minutes: given 0.009"),
    (("[measure]", "[compute]\ntrial_minutes = 1e6\n[measure]"), "trial_minutes: given 1000000"),
    (("seed = 0", 'seed = 0\nbudgets = ["accuracy >= 1.1"]'), "'accuracy >= 1.1'; expected 0 to 1"),
    (("seed = 0", 'seed = 0\nbudgets = ["parameters <= -1"]'), "<= -1'; expected 0 or more"),
    (("seed = 0", 'seed = 0\nbudgets = ["parameters <= 0"]'), "<= 0'; expected a number above 0"),
    (("learning_rate = 1e-2", "learning_rate = 1e308"), "learning_rate: given 1e+308*less than"),
    (("epochs = ", f"epochs = 1{'0' * 12} # "), "epochs: given 1000000000000*less than"),
    (("batch_size = ", f"batch_size = 1{'0' * 12} # "), "batch_size: given 1000000000000*less"),
    (("census_samples = ", "census_samples = 1000000000 # "), "census_samples: given 1*less"),
    (("batch_norm_batches = ", "batch_norm_batches = 1000000000 # "), "batches: given 1*less"),
    (("lag = ", "lag = 1000000000 # "), "search.lag: given 1000000000*less than"),
    (
        ('data = "digits"', 'data = { name = "digits", validation = 1e-9 }'),
        "validation: given 1e-09",
    ),
    (
        ('data = "digits"', 'data = { name = "digits", validation = 0.9999 }'),
        "validation: given 0.9",
    ),
    (("title = ", 'title = "" # '), "title: given ''; expected one line of 1 to 200 characters"),
    (("title = ", 'title = "a\\nb" # '), "title: given*expected one line"),
    (("title = ", 'title = "a\\u2028b" # '), "title: given*expected one line"),
    (("title = ", 'title = "\\u200b\\u3000" # '), "title: given*expected one line"),
    (("title = ", f'title = "{"x" * 201}" # '), "title: given*expected one line"),
)
def test_what_is_wrong_is_named(tmp_path, good, given, words):
    old, new = given
    assert old in good
    assert_refused(words, load, tmp_path, good.replace(old, new, 1))


def test_metrics_of_precision_are_objectives_where_there_is_something_to_measure(
    tmp_path, root, good
):
    space = (root / "search_spaces" / "digits.toml").read_text(encoding="utf-8")
    space = space.replace("[model]", "[model]\nweight_bits = { values = [4, 8] }")
    (tmp_path / "bits.toml").write_text(space)
    text = good.replace('space = "digits"', 'space = "bits.toml"')
    text = text.replace('"accuracy", "energy_uj@loihi1"', '"accuracy@loihi1", "weight_bits"')
    study = load(tmp_path, text).study
    assert study.objectives[:2] == ["accuracy@loihi1", "weight_bits"]


@pytest.mark.parametrize(
    ("setting", "offered", "refused"),
    [
        ("threshold", "neuron", True),
        ("threshold", "channel", False),
        ("threshold", "fixed", False),
        ("tau", "neuron", False),  # nothing is known of decays
    ],
)
def test_neurons_differ_no_more_finely_than_a_machines_do(
    tmp_path, root, good, setting, offered, refused
):
    machine = (root / "cost_models" / "ops45_int8.toml").read_text(encoding="utf-8")
    machine += '[neurons.threshold]\nfinest = "channel"\nevidence = "specified"\nsource = "sheet"\n'
    (tmp_path / "chip.toml").write_text(machine)
    space = f'title = "fine"\nneuron.{setting}.values = ["{offered}"]\n'
    (tmp_path / "fine.toml").write_text(space)
    lines = [line for line in good.splitlines() if not line.startswith(("space", "mach", "objec"))]
    lines[:0] = ['space = "fine.toml"', 'machines = ["chip.toml"]']
    lines[:0] = ['objectives = ["accuracy", "energy_uj@chip"]']
    if refused:
        words = "machines: fine.toml offers a threshold per neuron, which chip has none of; "
        words += "expected at the finest a threshold per channel (sheet)"
        assert_refused(words, load, tmp_path, "\n".join(lines))
    else:
        assert load(tmp_path, "\n".join(lines)).machines.keys() == {"chip"}


def test_a_machine_of_one_bit_is_refused(tmp_path, root, good):
    machine = (root / "cost_models" / "loihi1.toml").read_text(encoding="utf-8")
    machine = machine.replace("weight_bits = 8", "weight_bits = 1")
    (tmp_path / "mine.toml").write_text(machine)
    text = good.replace('["loihi1"', '["mine.toml"').replace("@loihi1", "@mine")
    with pytest.raises(InputError, match="machines: mine has weight_bits = 1; expected at least 2"):
        load(tmp_path, text)


def test_paths_are_relative_to_the_study(tmp_path, root, good):
    (tmp_path / "mine.toml").write_bytes((root / "cost_models" / "loihi1.toml").read_bytes())
    (tmp_path / "where.toml").write_bytes((root / "search_spaces" / "digits.toml").read_bytes())
    text = good.replace('["loihi1"', '["mine.toml"').replace("@loihi1", "@mine")
    checked = load(tmp_path, text.replace('space = "digits"', 'space = "where.toml"'))
    assert next(iter(checked.machines)) == "mine"
    assert checked.study.machines[0] == "mine.toml"


def test_unknown_study():
    with pytest.raises(InputError, match="unknown study 'digts'.*mean 'digits'"):
        load_checked("digts")
