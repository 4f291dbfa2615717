"""What every command prints when all is well."""

from __future__ import annotations

import csv
import inspect
import io
import json
import sys
from pathlib import Path

import pytest

from autoprune.cli.output import laid_out
from autoprune.cost.load import load_machine
from autoprune.report.rows import FRONT
from autoprune.runs.folder import RunFolder
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.workload.workload import Workload


def own_machine(folder: Path, ac: float) -> Path:
    """A copy of ops45_int8 as a user's own file, with another price of an accumulation."""
    text = Path(load_machine("ops45_int8").machine.where).read_text(encoding="utf-8")
    file = folder / "my_chip.toml"
    file.write_text(text.replace("ac = { value = 0.03", f"ac = {{ value = {ac}"), encoding="utf-8")
    return file


def test_help_lists_every_command_with_an_example(autoprune) -> None:
    said = autoprune("--help")
    assert said.code == 0
    for name in ("run", "front", "price", "workload", "list", "show", "check"):
        assert f"  {name} " in said.out
        help_text = autoprune(name, "--help")
        assert help_text.code == 0
        assert f"\n  autoprune {name}" in help_text.out


def test_front_prints_every_machine_of_the_run(autoprune, run_folder) -> None:
    said = autoprune("front", run_folder)
    assert said.code == 0 and not said.err
    assert "loihi1: front of 1 out of 2 networks" in said.out
    assert "ops45_int8: front of 1 out of 2 networks" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_front_prices_a_machine_that_the_run_never_saw(autoprune, run_folder, tmp_path) -> None:
    [known] = csv.DictReader(
        io.StringIO(autoprune("front", run_folder, "--machine", "ops45_int8", "--csv").out)
    )
    file = own_machine(tmp_path, ac=0.3)
    said = autoprune("front", run_folder, "--machine", file, "--csv")
    [row] = csv.DictReader(io.StringIO(said.out))
    assert tuple(row) == tuple(FRONT)
    assert row["trial"] == known["trial"] == "1"
    assert float(row["val_accuracy"]) == 0.96  # of 8 bits; 0.97 of 32
    workload = RunFolder(run_folder).read_workload(TrialKey(1), 8)
    assert float(row["energy_uj"]) == load_machine(str(file)).price(workload).energy_uj
    assert float(row["energy_uj"]) > float(known["energy_uj"])


@pytest.mark.parametrize(
    ("bits", "said_so", "accuracy"),
    [
        (32, "Accuracy measured and energy priced at 32 bits.", 0.97),
        (16, "Accuracy measured at 8 bits, energy priced at 16 bits.", 0.96),
        (4, "Accuracy measured at 8 bits, energy priced at 4 bits.", 0.96),
    ],
)
def test_front_of_a_machine_of_other_bits_says_what_it_is_paired_with(
    autoprune, run_folder, tmp_path, bits, said_so, accuracy
) -> None:
    file = own_machine(tmp_path, ac=0.3)
    text = file.read_text(encoding="utf-8").replace("weight_bits = 8", f"weight_bits = {bits}")
    file.write_text(text, encoding="utf-8")
    out = autoprune("front", run_folder, "--machine", file).out
    assert said_so in " ".join(out.split())
    [row] = csv.DictReader(
        io.StringIO(autoprune("front", run_folder, "--machine", file, "--csv").out)
    )
    assert float(row["val_accuracy"]) == accuracy


def test_front_of_a_named_machine_uses_the_runs_own_copy(autoprune, run_folder) -> None:
    own_machine(run_folder / "machines", ac=3.0)
    said = autoprune("front", run_folder, "--machine", "my_chip", "--json")
    assert json.loads(said.out)["machine"] == "my_chip"


def test_front_without_a_machine_is_one_table_or_one_list(autoprune, run_folder) -> None:
    rows = list(csv.DictReader(io.StringIO(autoprune("front", run_folder, "--csv").out)))
    assert [row["machine"] for row in rows] == ["loihi1", "ops45_int8"]
    documents = json.loads(autoprune("front", run_folder, "--json").out)
    assert [document["machine"] for document in documents] == ["loihi1", "ops45_int8"]


def test_price_of_a_trial_names_causes_operations_and_what_is_left_out(
    autoprune, run_folder
) -> None:
    said = autoprune("price", f"{run_folder}:1", "--machine", "loihi1")
    text = " ".join(said.out.split())
    assert said.code == 0
    for part in (
        "synaptic operations",
        "blocks.0.mlp.fc1",
        "latency ",
        "cores ",
        "priced at 8 bits",
        "On the host, outside the total: stem",
        "Emulated: attention products",
        "static power 104 mW, while it runs part of the energy",
        "Not modelled: hops between tiles",
    ):
        assert part in text


def test_trials_may_be_named_as_a_front_prints_them(autoprune, run_folder) -> None:
    plain = autoprune("price", f"{run_folder}:0", "--machine", "loihi1", "--json")
    marked = autoprune("price", f"{run_folder}:0u", "--machine", "loihi1", "--json")
    assert plain.code == marked.code == 0
    assert plain.out == marked.out
    assert autoprune("price", f"{run_folder}:0x", "--machine", "loihi1").code == 2


def test_price_of_a_workload_file_is_that_of_its_trial(autoprune, run_folder, tmp_path) -> None:
    file = tmp_path / "w.json"
    assert autoprune("workload", run_folder, "fine-tuned", "--out", file).code == 0
    assert Workload.read(file) == RunFolder(run_folder).read_workload(FINE_TUNED)
    options = ("--machine", "systolic_14x12", "--json")
    from_file = json.loads(autoprune("price", file, *options).out)
    of_trial = json.loads(autoprune("price", f"{run_folder}:fine-tuned", *options).out)
    assert of_trial == {**from_file, "counted": "8 bits"}
    cost = load_machine("systolic_14x12").price(Workload.read(file))
    assert from_file["energy_uj"] == cost.energy_uj
    assert from_file["energy_pj_by_op"] == cost.by_op()
    assert sum(from_file["energy_pj_by_cause"].values()) == pytest.approx(1e6 * cost.energy_uj)
    assert from_file["cycles"] == cost.cycles


def test_a_workload_of_a_machines_bits(autoprune, run_folder, tmp_path) -> None:
    file, run = tmp_path / "w.json", RunFolder(run_folder)
    assert autoprune("workload", run_folder, "1", "--weight-bits", "8", "--out", file).code == 0
    assert (
        Workload.read(file) == run.read_workload(TrialKey(1), 8) != run.read_workload(TrialKey(1))
    )
    for bits in (1, 65):
        said = autoprune("workload", run_folder, "1", "--weight-bits", bits, "--out", file)
        assert said.code == 2 and f"{bits} is not in the range 2<=x<=64" in said.err


def test_list_names_everything_bundled_with_its_title(autoprune) -> None:
    out = autoprune("list").out
    assert "Loihi 1" in out
    for name in ("digits", "loihi1", "ops45_fp32", "ops45_int8", "systolic_14x12"):
        assert f"  {name} " in out


@pytest.mark.parametrize("name", ["loihi1", "ops45_fp32", "ops45_int8", "systolic_14x12"])
def test_show_gives_every_number_of_a_machine_with_evidence_and_source(autoprune, name) -> None:
    said = autoprune("show", name)
    assert said.code == 0
    # Sources are broken over lines of the last column: compare without any blank.
    squeezed = "".join(said.out.split())
    machine = load_machine(name).machine
    for number in (*machine.prices, *machine.parameters):
        [line] = [row for row in said.out.splitlines() if row.split()[:1] == [number.name]]
        assert [f"{number.value:g}", number.unit] == line.split()[1:3]
        assert number.evidence in line
        assert number.source.split()[0] in line
    for text in (*machine.references, *machine.emulated, *machine.not_modelled):
        assert "".join(text.split()) in squeezed
    formulas = said.out.split("Formulas:\n")[1]
    family = inspect.getdoc(sys.modules[type(load_machine(name)).__module__])
    assert formulas.split() == family.split()
    assert max(map(len, said.out.splitlines())) <= 80


def test_formulas_stay_lines_and_prose_is_filled() -> None:
    lines = [
        "A" + " word" * 15 + ",",
        "goes on.",
        "",
        "    E = a",
        "      + b",
        "    c    of" + " words" * 13,
        "",
        "- one" + " item" * 15,
        "  goes on",
        "- another",
    ]
    assert laid_out("\n".join(lines)).splitlines() == [
        "A" + " word" * 15 + ",",
        "goes on.",
        "",
        "    E = a",
        "      + b",
        "    c    of" + " words" * 11,
        "         words words",
        "",
        "- one" + " item" * 15,
        "  goes on",
        "- another",
    ]


def test_show_of_a_name_of_two_kinds_shows_both(autoprune) -> None:
    out = autoprune("show", "digits").out
    assert "# study: " in out and "# search space: " in out
    assert "[network]" in out and "[branch.attention]" in out


def test_check_recognises_a_file_by_its_keys(autoprune, root, tmp_path) -> None:
    for folder, kind in (
        ("cost_models/loihi1", "machine"),
        ("search_spaces/digits", "search space"),
        ("studies/digits", "study"),
    ):
        file = tmp_path / "file.toml"
        file.write_text((root / f"{folder}.toml").read_text(encoding="utf-8"), encoding="utf-8")
        said = autoprune("check", file)
        assert all(len(line) <= 80 for line in said.out.splitlines() if str(file) not in line)
        *rules, last = said.out.splitlines()
        assert (said.code, last) == (0, f"{file}: a correct {kind}")
        assert all(line.startswith(("  pass    ", " " * 10)) for line in rules)
        passed = sum(line.startswith("  pass    ") for line in rules)
        assert passed == (15 if kind == "machine" else 0)


def test_check_says_which_rule_does_not_apply_and_why(autoprune, root) -> None:
    said = autoprune("check", root / "cost_models" / "systolic_14x12.toml")
    assert "  not so  operations priced one by one add up" in said.out
    assert "only the first operation reads the network's input" in said.out
