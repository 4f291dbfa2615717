"""What a network does on some inputs: its output, and the spikes of every layer of neurons.

Run as a file in a process of its own, this loads an exported folder with the folder's own loader,
where autoprune cannot be imported, and reports what the network did:

    python observe.py FOLDER INPUTS.safetensors OBSERVED.json
"""

from __future__ import annotations

import hashlib
import json
import runpy
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from spikingjelly.activation_based import functional
from spikingjelly.activation_based.neuron import BaseNode, SimpleBaseNode
from torch import Tensor, nn

OUTPUT = "output"
"""What the network returns, among the paths of its layers of neurons."""


def observe(network: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """The output, and what every layer of neurons emitted, by path and number of the call."""
    seen: dict[str, Tensor] = {}
    network.eval()
    functional.reset_net(network)

    def note(path: str, out: Tensor) -> None:
        calls = sum(name.partition(" call ")[0] == path for name in seen)
        seen[f"{path} call {calls + 1}" if calls else path] = out.clone()

    with ExitStack() as stack, torch.inference_mode():
        for path, module in network.named_modules():
            if isinstance(module, BaseNode | SimpleBaseNode):
                hook = lambda _m, _x, out, path=path: note(path, out)  # noqa: E731
                stack.callback(module.register_forward_hook(hook).remove)
        output = network(inputs)
    functional.reset_net(network)
    return {**seen, OUTPUT: output}


def digests(observed: dict[str, Tensor]) -> dict[str, str]:
    """Type, shape and SHA-256 of the bits of everything observed."""
    return {name: _digest(tensor.cpu().contiguous()) for name, tensor in observed.items()}


def _digest(tensor: Tensor) -> str:
    bits = hashlib.sha256(tensor.numpy().tobytes()).hexdigest()
    return f"{tensor.dtype} {list(tensor.shape)} {bits}"


def _main(folder: str, inputs: str, result: str) -> None:
    sys.modules["autoprune"] = None  # type: ignore[assignment]
    given: dict[str, Any] = load_file(inputs)
    torch.set_num_threads(int(given["threads"]))
    network = runpy.run_path(str(Path(folder) / "load_network.py"))["load"]()
    found = digests(observe(network, given["inputs"]))
    Path(result).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
