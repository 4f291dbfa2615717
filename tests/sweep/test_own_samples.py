"""Sequences, and labels that are no classes: searched and counted with networks of the pages."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import autoprune
from autoprune.errors import InputError
from autoprune.study.study import load_study
from autoprune.sweep.prepare import prepare
from tests.short import NETWORK

TABLE = """[network]
model = "{model}"
adapter = "my_network:MyAdapter"
time_steps = {steps}
width = 16
depth = 1

"""
SEQUENCES = """
import torch
from my_network import MyNetwork, conv_bn


def tones(steps=6):
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(90) % 3
    inputs = torch.rand(90, steps, 8, generator=rng)
    inputs[torch.arange(90), :, labels] += 1
    return inputs, labels


class Listener(MyNetwork):
    def __init__(self, T, in_features, num_classes, width, depth):
        super().__init__(T, 1, num_classes, width, depth)
        self.stem = conv_bn(2, width)
        self.position = torch.nn.Parameter(torch.randn(width, 4) / 10)

    def forward(self, x):  # [T, B, 8] -> [B, classes]
        x = self.lif(self.stem(x.unflatten(2, (2, 4))) + self.position)
        for block in self.blocks:
            x = x + block["attn"](x)
            x = x + block["mlp"](x)
        return self.head(x.mean((0, 3)))


def pictures():
    return torch.rand(90, 8, 8), torch.arange(90) % 3
"""


@pytest.fixture
def folder(root, short_study, tmp_path, monkeypatch):
    """Writes a study on what the pages and the test define; `change` has model, steps and data."""
    monkeypatch.chdir(tmp_path)
    for page, name in (("own_network", "my_network"), ("own_data", "my_segmentation")):
        text = (root / "docs" / f"{page}.md").read_text(encoding="utf-8")
        [code] = re.findall(rf"`{name}\.py`.*?```python\n(.*?)```", text, re.DOTALL)
        Path(f"{name}.py").write_text(code, encoding="utf-8")
    Path("my_sequences.py").write_text(SEQUENCES, encoding="utf-8")

    def write(data: str, model: str, steps: int, score: str = "accuracy", after: str = "") -> str:
        table = TABLE.format(model=model, steps=steps)
        few = f'data = {{ name = "{data}", train = 40, validation = 20, test = 20 }}'
        changes = ((NETWORK, table), ('data = "digits"', few))
        changes += (('"accuracy"', f'"{score}"'), ("epochs = 3", "epochs = 1"))
        return str(short_study(*changes, after=after))

    yield write
    for name in ("my_network", "my_segmentation", "my_sequences"):
        sys.modules.pop(name, None)


FUNCTIONS = """[functions]
train = "my_segmentation:train"
evaluate = "my_segmentation:ink_iou"
"""


@pytest.mark.full
def test_labels_per_pixel_are_searched_with_functions_of_ones_own(folder):
    study = folder("my_segmentation:ink", "my_segmentation:Segmenter", 3, "ink_iou", FUNCTIONS)
    run = autoprune.run(study, out="out", trials=2, workers=0)
    assert run.front("loihi1")["val_ink_iou"].between(0.01, 1).all()


def test_labels_per_pixel_need_functions_of_ones_own(folder):
    study = folder("my_segmentation:ink", "my_segmentation:Segmenter", 3, "ink_iou", FUNCTIONS)
    about = prepare(study, workers=0).built.parts.data.about
    assert str(about).endswith("(images of 1 x 8 x 8, 2 outputs for labels of 8 x 8)")
    loaded, _, _ = load_study(study)
    bare = loaded.model_copy(update={"functions": type(loaded.functions)()})
    with pytest.raises(InputError, match="labels of 8 x 8 numbers for a sample; expected a class"):
        prepare(bare.model_copy(update={"objectives": ["accuracy", "energy_uj@loihi1"]}))


def test_sequences_fit_a_network_of_ones_own(folder):
    parts = prepare(folder("my_sequences:tones", "my_sequences:Listener", 3), workers=0).built.parts
    assert str(parts.data.about) == "my_sequences:tones (sequences of 6 x 8, 3 classes)"
    assert parts.offered == {"T": 3, "in_features": 8, "num_classes": 3, "time_axis": 0}


@pytest.mark.full
def test_sequences_are_searched_and_counted(folder):
    study = folder("my_sequences:tones", "my_sequences:Listener", 3)
    run = autoprune.run(study, out="out", trials=2, workers=0)
    counted = run.workload("parent")
    stem = counted.ops[0].work
    each = 3 * 2 * 4 * 16  # T x features of a token x tokens x width
    assert (stem.dense_macs, stem.real_macs) == (each * counted.samples, each * counted.samples)


def test_images_without_channels_are_not_taken_for_sequences(folder):
    study = folder("my_sequences:pictures", "spikformer_patch", 3)
    with pytest.raises(
        InputError, match="takes images or frames of events, and .*grey ones with C"
    ):
        prepare(study, workers=0)
