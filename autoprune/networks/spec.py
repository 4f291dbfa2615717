"""The table [network] of a study."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from autoprune.config import STRICT, Steps


class NetworkSpec(BaseModel):
    """The network: a family by name or a function of the user's, and what it is called with.

    Attributes:
        model: a family of `autoprune.networks.families`, or ``module:function`` that returns a
            network.
        adapter: ``module:Class`` of a `ModelAdapter`, for a network of no known family.
        time_steps: T.
        time_axis: where the network takes the time of frames: 0 of [T, B, ...], 1 of [B, T, ...];
            what its adapter says where it is left out. Images have no time.
        checkpoint: file of the parent's weights (.safetensors, or a state dict of torch), relative
            to the study; then no parent is trained.
        checkpoint_keys: name or path of a map from a published checkpoint's names to ours: see
            `autoprune.networks.key_map`.

    All other keys are arguments of the model's constructor, by its names, such as `embed_dims`.
    """

    model_config: ClassVar[ConfigDict] = {**STRICT, "extra": "allow"}
    model: str
    adapter: str | None = None
    time_steps: Steps
    time_axis: Literal[0, 1] | None = None
    checkpoint: str | None = None
    checkpoint_keys: str | None = None

    @property
    def arguments(self) -> dict[str, object]:
        """The other keys."""
        return dict(self.model_extra or {})
