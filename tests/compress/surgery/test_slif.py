"""sLIF: repeats the LIF until it learns; its gradients are those of the smooth forward pass."""

from __future__ import annotations

import copy
import itertools
import pickle
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from spikingjelly.activation_based import functional, neuron, surrogate

from autoprune.compress.neurons import Neurons
from autoprune.compress.surgery.slif import function as slif_function
from autoprune.compress.surgery.slif import grid
from autoprune.compress.surgery.slif.node import NOISE, SLIFNode
from autoprune.compress.surgery.slif.surgery import SLIFSurgery, swap
from autoprune.errors import CompressionError
from autoprune.networks.adapter import NeuronSite

LEARNED = ["fixed", "layer", "channel", "neuron"]
PAIRS = [*itertools.product(LEARNED[:3], LEARNED[:3]), ("neuron", "neuron"), ("neuron", "fixed")]
CHANNELS, NEURONS = (5, 1), (5, 7)
KINDS = [
    {"v_reset": 0.0},
    {"v_reset": -0.3, "v_threshold": 0.5},
    {"v_reset": None},
    {"v_reset": None, "decay_input": False, "v_threshold": 0.5},
    {"v_reset": -0.3, "decay_input": False},
]
"""Hard reset and soft, inputs that decay and that do not."""
SURROGATES = [
    surrogate.PiecewiseQuadratic(),
    surrogate.PiecewiseExp(),
    surrogate.Sigmoid(),
    surrogate.Sigmoid(alpha=1.5),
    surrogate.SoftSign(),
    surrogate.SuperSpike(),
    surrogate.ATan(),
    surrogate.ATan(alpha=3.0),
    surrogate.NonzeroSignLogAbs(),
    surrogate.Erf(),
    surrogate.PiecewiseLeakyReLU(),
    surrogate.LeakyKReLU(leak=0.2),
    surrogate.FakeNumericalGradient(),
    surrogate.LogTailedReLU(alpha=0.1),
    surrogate.Rect(),
]


def lif(**changes) -> neuron.LIFNode:
    return neuron.LIFNode(**{"tau": 2.0, "detach_reset": True, "step_mode": "m", **changes})


def plif(**changes) -> neuron.ParametricLIFNode:
    settings = {"init_tau": 2.0, "detach_reset": True, "step_mode": "m", **changes}
    return neuron.ParametricLIFNode(**settings)


def normal(*shape: int, seed: int = 0, dtype=torch.float32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def learning(threshold="layer", tau="layer", replaced=None, **changes) -> SLIFNode:
    """An sLIF some way from its start."""
    chosen = {"channels": CHANNELS, "neurons": NEURONS, **changes}
    node = SLIFNode(replaced or lif(), threshold=threshold, tau=tau, **chosen)
    for seed, parameter in enumerate(node.parameters()):
        parameter.data = 0.3 * normal(*parameter.shape, seed=seed + 7, dtype=parameter.dtype)
    return node


def by_autograd(node: SLIFNode, x: torch.Tensor, v: torch.Tensor | float, resets=None):
    """Spikes and the last V by the formulas, step by step; reset spikes held where given."""
    spikes, rest = [], node.v_reset or 0.0
    for t, step in enumerate(x):
        if node.decay_input:
            h = v + (step - (v - rest)) * node.decay
        else:
            h = v - (v - rest) * node.decay + step
        spike = node.surrogate_function(h - node.threshold)
        reset = spike.detach() if node.detach_reset else spike
        reset = reset if resets is None else resets[t]
        v = h - node.threshold * reset if node.v_reset is None else h * (1 - reset) + rest * reset
        spikes.append(spike)
    return torch.stack(spikes), v


def gradients(outputs, weights, inputs) -> list[torch.Tensor]:
    loss = sum((out * weight).sum() for out, weight in zip(outputs, weights, strict=True))
    return list(torch.autograd.grad(loss, inputs))


# --- Like the neurons that it replaces


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("threshold", "tau"), PAIRS)
def test_fresh_slif_repeats_the_lif_bit_for_bit(threshold, tau, dtype, kind):
    original = lif(**kind)
    x = normal(6, 4, 5, 7, dtype=dtype) * (2 if original.decay_input else 1) + 0.5
    node = SLIFNode(original, threshold=threshold, tau=tau, channels=CHANNELS, neurons=NEURONS)
    assert torch.equal(node(x), original(x))
    assert torch.equal(node(x), original(x))  # from the state that the first left
    assert torch.equal(node.v, original.v)
    assert 0.1 < node(x).mean() < 0.9


def test_it_fires_where_h_is_the_threshold():
    x = torch.tensor([[2.0, 1.9999998]])
    assert SLIFNode(lif())(x).tolist() == lif()(x).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("detach", [False, True])
@pytest.mark.parametrize(
    ("init_tau", "dtype"),
    [(2.0, torch.float32), (1.3, torch.float32), (1.3, torch.float64), (17.0, torch.float64)],
)
def test_learning_tau_per_layer_coincides_with_plif(init_tau, dtype, detach, kind):
    original = plif(init_tau=init_tau, detach_reset=detach, **kind).to(dtype)
    node = SLIFNode(original, tau="layer").to(dtype)
    step = torch.tensor(0.37, dtype=dtype)
    original.w.data += step
    node.decay_logit.data += step
    x = (normal(6, 4, 5, 7, dtype=dtype) + 0.5) * (init_tau if original.decay_input else 0.7)
    weights = normal(6, 4, 5, 7, seed=1, dtype=dtype)
    spikes, grads = [], []
    for module, parameter in ((original, original.w), (node, node.decay_logit)):
        given = x.clone().requires_grad_()
        module(x * 0.7)
        functional.detach_net(module)
        out = module(given)
        spikes.append(out)
        grads.append(gradients([out], [weights], [given, parameter]))
    assert torch.equal(*spikes)
    assert 0.02 < spikes[0].mean() < 0.9
    rounding = 2e-5 if dtype == torch.float32 else 1e-12
    for mine, theirs in zip(*grads, strict=True):
        assert torch.allclose(mine, theirs, rtol=rounding, atol=rounding)
        assert theirs.abs().max() > 1e-3


@pytest.mark.parametrize("detach", [False, True])
@pytest.mark.parametrize("function", SURROGATES, ids=repr)
def test_gradients_are_those_of_the_lif_with_any_surrogate(function, detach):
    original = lif(surrogate_function=function, detach_reset=detach)
    x = normal(4, 3, 5, 7, dtype=torch.float64) * 2
    weights, grads = normal(4, 3, 5, 7, seed=1, dtype=torch.float64), []
    for node in (original, learning("fixed", "fixed", original)):
        given = x.clone().requires_grad_()
        grads += gradients([node(given)], [weights], [given])
    assert torch.allclose(*grads, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "function",
    [
        surrogate.SquarewaveFourierSeries(),
        surrogate.S2NN(),
        surrogate.QPseudoSpike(),
        surrogate.DeterministicPass(),
        surrogate.PoissonPass(),
        surrogate.MultiLevelSpikeCount(2),
    ],
    ids=repr,
)
def test_a_surrogate_whose_gradient_cannot_be_called_is_refused(function):
    with pytest.raises(CompressionError, match=type(function).__name__):
        SLIFNode(lif(surrogate_function=function))


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        (neuron.IFNode(), "IFNode"),
        (torch.nn.ReLU(), "ReLU"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_it_cannot_take_over_is_refused(replaced, words):
    with pytest.raises(CompressionError, match=f"given.*{words}.*expected"):
        SLIFNode(replaced)


# --- Starts and what learns


@pytest.mark.parametrize(("threshold", "tau"), PAIRS)
@pytest.mark.parametrize("replaced", [lif(tau=3.0, v_threshold=0.5), plif(init_tau=3.0)])
def test_starts_are_multiples_of_the_replaced_neuron(replaced, threshold, tau):
    starts = {"threshold_start": 0.8, "tau_start": 1.5}
    shapes = {"layer": (), "channel": CHANNELS, "neuron": NEURONS}
    node = SLIFNode(
        replaced, threshold=threshold, tau=tau, channels=CHANNELS, neurons=NEURONS, **starts
    )
    theta, k = torch.as_tensor(node.threshold), torch.as_tensor(node.decay)
    assert torch.allclose(theta, torch.tensor(replaced.v_threshold * 0.8))
    assert torch.allclose((1 / k).float(), torch.tensor(1 + 1.5 * (3.0 - 1)))
    names = {name: tuple(parameter.shape) for name, parameter in node.named_parameters()}
    chosen = {"threshold_log": threshold, "decay_logit": tau}
    assert names == {key: shapes[kind] for key, kind in chosen.items() if kind != "fixed"}
    assert node.threshold_log is None if threshold == "fixed" else not node.threshold_log.any()
    assert node.decay_logit is None if tau == "fixed" else not node.decay_logit.any()


@pytest.mark.parametrize("start", [0.0, -1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("key", ["threshold_start", "tau_start"])
def test_a_start_that_is_not_positive_is_refused(key, start):
    with pytest.raises(CompressionError, match=f"{key} is {start}"):
        SLIFNode(lif(), **{key: start})


@pytest.mark.parametrize(("threshold", "tau"), PAIRS[1:])
def test_only_what_is_chosen_learns_and_stays_possible(threshold, tau):
    node = SLIFNode(lif(), threshold=threshold, tau=tau, channels=CHANNELS, neurons=NEURONS)
    x = normal(4, 3, 5, 7) + 1
    optimizer = torch.optim.SGD(node.parameters(), lr=20.0)
    for _ in range(5):
        functional.reset_net(node)
        optimizer.zero_grad()
        node(x).mean().backward()
        optimizer.step()
    theta, k = torch.as_tensor(node.threshold), torch.as_tensor(node.decay)
    assert bool((theta != 1.0).all()) == (threshold != "fixed")
    assert bool((k != 0.5).all()) == (tau != "fixed")
    assert (theta > 0).all()
    assert ((k > 0) & (k < 1)).all()


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_gradients_stay_finite_where_tau_does_not(logit):
    """In float32 k is 0 or 1 here."""
    node, x = SLIFNode(lif(), tau="layer"), normal(4, 3, 5, 7).requires_grad_()
    node.decay_logit.data.fill_(logit)
    node(x).sum().backward()
    assert x.grad.isfinite().all()
    assert node.decay_logit.grad == 0


@pytest.mark.parametrize(("threshold", "tau"), PAIRS)
def test_swap_puts_slif_where_the_plan_has_it(threshold, tau):
    original = lif()
    owner = SimpleNamespace(q_lif=original)
    site = NeuronSite(owner=owner, name="q_lif", channels=CHANNELS)
    swap((site,), Neurons())
    assert owner.q_lif is original
    learned = Neurons(threshold=threshold, tau=tau, threshold_start=0.5, tau_start=2.0)
    swap((site,), learned, {original: NEURONS})
    node = owner.q_lif
    assert isinstance(node, SLIFNode)
    assert torch.allclose(torch.as_tensor(node.threshold), torch.tensor(0.5))
    assert torch.allclose(torch.as_tensor(1 / node.decay).float(), torch.tensor(3.0))
    shapes = {"fixed": None, "layer": (), "channel": CHANNELS, "neuron": NEURONS}
    for parameter, kind in ((node.threshold_log, threshold), (node.decay_logit, tau)):
        assert (None if parameter is None else tuple(parameter.shape)) == shapes[kind]
    owner.q_lif = torch.nn.Identity()
    with pytest.raises(CompressionError, match=r"'q_lif' of SimpleNamespace: sLIF: given a Ident"):
        swap((site,), Neurons(threshold="layer"))


# --- Gradients


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(("threshold", "tau"), [("layer", "channel"), ("neuron", "neuron")])
def test_gradients_pass_autograds_own_check(threshold, tau, kind):
    """Gradients of the smooth forward pass, by finite differences of its own outputs."""
    function = surrogate.Sigmoid(alpha=4.0, spiking=False)
    node = learning(threshold, tau, lif(surrogate_function=function, **kind)).double()
    x = normal(3, 2, 5, 7, dtype=torch.float64) + 0.5
    start = 0.5 * normal(2, 5, 7, seed=1, dtype=torch.float64)
    inputs = [x, start, node.threshold_log, node.decay_logit]
    assert torch.autograd.gradcheck(
        lambda x, v, w, a: slif_function.run(x, v, (w, a), replace(node.dynamics, detach=False)),
        [given.detach().requires_grad_() for given in inputs],
        fast_mode=True,
    )


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(("threshold", "tau"), [("layer", "channel"), ("channel", "layer")])
def test_detached_gradients_are_those_of_held_resets(threshold, tau, kind):
    """Gradients of the smooth pass by finite differences, the spikes that reset held constant."""
    node = learning(threshold, tau, lif(detach_reset=True, **kind)).double()
    node.surrogate_function = surrogate.Sigmoid(alpha=4.0, spiking=False)
    double = {"dtype": torch.float64}
    x = (normal(3, 2, 5, 2, **double) + 0.5).requires_grad_()
    start = (0.5 * normal(2, 5, 2, seed=1, **double)).requires_grad_()
    weights = [normal(3, 2, 5, 2, seed=2, **double), normal(2, 5, 2, seed=3, **double)]
    node.v = start
    spikes = node(x)
    inputs = [x, start, node.threshold_log, node.decay_logit]
    exact = gradients([spikes, node.v], weights, inputs)
    resets = spikes.detach()
    for given, grad in zip(inputs, exact, strict=True):
        numeric = torch.zeros_like(given).reshape(-1)
        flat = given.data.view(-1)
        for i, value in enumerate(flat.tolist()):
            ends = []
            for nudged in (value + 1e-6, value - 1e-6):
                flat[i] = nudged
                with torch.no_grad():
                    outputs = by_autograd(node, x, start, resets)
                ends.append(
                    sum(float((o * w).sum()) for o, w in zip(outputs, weights, strict=True))
                )
            flat[i] = value
            numeric[i] = (ends[0] - ends[1]) / 2e-6
        assert torch.allclose(grad.reshape(-1), numeric, rtol=1e-5, atol=1e-7)
        assert numeric.abs().max() > 1e-3


@pytest.mark.parametrize("spiking", [True, False])
@pytest.mark.parametrize("detach", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(("threshold", "tau"), PAIRS[-4:])
def test_gradients_are_those_of_autograd(threshold, tau, kind, detach, spiking, monkeypatch):
    """From a given state, with the last V in the loss, in blocks of which the last is smaller."""
    monkeypatch.setattr(grid, "BLOCK", 70)
    function = surrogate.Sigmoid(spiking=spiking)
    settings = {"detach_reset": detach, "surrogate_function": function, **kind}
    node = learning(threshold, tau, lif(**settings), tau_start=1.5).double()
    double = {"dtype": torch.float64}
    x = (normal(4, 3, 5, 7, **double) + 0.5).requires_grad_()
    v = normal(3, 5, 7, seed=1, **double).requires_grad_()
    weights = [normal(4, 3, 5, 7, seed=2, **double), normal(3, 5, 7, seed=3, **double)]
    inputs = [x, v, *node.parameters()]
    node.v = v
    outputs = [node(x), node.v]
    expected = by_autograd(node, x, v)
    assert all(torch.allclose(*pair) for pair in zip(outputs, expected, strict=True))
    mine, autograd = (gradients(o, weights, inputs) for o in (outputs, expected))
    for pair in zip(mine, autograd, strict=True):
        assert torch.allclose(*pair, rtol=1e-9, atol=1e-11)


def test_the_last_state_alone_has_gradients():
    node = learning("channel", "layer", lif(detach_reset=False))
    x = normal(3, 2, 5, 4).requires_grad_()
    node(x)
    mine = gradients([node.v], [1.0], [x, *node.parameters()])
    _, v = by_autograd(node, x, 0.0)
    for pair in zip(mine, gradients([v], [1.0], [x, *node.parameters()]), strict=True):
        assert torch.allclose(*pair, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("channels", [(5, 1), (1, 5, 1), (1,), (7,)])
def test_parameters_of_any_shape_that_broadcasts_over_the_batch(channels):
    node = SLIFNode(lif(), threshold="channel", tau="channel", channels=channels).double()
    x = normal(4, 3, 5, 7, dtype=torch.float64)
    mine, theirs = (
        gradients([spikes], [1.0], list(node.parameters()))
        for spikes in (node(x), by_autograd(node, x, 0.0)[0])
    )
    for pair in zip(mine, theirs, strict=True):
        assert torch.allclose(*pair)
        assert pair[0].shape == channels


@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float16, 2e-2), (torch.bfloat16, 1e-1)])
@pytest.mark.parametrize("learned", LEARNED[1:])
def test_half_precision_sums_parameter_gradients_in_single(learned, dtype, rounding):
    """The sums are beyond 65504, where float16 ends."""
    x = torch.full((4, 4000, 5, 1), 1.25, dtype=dtype)
    found = []
    for given in (x, x.double()):
        node = SLIFNode(lif(), threshold=learned, tau=learned, channels=CHANNELS, neurons=(5, 1))
        spikes = node(given)
        assert spikes.dtype == given.dtype
        found.append(gradients([spikes], [64.0], list(node.parameters())))
        assert all(grad.dtype == torch.float32 for grad in found[-1])
    for pair in zip(*found, strict=True):
        assert torch.allclose(*pair, rtol=rounding)
        assert pair[0].abs().min() > 65504


@pytest.mark.parametrize("learned", LEARNED[1:])
def test_neither_blocks_nor_strides_change_anything(learned, monkeypatch):
    found = []
    for block in (grid.BLOCK, 1, 8):
        monkeypatch.setattr(grid, "BLOCK", block)
        node, x = learning(learned, learned), normal(7, 5, 3, 4).requires_grad_()
        turned = x.permute(3, 2, 1, 0)
        assert not turned.is_contiguous()
        spikes = node(turned if block < 9 else turned.contiguous())
        found.append([spikes, *gradients([spikes], [1.0], [x, *node.parameters()])])
    for other in found[1:]:
        assert torch.equal(found[0][0], other[0])
        for pair in zip(found[0], other, strict=True):
            assert torch.allclose(*pair, rtol=1e-5, atol=1e-6)


# --- One by one


def test_neurons_that_learn_one_by_one_start_apart_and_alike_for_a_seed():
    def made(seed: int, **changes) -> SLIFNode:
        random = torch.Generator().manual_seed(seed)
        chosen = {"threshold": "neuron", "tau": "neuron", "neurons": (50, 70), **changes}
        return SLIFNode(lif(), random=random, **chosen)

    log = made(1).threshold_log.data
    assert log.std().item() == pytest.approx(NOISE, rel=0.05)
    assert torch.equal(made(1).threshold_log, log)
    assert not torch.equal(made(2).threshold_log, log)
    assert not made(1).decay_logit.any()
    assert not made(1, threshold="channel", channels=(50, 1)).threshold_log.any()


def test_inputs_of_another_size_are_refused_where_neurons_learn_one_by_one():
    node = learning("neuron", "layer")
    node(normal(4, 3, 5, 7))
    for size in ((5, 8), (5, 1), (7,)):
        with pytest.raises(CompressionError, match=r"per neuron of inputs \[5, 7\]; given \["):
            node(normal(4, 3, *size))


def test_a_number_of_neurons_that_is_not_known_is_that_of_what_is_loaded():
    known, fresh = learning("neuron", "neuron"), learning("neuron", "neuron", neurons=None)
    x = normal(4, 3, 5, 7)
    with pytest.raises(CompressionError, match=r"no inputs were seen; given \[5, 7\]"):
        fresh(x)
    fresh.load_state_dict(known.state_dict())
    assert torch.equal(fresh(x), known(x))
    with pytest.raises(RuntimeError, match="size mismatch"):
        fresh.load_state_dict(learning("neuron", "neuron", neurons=(5, 8)).state_dict())


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("learned", ["layer", "neuron"])
def test_plain_operations_give_the_same_spikes(learned, kind):
    node, x = learning(learned, learned, lif(**kind)), 2 * normal(6, 3, 5, 7) + 0.5
    plain = SLIFSurgery().plain(node)
    assert torch.equal(plain(x), node(x))
    assert 0.1 < plain(x).mean() < 0.9


# --- State, copies, modes


def test_state_is_kept_until_reset():
    node, x = SLIFNode(lif()), torch.full((1, 1, 3), 0.9)
    assert (node(x).sum(), node(x).sum(), node(torch.full((1, 1, 3), 1.4)).sum()) == (0, 0, 3)
    functional.reset_net(node)
    assert node(torch.full((1, 1, 3), 1.4)).sum() == 0


def test_state_starts_at_v_reset():
    node = SLIFNode(lif(v_reset=0.75))
    for _ in range(2):
        assert node.v == 0.75
        assert node(torch.full((1, 1, 3), 1.3)).sum() == 3  # 0.75 + 0.55 / 2 > 1
        functional.reset_net(node)


@pytest.mark.parametrize("start", [0.5, torch.full((3, 5), 0.5)], ids=["number", "tensor"])
def test_state_may_be_set(start):
    node, original, x = SLIFNode(lif()), lif(), normal(4, 3, 5)
    node.v = original.v = start
    assert torch.equal(node(x), original(x))
    assert torch.equal(node.v, original.v)


def test_training_goes_on_from_a_kept_state():
    node, x = SLIFNode(lif(), threshold="layer", tau="layer"), normal(4, 3, 5)
    for _ in range(3):
        node(x).sum().backward()
        functional.detach_net(node)
    with torch.inference_mode():
        node(x)
    functional.reset_net(node)
    node(x).sum().backward()


def test_another_batch_or_dtype_does_not_trip_over_the_state():
    node, original = SLIFNode(lif()), lif()
    for x in (normal(4, 3, 5), normal(4, 2, 5), normal(4, 2, 5, dtype=torch.float64)):
        assert torch.equal(node(x), original(x))


def test_single_steps_are_those_of_the_sequence():
    node, x = learning("channel", "layer"), normal(4, 3, 5, 7) * 2
    spikes = node(x)
    functional.reset_net(node)
    node.step_mode = "s"
    assert torch.equal(torch.stack([node(step) for step in x]), spikes)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("learned", LEARNED)
def test_without_gradients_nothing_is_saved(mode, learned, monkeypatch):
    monkeypatch.setattr(grid, "BLOCK", 40)
    node, x = learning(learned, learned), normal(4, 3, 5, 7).requires_grad_()
    spikes, v = node(x), node.v
    functional.reset_net(node)
    saved = []
    monkeypatch.setattr(slif_function._Function, "apply", saved.append)
    with mode():
        assert torch.equal(node(x), spikes)
    assert torch.equal(node.v, v)
    assert not saved
    assert not node.v.requires_grad


@pytest.mark.parametrize("again", [copy.deepcopy, lambda node: pickle.loads(pickle.dumps(node))])
def test_copies_are_equal_and_independent(again):
    node, x = learning("channel", "layer", tau_start=2.0), normal(4, 3, 5, 7)
    with torch.no_grad():
        node(x)  # a state
    other = again(node)
    assert other.threshold_log is not node.threshold_log
    assert torch.equal(other(x), node(x))
    assert other.state_dict().keys() == {"threshold_log", "decay_logit"}


@pytest.mark.parametrize("learned", LEARNED[1:])
def test_backward_twice_over_a_retained_graph(learned):
    node, x = learning(learned, learned), normal(4, 3, 5, 7).requires_grad_()
    loss = node(x).sum()
    once, twice = (
        torch.autograd.grad(loss, [x, *node.parameters()], retain_graph=True) for _ in range(2)
    )
    assert all(torch.equal(*pair) for pair in zip(once, twice, strict=True))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("detach", [False, True])
@pytest.mark.parametrize("function", [surrogate.Sigmoid(), surrogate.ATan(), surrogate.Erf()])
@pytest.mark.parametrize(("threshold", "tau"), PAIRS)
def test_cuda_has_the_spikes_and_gradients_of_the_cpu(threshold, tau, function, detach):
    original = lif(surrogate_function=function, detach_reset=detach)
    found = []
    for device in ("cpu", "cuda"):
        shapes = {"channels": CHANNELS, "neurons": NEURONS}
        node = SLIFNode(original, threshold=threshold, tau=tau, **shapes).to(device)
        x = (normal(4, 3, 5, 7) * 2).to(device).requires_grad_()
        weights = normal(4, 3, 5, 7, seed=1).to(device)
        spikes = node(x)
        grads = gradients([spikes], [weights], [x, *node.parameters()])
        found.append([tensor.detach().cpu() for tensor in (spikes, node.v, *grads)])
    assert torch.equal(found[0][0], found[1][0])
    for pair in zip(*found, strict=True):
        assert torch.allclose(*pair, rtol=1e-5, atol=1e-6)
