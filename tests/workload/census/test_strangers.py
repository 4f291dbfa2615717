"""Networks as the public writes them: scripted, traced, recurrent, with gates, on tokens."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from autoprune.errors import CountingError
from autoprune.report.tables.workload import coverage_lines
from autoprune.workload.census.count import count
from autoprune.workload.workload import Folded, Workload

STEPS, SAMPLES, TOKENS, WIDTH = 4, 3, 6, 8


class Hand(nn.Module):
    """Neurons of nobody's class, over [T, ...]."""

    def forward(self, x: Tensor) -> Tensor:
        u, out = torch.zeros_like(x[0]), []
        for step in x:
            u = u / 2 + step
            out.append((u > 0.2).to(x))
            u = u * (1 - out[-1])
        return torch.stack(out)


class Network(nn.Module):
    """A layer, neurons by hand, and what `then` does to their spikes [T, B, tokens, C]."""

    def __init__(self, then, shown=lambda net, x: x.expand(STEPS, *x.shape)) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.T, self.then, self.shown = STEPS, then, shown
        self.embed, self.fire = nn.Linear(5, WIDTH), Hand()
        self.layer, self.more = nn.Linear(WIDTH, WIDTH), nn.GRUCell(WIDTH, WIDTH)
        self.heads = nn.Parameter(torch.randn(2, 4, 4))
        self.taps = nn.Parameter(torch.randn(WIDTH, 3 * WIDTH))
        self.known = neuron.LIFNode(v_threshold=0.2, step_mode="m")
        self.words = nn.Embedding(7, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.then(self, self.fire(2 * self.embed(self.shown(self, x)))).mean((0, 2))


def counted(network: nn.Module):
    x = torch.rand(SAMPLES, TOKENS, 5, generator=torch.Generator().manual_seed(1))
    return count(network.eval(), None, x)


def plain(net, x: Tensor) -> Tensor:
    return net.layer(x)


def neurons(workload) -> list[int]:
    return [op.neurons.count for op in workload.select("executed")]


def not_free(workload) -> dict[str, int]:
    return {item.name: item.dense_macs for item in workload.uncounted if not item.is_free}


def test_scripted_networks_are_counted():
    """As a whole, and where one of their modules is."""
    expected = counted(Network(plain))
    inner = Network(plain)
    inner.layer = torch.jit.script(inner.layer)
    assert counted(inner).ops == expected.ops
    whole = counted(scripted())
    assert whole.ops[1].work == expected.ops[1].work
    assert neurons(whole) == neurons(expected)
    assert not_free(whole) == {}


def scripted() -> nn.Module:
    class Scripted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            like = Network(plain)
            self.embed, self.layer = like.embed, like.layer

        def forward(self, x: Tensor) -> Tensor:
            current, u = 2 * self.embed(x), torch.zeros(1)
            out = torch.jit.annotate(list[Tensor], [])
            for _ in range(4):
                u = u / 2 + current
                out.append((u > 0.2).to(x.dtype))
                u = u * (1 - out[-1])
            return self.layer(torch.stack(out)).mean((0, 2))

    found = torch.jit.script(Scripted())
    found.T = STEPS
    return found


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:DeprecationWarning")
def test_a_traced_convolution_is_a_convolution():
    class Convolved(Network):
        def forward(self, x: Tensor) -> Tensor:
            return torch.conv1d(x, self.heads.flatten(0, 1).unsqueeze(1)[:, :, :3], groups=1)

    x = torch.rand(2, 1, 6)
    network = Convolved(plain).eval()
    expected = count(network, None, x)
    traced = torch.jit.trace(network, x)
    traced.T = STEPS
    (op,) = count(traced, None, x).ops
    assert (op.kind, op.work) == ("conv", expected.ops[0].work)


def test_columns_of_a_convolution_multiply_as_often_as_it_does():
    def image(x: Tensor) -> Tensor:
        return x.flatten(0, 1).mT.unsqueeze(2)  # [T B, C, 1, tokens]

    def convolved(net, x: Tensor) -> Tensor:
        kernel = net.taps.unflatten(1, (WIDTH, 1, 3))
        return torch.conv2d(image(x), kernel, padding=(0, 1)).flatten(2).unflatten(0, (STEPS, -1))

    def columns(net, x: Tensor) -> Tensor:
        taken = nn.functional.unfold(image(x), (1, 3), padding=(0, 1))
        return (net.taps @ taken).unflatten(0, (STEPS, -1))

    one, other = (counted(Network(then)).ops[-1] for then in (convolved, columns))
    assert (one.kind, other.kind) == ("conv", "linear")
    assert one.work.effective_sops == other.work.effective_sops > 0
    assert one.work.dense_macs == other.work.dense_macs


def test_a_matrix_per_head_may_be_broadcast():
    def product(net, x: Tensor) -> Tensor:
        return (x.unflatten(-1, (2, 4)).transpose(2, 3) @ net.heads).transpose(2, 3).flatten(3)

    def einsum(net, x: Tensor) -> Tensor:
        return torch.einsum("tbnhc,hcd->tbnhd", x.unflatten(-1, (2, 4)), net.heads).flatten(3)

    one, other = (counted(Network(then)) for then in (product, einsum))
    assert one.ops[-1].sizes.groups == 2
    assert one.ops == other.ops
    assert not_free(one) == {}


@pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning")
@pytest.mark.parametrize("store", [Tensor.to_sparse, Tensor.to_sparse_csr])
@pytest.mark.parametrize("multiply", [torch.matmul, torch.sparse.mm, lambda w, x: x.mT @ w.mT])
def test_weights_stored_without_their_zeros_are_those_of_a_layer(store, multiply):
    """And so are spikes, which another network has on the left."""

    def pruned(net):
        return net.layer.weight * (net.layer.weight > 0)

    def of_weights(net, x: Tensor) -> Tensor:
        made = multiply(store(pruned(net)), x.flatten(0, 2).mT)
        return (made if made.shape[0] == WIDTH else made.mT).mT.unflatten(0, x.shape[:3])

    def of_spikes(net, x: Tensor) -> Tensor:
        return torch.matmul(store(x.flatten(0, 2)), pruned(net).mT).unflatten(0, x.shape[:3])

    expected = counted(Network(lambda net, x: nn.functional.linear(x, pruned(net))))
    for way in (of_weights, of_spikes):
        workload = counted(Network(way))
        assert [op.work for op in workload.ops] == [op.work for op in expected.ops]
        assert [op.name for op in workload.ops] == ["embed", "layer"]
        assert not_free(workload) == {}


def test_a_product_may_be_one_of_integers():
    def product(net, x: Tensor) -> Tensor:
        return (x @ x.mT) @ x

    def integers(net, x: Tensor) -> Tensor:
        return (x.int() @ x.int().mT).float() @ x

    one, other = (counted(Network(then)) for then in (product, integers))
    assert {op.order for op in one.ops[1:]} == {"executed", "published"}
    assert one.ops == other.ops


def test_gates_are_neurons_each_and_levels_of_one_membrane_are_one():
    def gated(net, x: Tensor) -> Tensor:
        first, second = (net.layer(x) > 0.1).to(x).chunk(2, -1)
        return net.layer(torch.cat([first, second], -1) + 0 * net.layer(x))

    def cell(net, x: Tensor) -> Tensor:
        out = []
        for step in x:
            made = net.layer(step)
            out.append((made > 0.1).to(x) + (made > 0.3).to(x) + (made > 0.5).to(x))
        return net.layer(torch.stack(out))

    number = TOKENS * WIDTH
    workload = counted(Network(cell))
    assert neurons(workload)[:2] == [number, number]
    assert [item.neurons for item in workload.found] == [number, number]
    assert workload.ops[1].neurons.output_spikes == workload.ops[2].a.events > 0
    assert neurons(counted(Network(gated)))[:2] == [number, number]


def test_neurons_by_hand_mask_spikes_at_once_and_step_by_step():
    seen = []

    def gated(net, x: Tensor) -> Tensor:
        passed = (net.layer(x) > 0.1).to(x) * x
        seen.append(int(passed.sum()))
        return net.layer(passed)

    def loop(net, x: Tensor) -> Tensor:
        return torch.stack([net.layer((net.layer(step) > 0.1).to(x) * step) for step in x])

    one, other = (counted(Network(then)) for then in (gated, loop))
    assert [op.kind for op in one.ops] == ["linear", "linear", "masking", "linear"]
    assert one.ops[2].work.effective_sops == one.ops[3].a.events == seen[0] > 0
    assert [op.work for op in one.ops] == [op.work for op in other.ops]


def test_neurons_that_take_one_current_step_after_step_are_the_same():
    class Static(Network):
        def forward(self, x: Tensor) -> Tensor:
            current, u, out = 2 * self.embed(x), 0.0, []
            for _ in range(STEPS):
                u = u / 2 + current
                out.append((u > 0.2).to(x))
                u = u * (1 - out[-1])
            return self.layer(torch.stack(out)).mean((0, 2))

    assert neurons(counted(Static(plain))) == [TOKENS * WIDTH, 0]


def test_neurons_are_found_whoever_reads_them():
    """Also where what reads them makes real numbers of them first."""
    workload = counted(Network(lambda net, x: net.layer(nn.functional.layer_norm(x, (WIDTH,)))))
    assert workload.ops[1].a.kind == "real"
    assert [(item.module, item.neurons) for item in workload.found] == [("fire", TOKENS * WIDTH)]


@pytest.mark.parametrize(
    "read",
    [
        lambda spikes, u, current: nn.functional.layer_norm(spikes.mean(0), (WIDTH,)),
        lambda spikes, u, current: u,
        lambda spikes, u, current: current * spikes.sum(0),
    ],
)
def test_neurons_of_no_module_are_found_whoever_reads_them(read):
    """Rates that are no whole numbers; a membrane alone; a current that they gate."""

    class Inline(Network):
        def forward(self, x: Tensor) -> Tensor:
            current, u, out = 2 * self.embed(x), 0.0, []
            for _ in range(STEPS):
                u = u / 2 + current
                out.append((u > 0.2).to(x))
                u = u * (1 - out[-1])
            return self.layer(read(torch.stack(out), u, current)).mean(1)

    workload = counted(Inline(plain))
    assert [item.neurons for item in workload.found] == [TOKENS * WIDTH]
    assert neurons(workload) == [TOKENS * WIDTH, 0]
    assert workload.ops[0].neurons.updates == STEPS * SAMPLES * TOKENS * WIDTH


def once(net, x, u, spikes):
    return (u > 0.1).to(x), spikes


def again(net, x, u, spikes):  # as snnTorch resets: what fired is asked once more
    return (u > 0.1).to(x), (u > 0.1).to(x)


def minus(net, x, u, spikes):
    return (u > 0.1).to(x) - (u < -0.1).to(x), spikes


def sign(net, x, u, spikes):
    return torch.sign(u) * (u.abs() > 0.1), spikes


def chosen(net, x, u, spikes):
    return torch.where(u > 0.1, 1.0, torch.where(u < -0.1, -1.0, 0.0)), spikes


@pytest.mark.parametrize(("fire", "alike"), [(again, once), (sign, minus), (chosen, minus)])
def test_a_membrane_is_one_neuron_however_often_it_is_asked(fire, alike):
    class Asked(Network):
        def forward(self, x: Tensor) -> Tensor:
            current, u, spikes, out = self.embed(x) - 0.2, torch.zeros(1), 0.0, []
            for _ in range(STEPS):
                if out and self.then is again:
                    _, spikes = again(self, x, u, spikes)
                u = u / 2 + current - 0.1 * spikes
                spikes, _ = self.then(self, x, u, spikes)
                out.append(spikes)
            return self.layer(torch.stack(out)).mean((0, 2))

    one, other = counted(Asked(fire)), counted(Asked(alike))
    assert one.ops[0].neurons.count == TOKENS * WIDTH
    assert one.ops[0].neurons.output_spikes == one.ops[1].a.events > 0
    assert one.ops == other.ops


def counting(u, past):
    return (u > 0.2).to(u) * (1 - past)


def flagged(u, past):
    return ((u > 0.2) & (past == 0)).to(u)


def left_out(u, past):
    return (u > 0.2).to(u).masked_fill(past > 0, 0)


@pytest.mark.parametrize("fire", [counting, flagged, left_out])
def test_neurons_that_rest_are_no_more_neurons(fire):
    """What holds a neuron back is made of its own spikes; what it lets pass is what it emits."""

    class Resting(Network):
        def forward(self, x: Tensor) -> Tensor:
            current, u, past, out = 2 * self.embed(x), 0.0, torch.zeros(1), []
            for _ in range(STEPS):
                u = u + current
                out.append(self.then(u, past))
                past = past + out[-1]
            return self.layer(torch.stack(out)).mean((0, 2))

    workload = counted(Resting(fire))
    assert [op.kind for op in workload.ops] == ["linear", "linear"]
    assert [item.neurons for item in workload.found] == [TOKENS * WIDTH]
    assert workload.ops[0].neurons.output_spikes == workload.ops[1].a.events > 0
    assert all("no product" not in item.reason for item in workload.uncounted)


def test_neurons_by_hand_take_sums_of_spikes_as_others_do():
    """As in attention over tokens, which multiplies nothing before its neurons."""

    def summed(net, x: Tensor) -> Tensor:
        heads = x.unflatten(-1, (2, 4))
        return net.layer((net.after(heads.sum(-1) - 0.5).unsqueeze(-1) * heads).flatten(3))

    by_hand, known = Network(summed), Network(summed)
    by_hand.after, known.after = Hand(), neuron.IFNode(v_threshold=0.2, step_mode="m")
    one, other = counted(by_hand), counted(known)
    assert [(op.kind, op.neurons.count) for op in one.ops[1:3]] == [("sum", 2 * TOKENS), MASK]
    assert [op.kind for op in one.ops] == [op.kind for op in other.ops]
    assert not [item.name for item in one.uncounted if "that no product drives" in item.reason]


MASK = ("masking", 0)


def test_a_state_of_zeros_may_be_made_of_a_buffer():
    class Kept(Network):
        def forward(self, x: Tensor) -> Tensor:
            state = torch.zeros_like(self.kept)
            for _ in range(STEPS):
                state = (self.embed(x) + self.layer(state) > 0.2).to(x)
            return state.mean(1)

    network = Kept(plain)
    network.register_buffer("kept", torch.ones(SAMPLES, TOKENS, WIDTH))
    assert [op.sizes.time_steps for op in counted(network).ops] == [STEPS, STEPS]


def test_a_mask_of_real_numbers_is_no_neuron():
    class Rectified(Network):
        def forward(self, x: Tensor) -> Tensor:
            made = self.embed(x)
            return self.layer(made * (made > 0)).mean(1)

    assert counted(Rectified(plain)).found == ()


@torch.library.custom_op("autoprune_tests::fire", mutates_args=())
def fire_of_nobody(x: Tensor) -> Tensor:
    """Neurons in an operator that torch knows nothing of."""
    return (x > 0.2).to(x)


@pytest.mark.parametrize(
    "fire",
    [
        fire_of_nobody,
        lambda x: (x / 0.2).floor_divide(1),
        lambda x: torch.div(x, 0.2, rounding_mode="floor"),
        lambda x: (5 * x).int().float(),
        lambda x: torch.fake_quantize_per_tensor_affine(x, 0.25, 0, 0, 15),
        lambda x: nn.functional.one_hot(x.argmax(-1), WIDTH).to(x),
        lambda x: torch.zeros_like(x).scatter(-1, x.topk(2, -1).indices, 1.0),
        lambda x: torch.zeros_like(x).index_put(torch.where(x > 0.2), torch.ones(())),
    ],
)
def test_spikes_are_found_whatever_operator_made_them(fire):
    network = Network(plain)
    network.fire = nn.Module()
    network.fire.forward = fire
    workload = counted(network)
    assert workload.ops[1].work.real_macs == 0 < workload.ops[1].a.events
    assert neurons(workload) == [TOKENS * WIDTH, 0]


def test_rounded_pixels_stay_pixels():
    """An encoder emits spikes; rounding what is shown to 8 bits makes none."""

    def rounded(net, x: Tensor) -> Tensor:
        return (x * 255).round().expand(STEPS, *x.shape) / 255

    def encoded(net, x: Tensor) -> Tensor:
        return torch.stack([(x > level / STEPS).to(x) for level in range(STEPS)])

    one, other = (counted(Network(plain, shown)).ops[0] for shown in (rounded, encoded))
    assert (one.a.kind, one.work.effective_sops) == ("real", 0)
    assert (other.a.kind, other.work.real_macs) == ("binary", 0)


def test_a_state_of_zeros_is_counted_where_recurrence_begins():
    """Every token is a row, as it is of every sample."""

    def recurrent(net, x: Tensor) -> Tensor:
        state, out = x.new_zeros(SAMPLES * TOKENS, WIDTH), []
        for step in x:
            state = net.more(step.flatten(0, 1), state)
            out.append(state.unflatten(0, (SAMPLES, TOKENS)))
        return torch.stack(out)

    workload = counted(Network(recurrent))
    layers = workload.ops[1:]
    assert [op.sizes.time_steps for op in layers] == [STEPS, STEPS]
    assert {op.work.dense_macs for op in layers} == {STEPS * SAMPLES * TOKENS * 3 * WIDTH * WIDTH}
    assert set(not_free(workload)) == {"products entry by entry"}


def test_as_many_samples_steps_and_channels_hide_no_state_of_zeros():
    def recurrent(net, x: Tensor) -> Tensor:
        state, out = x.new_zeros(WIDTH, WIDTH), []
        for step in x:
            state = net.more(step.sum(1), state)
            out.append(state.unsqueeze(1))
        return torch.stack(out)

    network = Network(recurrent, lambda net, x: x.expand(WIDTH, *x.shape))
    network.T = WIDTH
    workload = count(network.eval(), None, torch.rand(WIDTH, TOKENS, 5))
    assert [op.work.dense_macs for op in workload.ops[1:]] == [3 * WIDTH**4] * 2
    assert [op.sizes.time_steps for op in workload.ops[1:]] == [WIDTH, WIDTH]


@pytest.mark.parametrize("kernel", [(1, 3), (3, 1)])
def test_a_convolution_that_mixes_steps_is_one_of_all_steps(kernel):
    """Frames are [B, C, T, tokens]; one that mixes none is a layer of every step."""

    def over(net, x: Tensor) -> Tensor:
        taps = net.taps[:, : 3 * WIDTH].reshape(WIDTH, WIDTH, *kernel)
        padding = tuple(size // 2 for size in kernel)
        return torch.conv2d(x.permute(1, 3, 0, 2), taps, padding=padding).permute(2, 0, 3, 1)

    op = counted(Network(over)).ops[-1]
    mixes = kernel[0] > 1
    assert op.geometry.in_size == ((STEPS, TOKENS) if mixes else (TOKENS,))
    assert (op.sizes.time_steps, op.sizes.m) == ((1, STEPS * TOKENS) if mixes else (STEPS, TOKENS))
    assert op.work.dense_macs == SAMPLES * STEPS * TOKENS * 3 * WIDTH**2


def test_complex_numbers_are_named():
    def filtered(net, x: Tensor) -> Tensor:
        made = torch.fft.rfft(x, dim=2) @ net.heads[0].repeat(2, 2).to(torch.complex64)
        return net.layer(torch.fft.irfft(made, TOKENS, dim=2))

    named = not_free(counted(Network(filtered)))
    assert named["bmm"] == 4 * STEPS * SAMPLES * (TOKENS // 2 + 1) * WIDTH**2
    assert {"_fft_r2c", "_fft_c2r"} < {*named}


def test_tokens_are_rows_of_a_table():
    def looked_up(net, x: Tensor) -> Tensor:
        rows = net.words((x[..., 0] * 6).long()) @ net.words.weight.T
        return rows[..., :5].expand(STEPS, SAMPLES, TOKENS, 5)

    workload = counted(Network(plain, looked_up))
    assert [op.sizes.time_steps for op in workload.ops] == [1, STEPS, STEPS]


def test_every_layer_behind_what_torch_cannot_follow_is_named():
    def lost(net, x: Tensor) -> Tensor:
        return net.layer(net.layer(torch.from_numpy(x.numpy().copy())))

    workload = counted(Network(lost))
    macs = 2 * STEPS * SAMPLES * TOKENS * WIDTH * WIDTH
    assert not_free(workload) == {"addmm of constants": macs}


def test_what_folds_into_weights_is_told():
    workload = counted(Network(lambda net, x: net.layer(x / 4) + net.layer(x)))
    assert workload.folded == (Folded(layer="layer", unit=0.25),)
    (line,) = [line for line in coverage_lines(workload) if line.startswith("Whole multiples")]
    assert line.startswith("Whole multiples of 0.25: layer. They are counted as spikes")
    assert f"they take {STEPS * TOKENS * WIDTH**2 / 1000:.3g} k MACs" in line
    assert Workload.from_json(workload.to_json()) == workload


def test_steps_one_by_one_leave_the_same_neurons_untouched():
    keep = torch.tensor([1.0, 0.0, 1.0]).view(SAMPLES, 1, 1)
    ways = (
        lambda net, x: net.layer(x),
        lambda net, x: torch.stack([net.layer(step) for step in x]),
    )
    one, other = (
        counted(Network(lambda net, x, way=way: net.known(way(net, x * keep)))).ops[1].neurons
        for way in ways
    )
    assert one.updates_inactive >= STEPS * TOKENS * WIDTH
    assert one == other


def test_an_expert_that_gets_no_token_multiplies_nothing():
    """There is one sample, since tokens of several are not told apart once they are gathered.

    A gate chooses the expert, whose places are no neurons.
    """

    def experts(net, x: Tensor) -> Tensor:
        rows = x.flatten(0, 2)
        chosen = (rows @ net.taps[:2, -WIDTH:].T).argmax(-1)
        made = torch.zeros_like(rows)
        for expert, weight in enumerate((net.layer.weight, net.taps[:, :WIDTH], net.taps[:, :8])):
            places = (chosen == expert).nonzero().squeeze(-1)
            made = made.index_add(0, places, rows[places] @ weight.T)
        return made.view_as(x)

    x = torch.rand(1, TOKENS, 5, generator=torch.Generator().manual_seed(1))
    workload = count(Network(experts).eval(), None, x)
    spikes = workload.ops[0].neurons.output_spikes
    assert [op.name for op in workload.ops] == ["embed", "taps", "layer", "taps#2"]
    assert sum(op.work.effective_sops for op in workload.ops[2:]) == spikes * WIDTH > 0
    assert neurons(workload) == [TOKENS * WIDTH, 0, 0, 0]


def test_neurons_of_one_step_that_run_once_are_named():
    """A loop runs them T times; once, they take all steps for samples, or are one step of T."""

    def loop(net, x: Tensor) -> Tensor:
        return torch.stack([net.known(net.layer(step)) for step in x])

    ways = {
        loop: [],
        lambda net, x: net.known(net.layer(x)): ["known"],
        lambda net, x: net.known(net.layer(x[0])).expand(x.shape): ["known"],
    }
    for way, expected in ways.items():
        network = Network(way)
        network.known.step_mode = "s"
        workload = counted(network)
        named = {item.name: item.reason for item in workload.uncounted if not item.is_free}
        assert [*named] == expected
        assert all("and T = 4" in reason and "'m'" in reason for reason in named.values())
    network.known.step_mode = "m"
    assert "known" not in not_free(counted(network))


def test_a_forward_pass_in_inference_mode_is_counted():
    """Torch hands composite functions over whole, and does not count what is written there."""

    class Inferring(Network):
        def forward(self, x: Tensor) -> Tensor:
            with torch.inference_mode():
                return super().forward(x)

    def attention(net, x: Tensor) -> Tensor:
        made = nn.functional.scaled_dot_product_attention(net.known(net.layer(x)), x, x)
        return made.mul_(0.5) @ net.layer.weight

    one, other = counted(Network(attention)), counted(Inferring(attention))
    assert len(one.ops) == 5
    assert one.ops == other.ops


def test_what_the_network_does_outside_of_modules_is_told_so():
    class Mixed(Network):
        def forward(self, x: Tensor) -> Tensor:
            return (self.embed(x).sum((0, 1)) > 0.1).to(x)

    with pytest.raises(CountingError, match=r"^the network itself: an operand of shape \[8\]"):
        counted(Mixed(plain))


def test_nothing_without_macs_is_no_line():
    class One(nn.Module):
        T = 1

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x)

    (line, other) = coverage_lines(count(One(), None, torch.rand(2, 5)))
    assert line.startswith("Dense MACs: counted 100.00 %")
    assert "Without" not in other


def test_channels_repeated_as_often_as_there_are_steps_are_no_steps():
    class Frames(Network):
        def forward(self, x: Tensor) -> Tensor:
            self.known.step_mode = "s"
            taken = (frame.mean((1, 3))[:, :1].repeat(1, STEPS) for frame in x)
            return sum(self.layer(self.known(8 * step.repeat(1, 2))) for step in taken)

    x = (torch.rand(SAMPLES, STEPS, 2, 3, 3) < 0.7).float()
    (op,) = count(Frames(plain).eval(), None, x).ops
    assert op.sizes.time_steps == STEPS
