"""What nm is worth: the digits study with and without it, on two machines that differ in patterns.

Both are the page's roofline, docs/my_gpu.toml, made as small as the network: 1 GOP/s, 1 ns per
operation, so that arithmetic decides. One reads weights that obey 1:4 or 2:4 as such and skips
their zeros; on the other zeros save nothing, and only dimensions that leave do. Per seed and space
one search with both energies as objectives; printed is the hypervolume of each machine, and the
least energy within a point of the fine-tuned parent, as a share of its energy.

    python benchmarks/patterns.py [--study digits] [--seeds 1] [--trials 30] [--workers 0]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from autoprune.config import find_file
from autoprune.report.front.front import MachineFront
from autoprune.study.study import load_study
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import Prepared, prepare
from autoprune.sweep.progress import Nobody

ROOT = Path(__file__).resolve().parent.parent
CHANGES = {
    "peak = { value = 10,": "peak = { value = 0.001,",
    "efficiency = { value = 0.5,": "efficiency = { value = 1.0,",
    "overhead = { value = 10,": "overhead = { value = 0.001,",
}
READS = {
    "\n# weight_formats = [": '\nweight_formats = ["1:4", ',
    "\n# skipped_patterns = [": ('\nskipped_patterns = ["1:4", '),
}
NM = 'nm = { values = ["dense", "2:4", "1:4"] }\n'


def changed(text: str, changes: dict[str, str]) -> str:
    """The text with every change, each of which has its place in it."""
    for old, new in changes.items():
        if old not in text:
            raise SystemExit(f"no {old!r} to change")
        text = text.replace(old, new)
    return text


def prepared(folder: Path, asked: argparse.Namespace, seed: int, nm: bool) -> Prepared:
    """The study in a folder with the two machines and a space, with nm or without it."""
    given, _, file = load_study(asked.study)
    gpu = changed((ROOT / "docs" / "my_gpu.toml").read_text(encoding="utf-8"), CHANGES)
    (folder / "zeros.toml").write_text(gpu, encoding="utf-8")
    (folder / "patterns.toml").write_text(changed(gpu, READS), encoding="utf-8")
    space = find_file("search_spaces", given.space, file.parent).read_text(encoding="utf-8")
    tables = {f"[branch.{name}]\n": f"[branch.{name}]\n{NM}" for name in ("attention", "mlp")}
    (folder / "space.toml").write_text(changed(space, tables if nm else {}), encoding="utf-8")
    changes = {
        "seed": seed,
        "space": str(folder / "space.toml"),
        "machines": [str(folder / f"{name}.toml") for name in ("zeros", "patterns")],
        "objectives": ["accuracy", "energy_uj@zeros", "energy_uj@patterns"],
    }
    return prepare(given.model_copy(update=changes), asked.trials, asked.workers)


def least(front: MachineFront) -> float:
    """The least energy within a point of the fine-tuned parent, as a share of its energy."""
    close = front.parent.accuracy - 0.01
    energies = [row.energy_uj for row in front.points if row.validation.accuracy >= close]
    return min(energies, default=front.parent_energy_uj) / front.parent_energy_uj


def main() -> None:
    """Run every seed with and without nm, print as it goes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--study", default="digits")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--workers", type=int, default=0)
    arguments = parser.parse_args()
    for seed in range(arguments.seeds):
        for nm in (False, True):
            with tempfile.TemporaryDirectory() as scratch:
                folder, start = Path(scratch), time.perf_counter()
                ready = prepared(folder, arguments, seed, nm)
                finished = run(ready, folder / "run", Nobody())
            for name, front in finished.fronts.items():
                thinned = sum(" 2:4" in row.plan or " 1:4" in row.plan for row in front.rows)
                print(
                    f"seed {seed}, nm {'searched' if nm else 'absent'}: {name:8} hypervolume "
                    f"{front.hypervolume:.4f}, least energy {least(front):.3f}, "
                    f"{thinned} of {len(front.rows)} on the front by nm "
                    f"({time.perf_counter() - start:.0f} s)",
                    flush=True,
                )


if __name__ == "__main__":
    main()
