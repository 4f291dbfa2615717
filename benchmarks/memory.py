"""What data of one's own take of a computer's memory while workers train on them.

A study of a small network on random images of bytes, a function's own data, runs on Ray. Every
half second the driver and Ray's workers are looked at: what each holds for itself alone, and what
it has mapped of Ray's object store, which lies there once for all of them. Pages of the store that
only one process has touched so far count as that process's own in USS, as psutil has it; here they
do not.

    python benchmarks/memory.py [--gib 1] [--workers 4]
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

import autoprune

SIDE = 64
GIB = 2**30
CODE = """
import numpy as np

def images(count):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (count, 3, {side}, {side}), dtype=np.uint8)
    return pixels, np.arange(count) % 10
"""
STUDY = """
title = "Memory of own data"
data = {{ name = "memory_data:images", count = {count}, train = 64, validation = 64, test = 64 }}
space = "digits"
machines = ["loihi1"]
objectives = ["accuracy", "energy_uj@loihi1"]
trials = {trials}
workers = {workers}
seed = 0
parent = {{ epochs = 1, learning_rate = 1e-2, batch_size = 32, weight_decay = 0.05 }}
finetune = {{ epochs = 1, learning_rate = 1e-3, batch_size = 32, weight_decay = 0.05 }}
search = {{ sampler = "random", lag = {workers} }}

[network]
model = "spikformer_patch"
time_steps = 4
embed_dims = 16
depths = 2
num_heads = 2
mlp_ratio = 2.0
patch_size = 16

[measure]
batch_norm_batches = 1
batch_norm_batch_size = 32
census_samples = 4
anytime = false
"""


class Peaks:
    """The most that each process held, in bytes: its own, and of Ray's object store."""

    def __init__(self) -> None:
        self.own: dict[str, int] = {}
        self.store: dict[str, int] = {}

    def look(self) -> None:
        """Look at the driver, which is this process, and at the workers that train."""
        driver = psutil.Process()
        for process in (driver, *driver.children(recursive=True)):
            try:
                line = " ".join(process.cmdline())
                if process != driver and not line.startswith("ray::ResourceTrainable"):
                    continue
                maps = process.memory_maps(grouped=False)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            name = "driver" if process == driver else f"worker {process.pid}"
            alone = [held for held in maps if "s" not in held.perms]
            own = sum(held.private_clean + held.private_dirty for held in alone)
            store = sum(held.rss for held in maps if "s" in held.perms)
            self.own[name] = max(self.own.get(name, 0), own)
            self.store[name] = max(self.store.get(name, 0), store)


@contextmanager
def watched(peaks: Peaks) -> Iterator[None]:
    """Look again and again while this lasts."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.5):
            peaks.look()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def main() -> None:
    """Write the study, run it watched, print a line per process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=4)
    asked = parser.parse_args()
    count = max(1000, round(asked.gib * GIB / (3 * SIDE * SIDE)))
    peaks, start = Peaks(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study.toml"
        (study.parent / "memory_data.py").write_text(CODE.format(side=SIDE), encoding="utf-8")
        text = STUDY.format(count=count, workers=asked.workers, trials=2 * asked.workers)
        study.write_text(text, encoding="utf-8")
        with watched(peaks):
            autoprune.run(study, out=Path(folder) / "run", workers=asked.workers)
    print(f"{count} images, {count * 3 * SIDE * SIDE / GIB:.2f} GiB of bytes", end=", ")
    print(f"{asked.workers} workers, {time.perf_counter() - start:.0f} s; the most, in GiB:")
    for name, own in peaks.own.items():
        print(f"{name:14} its own {own / GIB:.2f}, of the store {peaks.store[name] / GIB:.2f}")


if __name__ == "__main__":
    main()
