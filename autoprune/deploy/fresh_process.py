"""Load an exported folder in a process that cannot import autoprune, and compare it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from autoprune.deploy import observe
from autoprune.errors import ExportError

_SHOWN = 4
_LIMIT = 600
"""Seconds that the fresh process may take; importing torch on a busy machine takes some."""


def in_fresh_process(network: nn.Module, inputs: Tensor, folder: Path) -> int:
    """Load `folder` by its own loader, in a process that cannot import autoprune, and compare.

    Args:
        network: what the folder has to hold.
        inputs: on which both are run.
        folder: the exported folder.

    Returns the number of layers of neurons whose spikes were compared, besides the output.

    Raises ExportError naming what differs: a single bit is too much.
    """
    expected = observe.digests(observe.observe(network, inputs))
    with tempfile.TemporaryDirectory() as place:
        given, result = Path(place, "inputs.safetensors"), Path(place, "observed.json")
        threads = torch.tensor(torch.get_num_threads())
        save_file({"inputs": inputs.contiguous(), "threads": threads}, given)
        command = [sys.executable, "-B", "-P", observe.__file__]
        # The user's own modules are found where this process finds them.
        paths = os.pathsep.join(path for path in sys.path if path)
        try:
            done = subprocess.run(
                [*command, str(folder.resolve()), str(given), str(result)],
                cwd=place,
                env={**os.environ, "PYTHONPATH": paths},
                capture_output=True,
                text=True,
                timeout=_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ExportError(f"the fresh process took more than {_LIMIT} s") from error
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ExportError(f"the exported network does not load without autoprune ({last})")
        found = json.loads(result.read_text(encoding="utf-8"))
    different = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
    if different:
        shown = ", ".join(different[:_SHOWN])
        raise ExportError(
            f"a fresh process computes something else at {len(different)} of {len(expected)} "
            f"places ({shown})"
        )
    return len(expected) - 1
