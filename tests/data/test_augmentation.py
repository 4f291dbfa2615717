"""What training does to samples is a study's to say, by name or by a function of the user's."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from autoprune.data.dataset import Split
from tests.refusals import assert_refused, refusals

MINE = """
import torch

pixels = torch.arange(60 * 36).reshape(60, 1, 6, 6) % 251


def pictures():
    return pixels.to(torch.uint8), torch.arange(60) % 3


def real():
    return pixels / 251, torch.arange(60) % 3


def invert(samples):
    return 250 - samples


def cut(samples):
    return samples[..., 1:]
"""


@pytest.fixture(autouse=True)
def _beside(tmp_path, monkeypatch):
    (tmp_path / "my_pictures.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)


def both(part: Split) -> tuple[torch.Tensor, torch.Tensor]:
    chosen = torch.arange(len(part))
    torch.manual_seed(0)
    return part.inputs(chosen), part.augmented(chosen)


def test_a_function_of_ones_own_gets_samples_as_they_are_stored(load):
    part = load("my_pictures:pictures", augment="my_pictures:invert").train
    plain, changed = both(pickle.loads(pickle.dumps(part)))
    assert torch.equal(changed, 250 - plain)


def test_shifts_of_images_of_ones_own(load):
    plain, changed = both(load("my_pictures:real", augment="shift").train)
    assert not torch.equal(plain, changed)
    shifts = [(i, j) for i in range(-2, 3) for j in range(-2, 3)]
    for one, other in zip(plain, changed, strict=True):
        padded = torch.nn.functional.pad(one, [2] * 4)
        seen = [padded[:, 2 + i : 8 + i, 2 + j : 8 + j] for i, j in shifts]
        assert any(torch.equal(other, whole) for whole in seen)
    mirrored = both(load("my_pictures:real", augment="shift_mirrored").train)[1]
    assert not torch.equal(mirrored, changed)


def test_none_is_none_and_bytes_can_have_the_recipe_of_cifar(load, make):
    make("mnist")
    assert torch.equal(*both(load("mnist", augment="none").train))
    plain, changed = both(load("my_pictures:pictures", augment="randaugment").train)
    assert changed.shape == plain.shape and not torch.equal(plain, changed)


def test_grey_images_keep_their_size(load, tmp_path):
    rng = np.random.default_rng(0)
    for part, count in (("train", 12), ("val", 2)):
        for name in "ab":
            folder = tmp_path / "data" / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 256, (28, 28), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    data = load("imagefolder", side=28, channels=1, scaled=False, augment="none")
    how = data.about.preparation
    assert data.about.shape == (1, 28, 28) and not how.before
    with Image.open(tmp_path / "data" / "val" / "a" / "0.png") as image:
        pixels = torch.from_numpy(np.array(image)) / 255
    found = data.test.inputs(slice(1))[0, 0]
    assert torch.equal(found, (pixels - how.mean[0]) / how.deviation[0])
    torch.manual_seed(0)
    plain = load("imagefolder", side=28, channels=1, scaled=False).train
    assert plain.augmented(torch.arange(4)).shape == (4, 1, 28, 28)
    words = "24 of 24 images in *train are of another size: *0.png (28 x 28)*32 x 32 pixels, or sc"
    assert_refused(words, load, "imagefolder", side=32, channels=1, scaled=False)


@refusals(
    (("real", "randaugment"), "'randaugment' of numbers of type torch.float32; expected bytes"),
    (("real", "shfit"), "data.augment: given 'shfit'*did you mean 'shift'"),
    (("real", "events"), "'events' is for frames of events; expected one for images"),
    (("real", "my_pictures:absent"), "has no attribute 'absent'"),
)
def test_what_cannot_be_done(load, given, words):
    name, augment = given
    assert_refused(words, load, f"my_pictures:{name}", augment=augment)


def test_a_function_that_changes_the_shape_is_named(load):
    part = load("my_pictures:real", augment="my_pictures:cut").train
    assert_refused("returned [36, 1, 6, 5]; expected a tensor [36, 1, 6, 6]", both, part)
