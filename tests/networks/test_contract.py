"""What every adapter has to keep: surgery is exact, whatever the family."""

from __future__ import annotations

import copy
import io
import pickle
from collections import defaultdict

import pytest
import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.surgery import criteria, dsp, dsp_matrix
from autoprune.compress.surgery.apply import compress
from autoprune.compress.surgery.held import held_at_zero
from autoprune.compress.surgery.l1p import targets
from autoprune.compress.surgery.slif.node import SLIFNode
from autoprune.compress.surgery.surgery import matrices
from autoprune.data.dataset import About, Dataset, InMemory, Split
from autoprune.networks.adapter import Branch, ModelAdapter, Neuron
from autoprune.networks.place import HEAD, STEM
from autoprune.networks.stand_in import Bypassed, Removed
from autoprune.trial.setup import Setup
from autoprune.trial.training import Recipe, logits
from autoprune.trial.trial import run_trial

EFFORT = Effort(time_steps=3, learning_rate=1e-3, epochs=1)


@pytest.fixture
def made(case, device) -> tuple[nn.Module, ModelAdapter]:
    network, adapter = case.make()
    return network.to(device), adapter


@pytest.fixture
def double(case, device) -> tuple[nn.Module, ModelAdapter]:
    """In float64 sums of spikes are exact enough for spikes to be compared bit by bit."""
    network, adapter = case.make()
    return network.double().to(device), adapter


def run(model: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return logits(model, x)


def observed(model: nn.Module, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits, and what every layer of neurons emitted."""
    spikes: dict[str, Tensor] = {}
    handles = [
        module.register_forward_hook(lambda _m, _x, out, name=name: spikes.update({name: out}))
        for name, module in model.named_modules()
        if isinstance(module, Neuron)
    ]
    out = run(model, x)
    for handle in handles:
        handle.remove()
    return out, spikes


def every(adapter: ModelAdapter, model: nn.Module) -> list[Branch]:
    return [branch for branches in adapter.branches(model) for branch in branches]


def mask_spikes(branch: Branch, masks: tuple[Tensor, ...]) -> None:
    """Multiply the spikes of the dimensions that are not in `masks` by 0."""
    channels: dict[nn.Module, Tensor] = {}
    axes: dict[nn.Module, int] = {}
    for tie, mask in zip(branch.ties, masks, strict=True):
        for cut in tie:
            if cut.side == "out":
                whole = torch.ones(len(cut.module.weight), dtype=torch.bool, device=mask.device)
                kept = channels.setdefault(cut.neuron, whole)
                kept[cut.offset : cut.offset + len(mask)] = mask
                axes[cut.neuron] = cut.axis
    for neuron, kept in channels.items():
        shape = (-1,) if axes[neuron] == -1 else (-1, *[1] * (kept_dims(branch, neuron) - 2))
        factor = kept.double().reshape(shape)
        neuron.register_forward_hook(lambda _m, _x, out, factor=factor: out * factor)


def kept_dims(branch: Branch, neuron: nn.Module) -> int:
    """Axes of a convolution's weight: 3 of Conv1d, 4 of Conv2d."""
    cuts = [cut for tie in branch.ties for cut in tie if cut.neuron is neuron]
    return cuts[0].module.weight.ndim


def test_neutral_plan_is_the_parent_bit_for_bit(made, images):
    network, adapter = made
    shape = adapter.shape(network)
    model = compress(network, make_plan({}, shape, EFFORT), adapter)
    expected, spikes = observed(network, images)
    out, same = observed(model, images)
    assert torch.equal(out, expected)
    # At attn_lif an own forward may order the axes differently.
    assert all(
        torch.equal(same[name].flatten().sort().values, spikes[name].flatten().sort().values)
        for name in spikes
    )
    fired = [float(s.mean()) for s in spikes.values()]
    assert sum(0 < rate < 1 for rate in fired) > 0.8 * len(fired)
    before, after = network.state_dict(), model.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)


def by_l1(tie, dimensions: int) -> Tensor:
    held = dsp.weights(tie, dimensions)
    return criteria.l1(held, held)


def assert_same(reduced: nn.Module, masked: nn.Module, images: Tensor) -> Tensor:
    """Outputs to rounding, and every layer of as many neurons spikes alike; gives the outputs."""
    out, spikes = observed(reduced, images)
    expected, others = observed(masked, images)
    torch.testing.assert_close(out, expected, rtol=1e-12, atol=1e-12)
    for name in spikes:
        if spikes[name].shape == others[name].shape:
            assert torch.equal(spikes[name], others[name]), name
    return expected


@pytest.mark.parametrize("sizes", ["ends", pytest.param("every", marks=pytest.mark.full)])
def test_dsp_at_every_size_equals_masked_spikes(case, double, images, sizes):
    parent, adapter = double
    images = images.double()
    for index, original in enumerate(every(adapter, parent)):
        if original.fixed:
            continue
        formula = case.formulas[index]
        every_size = range(1, original.size + 1)
        for kept in (
            every_size if sizes == "every" else {1, (original.size + 1) // 2, original.size}
        ):
            model, masked = copy.deepcopy(parent), copy.deepcopy(parent)
            branch = every(adapter, model)[index]
            branch.read_local_sizes()
            masks = dsp.shrink(branch, kept, by_l1)
            functional.invalidate_reset_cache(model)
            assert {int(mask.reshape(branch.groups, -1).sum(1).min()) for mask in masks} == {kept}
            mask_spikes(every(adapter, masked)[index], masks)
            assert_same(model, masked, images)
            module = getattr(branch.owner, branch.attribute)
            parameters = sum(p.numel() for p in module.parameters())
            assert parameters == formula(branch.groups * kept)
            assert every(adapter, model)[index].size == kept


@pytest.mark.parametrize("share", [0.3, 0.75])
def test_dsp_by_matrix_equals_masks_of_rows_and_columns(double, images, share):
    parent, adapter = double
    images, changed = images.double(), 0
    for index, original in enumerate(every(adapter, parent)):
        if original.fixed:
            continue
        model, masked = copy.deepcopy(parent), copy.deepcopy(parent)
        branch, twin = (every(adapter, net)[index] for net in (model, masked))
        branch.read_local_sizes()
        written = {cut.module: cut for tie in twin.ties for cut in tie if cut.side == "in"}
        width = {m.name: m.weight.shape[m.module not in written] for m in twin.matrices}
        kept = {name: max(1, round(share * size)) for name, size in width.items()}
        size = (branch.size + 1) // 2
        inner, outer = dsp_matrix.narrow(branch, {"": size, **kept})
        functional.invalidate_reset_cache(model)
        mask_spikes(twin, inner)
        for matrix, before in zip(branch.matrices, twin.matrices, strict=True):
            mask, layer = outer[matrix.module], before.module
            assert int(mask.sum()) == kept[matrix.name]
            factor = mask.double().reshape(-1, *[1] * (layer.weight.ndim - 2))
            if layer in written:
                written[layer].norm.register_forward_hook(lambda _m, _x, y, f=factor: y * f)
            else:  # a fused layer holds several matrices: once more changes nothing
                layer.register_forward_pre_hook(lambda _m, x, f=factor: (x[0] * f,))
        expected = assert_same(model, masked, images)
        changed += not torch.equal(expected, run(parent, images))
        held = {m.name: m.weight.numel() for m in every(adapter, model)[index].matrices}
        assert held == {name: size * branch.groups * outer for name, outer in kept.items()}
    assert changed


def test_masking_changes_something(double, images):
    """What the test above would miss, were the masked spikes silent anyway."""
    parent, adapter = double
    expected = run(parent, images.double())
    changed = 0
    for index, original in enumerate(every(adapter, parent)):
        if not original.fixed:
            masked = copy.deepcopy(parent)
            none = torch.zeros(original.groups * original.size, dtype=torch.bool)
            masks = tuple(none.to(images.device) for _ in original.ties)
            mask_spikes(every(adapter, masked)[index], masks)
            changed += not torch.equal(run(masked, images.double()), expected)
    assert changed >= 0.5 * sum(not branch.fixed for branch in every(adapter, parent))


def test_kept_0_removes_the_branch(made, images):
    network, adapter = made
    shape = adapter.shape(network)
    before = sum(p.numel() for p in network.parameters())
    for number, (place, part) in enumerate(shape.branches()):
        if part.fixed:
            continue
        plan = make_plan({Parameter(place, "dsp"): 0.0}, shape, EFFORT)
        model = compress(network, plan, adapter)
        branch = every(adapter, model)[number]
        gone = getattr(branch.owner, branch.attribute)
        assert isinstance(gone, Removed | Bypassed)
        assert not list(gone.parameters()) + list(gone.buffers())
        expected = copy.deepcopy(network)
        twin = every(adapter, expected)[number]
        module = getattr(twin.owner, twin.attribute)
        lost = sum(p.numel() for p in module.parameters())
        inside = isinstance(gone, Bypassed)
        module.register_forward_hook(lambda _m, x, out, inside=inside: x[0] if inside else out * 0)
        assert torch.equal(run(model, images), run(expected, images))
        assert sum(p.numel() for p in model.parameters()) == before - lost
        assert adapter.shape(model).blocks[place.block].branches != ()


def test_everything_removed_still_runs(made, images):
    network, adapter = made
    shape = adapter.shape(network)
    point = {f"{place}.dsp": 0.0 for place, b in shape.branches() if not b.fixed}
    model = compress(network, make_plan(parse_configuration(point), shape, EFFORT), adapter)
    assert torch.isfinite(run(model, images)).all()


def test_parameters_are_those_of_the_formulas(case, made):
    network, adapter = made
    for branch, formula in zip(every(adapter, network), case.formulas, strict=True):
        module = getattr(branch.owner, branch.attribute)
        parameters = sum(p.numel() for p in module.parameters())
        assert parameters == formula(branch.groups * branch.size)


@pytest.mark.parametrize("scope", ["matrix", "block", "model"])
@pytest.mark.parametrize("optimizer", ["adamw", pytest.param("sgd", marks=pytest.mark.full)])
def test_l1p_keeps_the_largest_through_ten_steps(made, images, scope, optimizer):
    network, adapter = made
    shape = adapter.shape(network)
    point = {
        "matrix": {f"{place}.l1p": 0.6 for place, _ in shape.branches()},
        "block": {f"blocks.{i}.l1p": 0.6 for i in range(len(shape.blocks))},
        "model": {"l1p": 0.6},
    }[scope] | {"stem.l1p": 0.3, "head.l1p": 0.3}
    plan = make_plan(parse_configuration(point), shape, EFFORT)
    model = compress(network, plan, adapter)
    thinned = targets(model, plan.part("l1p"), adapter)
    nonzero = sum(int(torch.count_nonzero(m.weight)) for m in matrices(model, adapter))
    assert nonzero == plan.kept_weights(shape)
    assert nonzero == pytest.approx(0.4 * shape.block_weights, rel=0.02)
    thinned_outside = [*plan.part("l1p").at(STEM).items(), *plan.part("l1p").at(HEAD).items()]
    planned = dict(thinned_outside)
    outside = {m.name: int((m.weight == 0).sum()) for p in adapter.outside(model) for m in p}
    assert outside == {name: planned.get(name, 0) for name in outside}
    assert all(outside.values())
    originals = {id(m.module): n for m, n in zip(*_twins(model, network, adapter), strict=True)}
    for target in thinned:
        old = torch.cat([_old(m, originals).flatten() for m in target.matrices]).abs()
        kept = torch.cat([(m.weight != 0).flatten() for m in target.matrices])
        assert int((~kept).sum()) == target.zeros > 0
        assert old[kept].min() >= old[~kept].max()
    held = [matrix for target in thinned for matrix in target.matrices]
    zeros = [matrix.weight == 0 for matrix in held]
    before = [matrix.weight.clone() for matrix in held]
    stepper = {
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1),
        "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.1),
    }[optimizer](model.parameters())
    labels = torch.arange(len(images), device=images.device) % 4
    with held_at_zero(held):
        for _ in range(10):
            stepper.zero_grad()
            nn.functional.cross_entropy(logits(model.train(), images), labels).backward()
            stepper.step()
    for matrix, zero, old in zip(held, zeros, before, strict=True):
        assert (matrix.weight[zero] == 0).all()
        assert not torch.equal(matrix.weight, old)


def _twins(model, network, adapter):
    for one in (model, network):
        outside = [m for part in adapter.outside(one) for m in part]
        yield [*matrices(one, adapter), *outside]


def _old(matrix, originals) -> Tensor:
    return originals[id(matrix.module)].module.weight.data[matrix.rows].flatten(1)


@pytest.mark.parametrize("learned", ["layer", "channel"])
def test_swapped_neurons_repeat_the_parents_spikes(made, images, learned):
    network, adapter = made
    shape = adapter.shape(network)
    point = {
        f"blocks.{i}.neuron.{what}": learned
        for i in range(len(shape.blocks))
        for what in ("threshold", "tau")
    }
    functional.reset_net(network)  # fills spikingjelly's list of modules to reset
    model = compress(network, make_plan(parse_configuration(point), shape, EFFORT), adapter)
    assert torch.equal(run(model, images), run(network, images))
    assert torch.equal(run(model, images), run(network, images))  # state is reset
    named = sum(len(branch.neurons) for branch in every(adapter, model))
    assert sum(isinstance(m, SLIFNode) for m in model.modules()) == named
    loss = nn.functional.cross_entropy(
        logits(model.train(), images), torch.zeros(len(images), dtype=torch.long).to(images.device)
    )
    loss.backward()
    intrinsic = [p for m in model.modules() if isinstance(m, SLIFNode) for p in m.parameters()]
    moved = sum(bool(p.grad is not None and p.grad.abs().sum() > 0) for p in intrinsic)
    assert moved > 0.5 * len(intrinsic)


def harsh(shape) -> dict:
    """Half of the dimensions, four fifths of the weights zero, neurons that learn."""
    point: dict = {f"{place}.l1p": 0.8 for place, _ in shape.branches()}
    for place, branch in shape.branches():
        point |= {} if branch.fixed else {f"{place}.dsp": 0.5, f"{place}.dsp_matrix": 0.75}
    for i in range(len(shape.blocks)):
        point |= {f"blocks.{i}.neuron.threshold": "channel", f"blocks.{i}.neuron.tau": "layer"}
    return point


def test_copies_pickles_and_checkpoints(made, images):
    network, adapter = made
    shape = adapter.shape(network)
    plan = make_plan(parse_configuration(harsh(shape)), shape, EFFORT)
    model = compress(network, plan, adapter)
    nn.functional.cross_entropy(
        logits(model, images), torch.zeros(len(images), dtype=torch.long).to(images.device)
    ).backward()
    functional.reset_net(model)
    expected = run(model, images)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(run(twin, images), expected)
    stored = io.BytesIO()
    torch.save(model.state_dict(), stored)
    stored.seek(0)
    fresh = compress(network, plan, adapter)
    fresh.load_state_dict(torch.load(stored))
    assert torch.equal(run(fresh, images), expected)


def setup(network, adapter, images, device, **changes) -> Setup:
    labels = torch.arange(len(images)) % 4
    part = Split(store=InMemory(images.cpu()), indices=torch.arange(len(labels)), labels=labels)
    about = About(name="noise", classes=4, shape=tuple(images.shape[1:]))
    settings = {
        "parent": network,
        "adapter": adapter,
        "data": Dataset(about=about, train=part, validation=part, test=part),
        "recipe": Recipe(
            epochs=1, learning_rate=1e-2, batch_size=2, weight_decay=0.1, label_smoothing=0.1
        ),
        "options": {"dsp_score": "l1_activity"},
        "device": device,
        "batch_norm_batches": 1,
        "batch_norm_batch_size": 4,
        "census_samples": 2,
    }
    return Setup(**{**settings, **changes})


@pytest.mark.parametrize("schedule", ["one_shot", "gradual"])
def test_a_whole_trial(made, images, device, schedule):
    network, adapter = made
    shape = adapter.shape(network)
    plan = make_plan(parse_configuration(harsh(shape)), shape, EFFORT)
    trial = setup(
        network,
        adapter,
        images,
        device,
        options={"dsp_score": "l1_activity", "l1p_schedule": schedule},
    )
    measurement, model = run_trial(pickle.loads(pickle.dumps(trial)), plan, 0)
    assert measurement.kept_weights == plan.kept_weights(shape) / shape.block_weights
    ops = {op.name: op for op in measurement.workload.select("executed")}
    macs = sum(item.dense_macs for item in measurement.workload.uncounted)
    only_norm = {u.name for u in measurement.workload.uncounted if u.dense_macs} == {"batch_norm"}
    assert only_norm and macs > 0  # everything else is counted
    zeros: dict[str, int] = defaultdict(int)
    for place, _ in shape.branches():
        for count in plan.part("l1p").at(place).values():
            zeros[str(place)] += count
    for place, count in zeros.items():
        weights = [op for name, op in ops.items() if name.startswith(f"{place}.") and op.b.size]
        layers = [op for op in weights if op.b.kind == "weight"]
        assert sum(op.b.size - op.b.nonzeros for op in layers) == count
    assert model is not network
