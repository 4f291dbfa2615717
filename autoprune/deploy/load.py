"""Load an exported folder: the same code in autoprune and, copied, in the folder itself.

The plan says everything about the network's form: the network is built as the study built it, the
plan's surgery is carried out on it as in a trial, and then the stored tensors take the place of
all of its values. What surgery leaves in no tensor is in the manifest.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.compress.plan import Plan
from autoprune.compress.registry import use
from autoprune.compress.surgery.apply import reshape
from autoprune.compress.surgery.fold import make_room
from autoprune.deploy.form import Form, Stored
from autoprune.deploy.formats import decode
from autoprune.errors import AutopruneError, InputError
from autoprune.files import read_json
from autoprune.networks.build import adapter_for, build, build_within
from autoprune.plugin import refuse_code

FORMAT = 1
WEIGHTS, PLAN, MANIFEST = "network.safetensors", "plan.json", "manifest.json"
SEPARATOR = "#"
"""Between the name of a tensor and the part of it that is stored, such as ``w#bitmap``."""


def load(folder: Path | str, *, imports: bool = False) -> nn.Module:
    """The network that was exported to `folder`, in evaluation mode, on the CPU.

    `imports` allows to import a network, an adapter and methods of a user's own that the manifest
    names as ``module:name``: importing a module runs it, and calling what it names as well. The
    code in the folder itself is run by ``load_network.py`` alone, and never here.

    Raises InputError naming the file where one is missing, or is not what was exported, and where
    it names code that may not be imported.
    """
    folder = Path(folder)
    form, file = read_form(folder), str(folder / MANIFEST)
    if not imports:
        for name in form.network.code:
            refuse_code(name, file)
    use(form.network.methods, file)
    plan = _plan(folder / PLAN)
    try:
        network = shell(form, plan, (folder / WEIGHTS).stat().st_size)
    except AutopruneError:
        raise
    except Exception as error:
        given = f"does not fit {PLAN} ({type(error).__name__}: {error})"
        raise InputError(file, given) from error
    try:
        state = unpack(load_file(folder / WEIGHTS), form.storage)
        network.load_state_dict(state)
    except (
        RuntimeError,
        MemoryError,
        SafetensorError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError(str(folder / WEIGHTS), f"does not fit the network: {error}") from error
    return network


def read_form(folder: Path) -> Form:
    """The form in the manifest of an exported folder, all of whose files were compared with it.

    Raises InputError as `load` does.
    """
    file = folder / MANIFEST
    if not file.is_file():
        raise InputError(str(file), "no such file", "a folder of autoprune export")
    manifest = read_json(file)
    if not isinstance(manifest, dict) or manifest.get("autoprune_export") != FORMAT:
        raise InputError(str(file), "not a manifest of this version of autoprune export")
    files = manifest.get("files")
    if not isinstance(files, dict):
        raise InputError(str(file), "damaged (it lists no files)")
    for name, exported in files.items():
        try:
            inside = Path(os.path.realpath(folder / name)).is_relative_to(folder.resolve())
            there = (folder / name).is_file()
        except (OSError, ValueError):  # longer than a name can be, or with a NUL
            inside = there = False
        if not inside:
            raise InputError(str(file), f"names {name!r:.80}", "files of the folder alone")
        if not there:
            raise InputError(str(folder / name), "no such file", "the file that was exported")
        if not _is_as_exported(folder / name, exported):
            raise InputError(
                str(folder / name),
                "was changed: its size or SHA-256 is not that of the manifest",
                "the file that was exported",
            )
    if not {WEIGHTS, PLAN} <= files.keys():
        raise InputError(str(file), f"damaged (it does not list {WEIGHTS} and {PLAN})")
    return Form.from_dict(manifest, str(file))


def _plan(file: Path) -> Plan:
    read = read_json(file)
    try:
        return Plan.from_dict(read)
    except AutopruneError as error:
        raise InputError(str(file), f"damaged ({error})") from error


def _is_as_exported(file: Path, exported: object) -> bool:
    """Whether a file is what the manifest says; one of another size is not read for that."""
    same = isinstance(exported, dict) and exported.get("bytes") == file.stat().st_size
    return same and described(file) == exported


def described(file: Path) -> dict[str, int | str]:
    """Size and SHA-256 of a file, as the manifest has them."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return {"bytes": stream.tell(), "sha256": digest}


def shell(form: Form, plan: Plan, weights: int) -> nn.Module:
    """The network in the form in which it was exported, with values that mean nothing yet.

    `weights` is the size of their file, in bytes.
    """
    origin = form.network
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay what they were
        asked = origin.model, origin.arguments, origin.offered
        parent = build(*asked) if ":" in origin.model else build_within(*asked, weights)
        # A method that is not named in the manifest has no share in the form.
        adapter = adapter_for(parent, origin.adapter)
        network = reshape(parent, plan.known, adapter)
    if form.after is not None:
        adapter.set_time_steps(network, form.after)
    for method, _ in plan.stages():
        method.surgery().restart(network, form.starts.get(method.name, {}))
    make_room(network, form.folded)
    functional.invalidate_reset_cache(network)
    return network.eval()


def unpack(stored: Mapping[str, Tensor], storage: Mapping[str, Stored]) -> dict[str, Tensor]:
    """The state dict of what is stored; `storage` says how every matrix is."""
    whole = {name: tensor for name, tensor in stored.items() if SEPARATOR not in name}
    for name, how in storage.items():
        if how.format != "dense":
            mark = name + SEPARATOR
            parts = {k.removeprefix(mark): v for k, v in stored.items() if k.startswith(mark)}
            rows, *rest = how.shape
            columns = torch.Size(rest).numel()
            whole[name] = decode(how.format, parts, rows, columns).reshape(how.shape)
    return whole
