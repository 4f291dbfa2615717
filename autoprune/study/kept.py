"""A network of a run as it was trained, of which the run has kept the weights."""

from __future__ import annotations

from torch import nn

from autoprune.compress.plan import Plan
from autoprune.compress.surgery.apply import Manner, reshape
from autoprune.networks.checkpoint import load_checkpoint
from autoprune.runs.folder import RunFolder
from autoprune.runs.weights import weights_file
from autoprune.trial.key import PARENT, TrialKey
from autoprune.trial.setup import Setup
from autoprune.trial.training import device_of


def shaped(setup: Setup, plan: Plan) -> nn.Module:
    """A copy of the parent in the form of a plan, with the parent's weights."""
    manner = Manner(samples=setup.data.train.inputs(slice(1)).to(device_of(setup.parent)))
    return reshape(setup.parent, plan, setup.adapter, manner)


def take_weights(folder: RunFolder, key: TrialKey, network: nn.Module) -> bool:
    """Give `network` the weights that the run has kept of a key; whether it has any."""
    if key == PARENT:
        load_checkpoint(network, folder.parent)
        return True
    with weights_file(folder, key) as file:
        if file is not None:
            load_checkpoint(network, file)
        return file is not None
