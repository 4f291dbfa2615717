"""The laws of methods, as functions that say what breaks them."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from autoprune.compress.configuration import make_plan, parameters
from autoprune.compress.method import Given, Left, Method
from autoprune.compress.parameter import Parameter
from autoprune.compress.part import Part
from autoprune.compress.plan import Plan
from autoprune.compress.setting import Setting
from autoprune.compress.surgery.apply import compress, reshape, subject_of, thin, training
from autoprune.compress.surgery.surgery import matrices
from autoprune.networks.adapter import Weighted
from autoprune.networks.shape import NetworkShape
from autoprune.plugin import importable_name
from autoprune.trial.training import logits
from autoprune.trial.tried import Tried, values_of

Law = Callable[[Method, Tried], Iterable[str]]
"""What breaks a law, in words, and nothing where it holds."""


_STEPS = 2
"""Steps of an optimiser in which a zero that is not held would move, by momentum at the second."""


def _neutral_is_a_value(method: Method, tried: Tried) -> Iterator[str]:
    for setting in method.settings:
        if not setting.takes(setting.neutral):
            yield f"{setting.name}: {setting.neutral!r}, which a plan does not take"
        if not values_of(setting):
            yield f"{setting.name} has no other value"
    there = any(True for _ in _settings(method, tried.shape))
    if there and not any(True for _ in tried.configurations(method)):
        yield "no other value is taken anywhere"


def _neutral_is_empty(method: Method, tried: Tried) -> Iterator[str]:
    every = {(p.place, p.setting): s.neutral for p, s in _settings(method, tried.shape)}
    for given in ({}, every):
        part = method.part(Given(given, method.settings), Left(tried.shape), tried.effort)
        if part.amounts:
            yield f"neutral values make {part.amounts[0]}"


def _settings(method: Method, shape: NetworkShape) -> Iterator[tuple[Parameter, Setting]]:
    own = {(kind, setting.name): setting for setting in method.settings for kind in setting.kinds}
    for parameter in parameters(shape):
        setting = own.get((parameter.place.kind, parameter.setting))
        if setting is not None:
            yield parameter, setting


def _empty_changes_nothing(method: Method, tried: Tried) -> Iterator[str]:
    model, part = copy.deepcopy(tried.network), Part(method=method.name)
    subject, surgery = subject_of(model, tried.adapter), method.surgery()
    surgery.reshape(subject, part)
    surgery.thin(subject, part)
    surgery.finish(subject, part)
    functional.invalidate_reset_cache(model)
    before, after = tried.network.state_dict(), model.state_dict()
    if list(before) != list(after):
        yield f"other tensors: {sorted(before.keys() ^ after.keys())[:3]}"
    for name in before.keys() & after.keys():
        if not torch.equal(before[name], after[name]):
            yield f"{name} changes"
    if not torch.equal(_run(model, tried), _run(tried.network, tried)):
        yield "the output changes"


def _is_canonical(method: Method, tried: Tried) -> Iterator[str]:
    for (what, plan), (_, again) in zip(tried.plans(method), tried.plans(method), strict=True):
        stored = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
        for part in plan.parts:
            if part.method != method.name:
                yield f"{what}: a part of the method {part.method!r}"
        if plan != again or plan.hash != again.hash:
            yield f"{what}: another part the second time"
        if stored != plan or stored.hash != plan.hash:
            yield f"{what}: another part after it was stored"


def _parts_differ(method: Method, tried: Tried) -> Iterator[str]:
    nothing = make_plan({}, tried.shape, tried.effort)
    seen = {nothing.hash: "neutral values"}
    for what, plan in tried.plans(method):
        if plan.hash in seen:
            yield f"{what} makes the part of {seen[plan.hash]}"
        seen[plan.hash] = what


def _hashes_alike_elsewhere(method: Method, tried: Tried) -> Iterator[str]:
    here = [plan.hash for _, plan in tried.plans(method)]
    given = [(values, tried.shape, tried.effort) for values in tried.configurations(method)]
    name, folder = importable_name(type(method))
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", _ELSEWHERE, name, folder],
        input=pickle.dumps([(dict(values), *rest) for (_, values), *rest in given]),
        capture_output=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        yield done.stderr.decode(errors="replace").strip().splitlines()[-1]
    elif done.stdout.decode().splitlines()[-1].split() != here:  # a method may print, too
        yield "another process makes parts that hash otherwise"


_ELSEWHERE = """
import pickle, sys
from pathlib import Path
from autoprune.compress.configuration import make_plan
from autoprune.compress.registry import known, use
from autoprune.plugin import make_importable
name, folder = sys.argv[1:]
make_importable(Path(folder))
if known(name) is None:
    use([name], "check")
print(*(make_plan(*given).hash for given in pickle.load(sys.stdin.buffer)))
"""


def _nothing_grows(method: Method, tried: Tried) -> Iterator[str]:
    before = _weights(tried.network)
    for what, plan in tried.plans(method):
        after = _weights(compress(tried.network, plan, tried.adapter, tried.manner))
        if after > before:
            yield f"{what}: {after} nonzero weights in place of {before}"


def _weights(model: nn.Module) -> int:
    layers = (module for module in model.modules() if isinstance(module, Weighted))
    return sum(int(torch.count_nonzero(layer.weight)) for layer in layers)


def _says_what_is_found(method: Method, tried: Tried) -> Iterator[str]:
    for what, plan in tried.plans(method):
        model = compress(tried.network, plan, tried.adapter, tried.manner)
        left = plan.left(tried.shape).shape
        found = tried.adapter.shape(model)
        for (place, planned), (_, own) in zip(left.branches(), found.branches(), strict=True):
            if planned.size != own.size:
                yield f"{what}: {own.size} dimensions in {place}, said were {planned.size}"
        nonzero = _nonzero(model, tried)
        if nonzero != plan.kept_weights(tried.shape):
            said = plan.kept_weights(tried.shape)
            yield f"{what}: {nonzero} nonzero weights in the blocks, said were {said}"
        learned = {id(p) for p in method.surgery().learned(model)}
        before = dict(tried.network.named_parameters())
        added = {id(p): p.numel() for n, p in model.named_parameters() if n not in before}
        if added.keys() != learned:
            said = sum(p.numel() for p in method.surgery().learned(model))
            yield f"{what}: {sum(added.values())} parameters are added, said were {said}"


def _nonzero(model: nn.Module, tried: Tried) -> int:
    held = matrices(model, tried.adapter)
    return sum(int(torch.count_nonzero(matrix.weight)) for matrix in held)


def _copies(method: Method, tried: Tried) -> Iterator[str]:
    if type(pickle.loads(pickle.dumps(method))) is not type(method):
        yield "the method does not pickle as itself"
    for what, plan in tried.plans(method):
        model = compress(tried.network, plan, tried.adapter, tried.manner)
        expected = _run(model, tried)
        fresh = reshape(tried.network, plan, tried.adapter, tried.manner)
        fresh.load_state_dict(model.state_dict())
        twins = {
            "a copy": copy.deepcopy(model),
            "what was pickled": pickle.loads(pickle.dumps(model)),
            "what was saved and loaded": fresh.eval(),
        }
        for name, twin in twins.items():
            if not torch.equal(_run(twin, tried), expected):
                yield f"{what}: {name} computes something else"


def _zeros_stay(method: Method, tried: Tried) -> Iterator[str]:
    for what, plan in tried.plans(method):
        for name, make in _OPTIMIZERS.items():
            model = reshape(tried.network, plan, tried.adapter, tried.manner)
            subject = subject_of(model, tried.adapter, trains=True)
            thin(subject, plan)
            with training(subject, plan) as after_step:
                _train(model, tried, make(model.parameters()), after_step)
            nonzero, said = _nonzero(model, tried), plan.kept_weights(tried.shape)
            if nonzero > said:
                yield f"{what}: {nonzero} nonzero weights after {name}, said were {said}"


_OPTIMIZERS: dict[str, Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]] = {
    "SGD with momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.1),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1),
}


def _train(
    model: nn.Module,
    tried: Tried,
    optimizer: torch.optim.Optimizer,
    after_step: Callable[[float], None] | None,
) -> None:
    for step in range(1, _STEPS + 1):
        optimizer.zero_grad()
        out = logits(model.train(), tried.samples)
        cross_entropy(out, torch.arange(len(out), device=out.device) % out.shape[1]).backward()
        optimizer.step()
        if after_step is not None:
            after_step(step / _STEPS)


def _run(model: nn.Module, tried: Tried) -> Tensor:
    with torch.no_grad():
        return logits(model.eval(), tried.samples)


CHEAP: dict[str, Law] = {
    "every setting has a neutral value, and others": _neutral_is_a_value,
    "neutral values make an empty part": _neutral_is_empty,
    "an empty part leaves the parent, bit for bit": _empty_changes_nothing,
    "a part is canonical: made again and stored, it is the same": _is_canonical,
    "different values make parts that hash differently": _parts_differ,
    "no network grows": _nothing_grows,
    "sizes and zeros are those that are found": _says_what_is_found,
    "the network copies, pickles, saves and loads": _copies,
}
"""Laws by name, tried without training."""

LAWS: dict[str, Law] = {
    **CHEAP,
    "a part hashes alike in another process": _hashes_alike_elsewhere,
    "zeros survive momentum and weight decay": _zeros_stay,
}
"""Every law by name; the last need another process and training."""
