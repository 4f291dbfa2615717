"""KeyMap: a published checkpoint's names and tensors turned into ours, by a TOML file.

Names are those of modules; a module's tensors keep their own name (``weight``, ``running_mean``).
``{i}`` stands for any number, the same on both sides. Bundled maps lie in `checkpoint_keys/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import BaseModel
from torch import Tensor

from autoprune.config import STRICT, Title, read_toml, validate
from autoprune.errors import InputError
from autoprune.files import user_path

_BUNDLED = Path(__file__).resolve().parent / "checkpoint_keys"


class KeyMap(BaseModel):
    """How the names of a checkpoint become ours.

    Attributes:
        title: whose checkpoints these are, with the source.
        note: what is not the same in the two networks, if anything.
        unused: their modules that nothing here corresponds to.
        zeros: our tensors that they do not have and that are 0.
        biases_into_means: their layer to their batch norm behind it: the layer's bias is taken
            out of the norm's mean, which gives the same: ``BN(y + b)`` has mean ``m - b``.
        modules: our module to theirs; the tensors of several are put one after the other.
    """

    model_config = STRICT
    title: Title
    note: str = ""
    unused: list[str] = []
    zeros: list[str] = []
    biases_into_means: dict[str, str] = {}
    modules: dict[str, list[str]]

    def apply(
        self, theirs: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], list[str]]:
        """Our state dict, and the names of theirs that fit nothing.

        Args:
            theirs: the checkpoint.
            wanted: the state dict of the network, whose names and shapes are filled as far as the
                checkpoint goes; a layer that is linear there and a 1x1 convolution here fits.
        """
        left = {name: tensor for name, tensor in theirs.items() if not self._is_unused(name)}
        for layer, norm in _written_out(self.biases_into_means, left):
            bias = left.pop(f"{layer}.bias", None)
            mean = f"{norm}.running_mean"
            if bias is not None and mean in left:
                left[mean] = left[mean] - bias
        ours: dict[str, Tensor] = {}
        used: set[str] = set()
        for name, target in wanted.items():
            module, _, what = name.rpartition(".")
            sources = [f"{source}.{what}" for source in self._sources(module)]
            if sources and all(source in left for source in sources):
                used.update(sources)
                ours[name] = _joined([left[source] for source in sources], target)
            elif name in self.zeros:
                ours[name] = torch.zeros_like(target)
        return ours, [name for name in left if name not in used]

    def _sources(self, module: str) -> list[str]:
        for pattern, sources in self.modules.items():
            found = _matched(pattern, module)
            if found is not None:
                return [source.replace("{i}", found) for source in sources]
        return []

    def _is_unused(self, name: str) -> bool:
        module = name.rpartition(".")[0]
        return any(_matched(pattern, module) is not None for pattern in self.unused)


def load_key_map(name_or_path: str, base: Path | None = None) -> KeyMap:
    """The bundled map of that name, or the one in that file.

    Raises InputError where there is none.
    """
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        path = (base or Path()) / user_path(name_or_path, "network.checkpoint_keys")
    else:
        path = _BUNDLED / f"{name_or_path}.toml"
        names = sorted(file.stem for file in _BUNDLED.glob("*.toml"))
        if name_or_path not in names:
            raise InputError(
                "network.checkpoint_keys",
                f"unknown map {name_or_path!r}",
                name=name_or_path,
                candidates=names,
            )
    return validate(KeyMap, read_toml(path), str(path))


def _written_out(pairs: Mapping[str, str], names: Mapping[str, Tensor]) -> list[tuple[str, str]]:
    """The pairs with every number that the names have in place of ``{i}``."""
    modules = {name.rpartition(".")[0] for name in names}
    found = []
    for pattern, other in pairs.items():
        for module in sorted(modules):
            number = _matched(pattern, module)
            if number is not None:
                found.append((module, other.replace("{i}", number)))
    return found


def _matched(pattern: str, name: str) -> str | None:
    """What ``{i}`` stands for in `name`, empty where the pattern has none; None if it differs."""
    expression = re.escape(pattern).replace(r"\{i\}", r"(\d+)")
    found = re.fullmatch(expression, name)
    if found is None:
        return None
    return found.group(1) if found.groups() else ""


def _joined(tensors: list[Tensor], target: Tensor) -> Tensor:
    """One tensor of several along the first axis; axes of length 1 at the end are added or cut."""
    whole = tensors[0] if len(tensors) == 1 or not tensors[0].ndim else torch.cat(tensors)
    shape, wanted = list(whole.shape), list(target.shape)
    while shape and shape[-1] == 1 and len(shape) > 2:
        shape.pop()
    bare = list(wanted)
    while bare and bare[-1] == 1 and len(bare) > 2:
        bare.pop()
    return whole.reshape(wanted) if shape == bare else whole
