"""Export a network of a run: into a folder that is there whole and proved, or not at all."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autoprune.deploy.member import find_member
from autoprune.deploy.onnx import check_onnx
from autoprune.deploy.prove import prove
from autoprune.deploy.write import Wanted, write
from autoprune.errors import InputError
from autoprune.networks.nir.installed import check_nir
from autoprune.runs import exports
from autoprune.runs.folder import RunFolder
from autoprune.trial.key import TrialKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export came to.

    Attributes:
        folder: where it is.
        sizes: bytes by file.
        parent_bytes: of the parent's file of weights.
        dense_bytes, stored_bytes: of the network's tensors, all dense and as they are stored.
        formats: matrices by format.
        proofs: what was proved, in words.
        seconds: the time it took.
    """

    folder: Path
    sizes: dict[str, int]
    parent_bytes: int
    dense_bytes: int
    stored_bytes: int
    formats: dict[str, int]
    proofs: tuple[str, ...]
    seconds: float


def export(
    run: RunFolder, key: TrialKey, out: Path, wanted: Wanted, say: Callable[[str], None]
) -> Exported:
    """Export a trial or baseline of a run to a folder.

    Args:
        run: whose network it is; it says whether code that it names may be imported.
        key: of the trial or baseline.
        out: the folder to make; new or empty.
        wanted: what becomes of the network there.
        say: told what takes long, before it begins.

    What killed exports of the run have left is removed first.

    Raises InputError where `out` is not empty or an option cannot be had, RecordError where there
    is no such trial, and ExportError where a proof fails; then `out` is as it was.
    """
    start = time.perf_counter()
    if wanted.onnx:
        check_onnx()
    if wanted.nir_extension and not wanted.nir:
        raise InputError("--nir-extension", "given without --nir")
    if wanted.nir:
        check_nir("--nir")
    for note, half_made in exports.left(run):
        exports.remove(note, half_made)
    with whole_or_nothing(run, out) as part:
        member = find_member(run, key, say)
        written = write(member, part, wanted, say)
        say("Loading it in a fresh process that cannot import autoprune.")
        proofs = prove(member, written, part)
    packed = written.packed
    files = {file: file.relative_to(out) for file in out.rglob("*") if file.is_file()}
    return Exported(
        folder=out,
        sizes={str(name): file.stat().st_size for file, name in sorted(files.items())},
        parent_bytes=member.run.parent.stat().st_size,
        dense_bytes=packed.dense_bytes,
        stored_bytes=packed.stored_bytes,
        formats=dict(Counter(how.format for how in packed.form.storage.values())),
        proofs=tuple(proofs),
        seconds=time.perf_counter() - start,
    )


@contextmanager
def whole_or_nothing(run: RunFolder, out: Path) -> Iterator[Path]:
    """A folder to write to, which becomes `out` at the end, and is removed where anything fails.

    Raises InputError unless `out` can be made: it is not there yet, or empty, and not the current
    folder, which the shell would no longer find.
    """
    if os.path.realpath(out) == os.getcwd():
        raise InputError(f"--out {out}", "the current folder", "a new or an empty folder")
    there = os.path.lexists(out)
    if there and (out.is_symlink() or not out.is_dir() or any(out.iterdir())):
        given = "not empty" if out.is_dir() else "a file"
        raise InputError(f"--out {out}", given, "a new or an empty folder")
    place = out.absolute().parent
    while not place.exists():
        place = place.parent
    with exports.being_made(run, place, out.name) as part:
        yield part
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        part.rename(out)
