"""What spikingjelly's own importer makes of a NIR file, as a second reader beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from spikingjelly.activation_based import nir_exchange
from torch import Tensor

from autoprune.networks.nir.network import STEP_S


def spikes_of_spikingjelly(file: Path, inputs: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """The spikes [T, B, ...] of the nodes `names` on inputs [T, B, ...].

    Raises ValueError or NotImplementedError where the importer does not take the file.
    """
    network = nir_exchange.import_from_nir(str(file), dt=STEP_S)
    seen: dict[str, list[Tensor]] = {name: [] for name in names}
    with ExitStack() as stack, torch.inference_mode():
        for name, spikes in seen.items():

            def note(_m: Any, _x: Any, out: Any, spikes: list[Tensor] = spikes) -> None:
                spikes.append(out[0])

            stack.callback(network.get_submodule(name).register_forward_hook(note).remove)
        state = None
        for step in inputs:
            _, state = network(step, state)
    return {name: torch.stack(spikes) for name, spikes in seen.items()}
