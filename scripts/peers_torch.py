# SPDX-License-Identifier: MIT
"""What `make peers` times: PyTorch's modules as their users write them, and libnorm's implementations on the same tensors, each
as something that is called, and that is held against formulas in float64 before.

LayerNorm is torch.nn.LayerNorm, one kernel in eager mode, too; RMSNorm is Llama's of transformers (which casts to f32 and back);
DyT is that of its paper's repository, and without its beta as in the paper's LLaMA.
"""
import contextlib
import ctypes
import time

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from peers_norm import Args

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
EPS = 1e-6
ALPHA = 0.5
FREE = ctypes.CDLL(None).free
FREE.restype = None


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        given = x.dtype
        x = x.to(torch.float32)
        variance = x.pow(2).mean(-1, keepdim=True)
        x = x * torch.rsqrt(variance + EPS)
        return self.weight * x.to(given)


class DyT(nn.Module):
    def __init__(self, width, with_beta=True):
        super().__init__()
        self.alpha = nn.Parameter(torch.full((1,), ALPHA))
        self.weight = nn.Parameter(torch.ones(width))
        if with_beta:
            self.bias = nn.Parameter(torch.zeros(width))
        self.with_beta = with_beta

    def forward(self, x):
        x = torch.tanh(self.alpha * x)
        return x * self.weight + self.bias if self.with_beta else x * self.weight


class Copy(nn.Module):
    def forward(self, x):
        return x.clone()


class Inputs:
    """The tensors of one group, which all that is timed in it shares."""

    def __init__(self, rows, cols, dtype, seed):
        generator = torch.Generator().manual_seed(seed % 2**63)

        def draw(*shape):
            return torch.randn(*shape, generator=generator).to(dtype)

        self.x, self.dy, self.gamma, self.beta = draw(rows, cols), draw(rows, cols), draw(cols), draw(cols)
        self.dtype = dtype
        # Rows that are checked; gradients are checked with a dy that is zero elsewhere, so that sums have these rows' terms alone.
        self.checked = torch.arange(0, rows, max(1, rows // 64))
        self.y, self.dx = torch.empty_like(self.x), torch.empty_like(self.x)
        self.sums = {name: torch.empty(n) for name, n in (("gamma", cols), ("beta", cols), ("alpha", 1))}

    def sparse_dy(self):
        dy = torch.zeros_like(self.dy)
        dy[self.checked] = self.dy[self.checked]
        return dy


def module_of(op, variant, inputs):
    width = inputs.x.shape[1]
    module = {"layernorm": lambda: nn.LayerNorm(width, eps=EPS), "rmsnorm": lambda: RMSNorm(width),
              "dyt": lambda: DyT(width, not variant.endswith("_nobeta")), "identity": Copy}[op]().to(inputs.dtype)
    with torch.no_grad():
        for name, value in module.named_parameters():
            if name != "alpha":
                value.copy_(inputs.gamma if name == "weight" else inputs.beta)
    return torch.compile(module, dynamic=False) if variant.startswith("torch_compile") else module


class OfTorch:
    """A module in one pass: run() is what is timed, before() what must go before each run and is not. Backward is autograd's
    alone, and frees what its forward has left, as in training."""

    def __init__(self, op, variant, which, inputs):
        self.inputs, self.which = inputs, which
        self.module = module_of(op, variant, inputs)
        self.before, self.run = (None, self.forward) if which == "forward" else (self.graph, self.backward)
        if which == "backward":
            self.x = inputs.x.detach().clone().requires_grad_()
            names, parameters = zip(*self.module.named_parameters())
            self.of = [self.x, *parameters]
            self.names = [{"weight": "gamma", "bias": "beta"}.get(name.split(".")[-1], name.split(".")[-1]) for name in names]

    def forward(self):
        with torch.no_grad():
            return self.module(self.inputs.x)

    def graph(self):
        self.y = self.module(self.x)

    def backward(self, dy=None):
        y, self.y = self.y, None
        return torch.autograd.grad(y, self.of, self.inputs.dy if dy is None else dy)

    def results(self):
        rows = self.inputs.checked
        if self.which == "forward":
            return {"y": self.forward()[rows]}
        self.graph()
        dx, *sums = self.backward(self.inputs.sparse_dy())
        return {"dx": dx[rows], **dict(zip(self.names, sums))}


class OfNorm:
    """An implementation of libnorm in one pass, as OfTorch. Its output is written to memory that stays, or, in form framework, to
    memory that the call allocates and that is freed, as PyTorch's is."""

    def __init__(self, norm, names, which, inputs, threads, dispatch_ns=0):
        self.norm, self.inputs, self.which, self.threads = norm, inputs, which, threads
        self.pointer = norm.find(*names, {torch.float32: "f32", torch.bfloat16: "bf16"}[inputs.dtype])
        if not self.pointer:
            raise LookupError("libnorm has no " + " ".join(names))
        rows, cols = inputs.x.shape
        self.saved = torch.zeros(norm.lib.norm_saved_bytes(self.pointer, rows, cols), dtype=torch.uint8)
        self.workspace = torch.empty(norm.lib.norm_workspace_bytes(self.pointer, rows, cols, threads), dtype=torch.uint8)
        sums = inputs.sums
        self.args = Args(rows=rows, cols=cols, x_stride=cols, y_stride=cols, dy_stride=cols, dx_stride=cols,
                         x=inputs.x.data_ptr(), y=inputs.y.data_ptr(), dy=inputs.dy.data_ptr(), dx=inputs.dx.data_ptr(),
                         gamma=inputs.gamma.data_ptr(), beta=inputs.beta.data_ptr(), alpha=ALPHA, eps=EPS,
                         dgamma=sums["gamma"].data_ptr(), dbeta=sums["beta"].data_ptr(), dalpha=sums["alpha"].data_ptr(),
                         workspace=self.workspace.data_ptr())
        if dispatch_ns:
            self.args.dispatch_ns = dispatch_ns
        self.fresh = ctypes.c_void_p()
        self.allocates = names[2] == "framework" and hasattr(Args, "fresh")
        self.pass_run = norm.call(self.pointer, which, self.args, threads)
        self.timed = norm.timed(self.pointer, which, self.args, threads)
        # Where no backward will follow, forward keeps nothing for it, if it can do without.
        self.forward = norm.call(self.pointer, "forward", self.args, threads)
        if which == "backward" or self.forward():
            self.args.saved = self.saved.data_ptr()
            self.must(self.forward())
        if self.allocates:
            self.args.fresh = ctypes.addressof(self.fresh)
        self.before, self.run = (None if which == "forward" else self.graph, self.run_and_free if self.allocates else self.pass_run)

    def __del__(self):
        if getattr(self, "args", None) is not None and self.args.saved:
            self.norm.release(self.pointer, self.args.saved)

    def must(self, code):
        if code:
            raise RuntimeError(f"libnorm: {self.norm.error(code)}")

    def graph(self):
        if self.allocates:
            self.args.fresh = None
        self.forward()
        if self.allocates:
            self.args.fresh = ctypes.addressof(self.fresh)

    def run_and_free(self):
        self.pass_run()
        FREE(self.fresh)

    def operations(self):
        """What each step of a call takes, of form framework: [(operations of a framework, ns), ...]."""
        if self.before:
            self.before()
        times = self.timed()
        FREE(self.fresh)
        return times

    def results(self):
        dy, inputs = self.inputs.sparse_dy(), self.inputs
        if self.which == "backward":
            self.graph()
        for value in inputs.sums.values():
            value.fill_(float("nan"))
        self.args.dy = dy.data_ptr()
        self.must(self.pass_run())
        self.args.dy = inputs.dy.data_ptr()
        given = inputs.y if self.which == "forward" else inputs.dx
        if self.allocates:
            ctypes.memmove(given.data_ptr(), self.fresh, given.nbytes)
            FREE(self.fresh)
        if self.which == "forward":
            return {"y": given[inputs.checked]}
        sums = {name: value.clone() for name, value in inputs.sums.items() if not value.isnan().any()}
        return {"dx": given[inputs.checked], **sums}


class Sweeps(TorchFunctionMode):
    """Sweeps `size` bytes before each of PyTorch's functions, going round in so many of memory, and knows how long that took."""

    def __init__(self, size, memory):
        super().__init__()
        self.size, self.taken, self.at, self.memory = size, 0, 0, bytearray(max(1, memory + size))
        self.base, self.around = ctypes.addressof(ctypes.c_char.from_buffer(self.memory)), max(1, memory)

    def sweep(self, *_):
        begin = time.perf_counter_ns()
        ctypes.memset(self.base + self.at, 1, self.size)
        self.at = (self.at + self.size) % self.around
        self.taken += time.perf_counter_ns() - begin

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function.__name__ != "__get__":
            self.sweep()
        return function(*args, **(kwargs or {}))


class Swept:
    """What a module takes when each of its operations finds the caches swept, by `size` bytes of as many as `memory`: in forward before each function, in
    backward before each node of the graph. A call of this is the ns of one without the sweeps; what it takes to be asked for them, too, is
    found by sweeps of nothing, and subtracted."""

    def __init__(self, subject, size, memory):
        self.subject, self.modes = subject, [None, Sweeps(0, 0), Sweeps(size, memory)]

    def nodes(self):
        found, ahead = {}, [self.subject.y.grad_fn]
        while ahead:
            node = ahead.pop()
            if node is not None and node not in found:
                found[node] = True
                ahead += [after for after, _ in node.next_functions]
        return [node for node in found if node.name() != "torch::autograd::AccumulateGrad"]

    def once(self, sweeps):
        subject = self.subject
        if subject.before:
            subject.before()
        if subject.before and sweeps:
            for node in self.nodes():
                node.register_prehook(sweeps.sweep)
        with contextlib.nullcontext() if subject.before or not sweeps else sweeps:
            taken, begin = sweeps.taken if sweeps else 0, time.perf_counter_ns()
            subject.run()
            return time.perf_counter_ns() - begin - (sweeps.taken - taken if sweeps else 0)

    def __call__(self):
        plain, idle, swept = (self.once(sweeps) for sweeps in self.modes)
        return plain + max(0, swept - idle)


# ---- What is right

def in_double(op, variant, inputs, which):
    """{name: (what it must be, the magnitude of what is added up in it)}, by the formulas of `normbench list ops` and autograd in
    float64, of the rows that are checked."""
    x = inputs.x[inputs.checked].double().requires_grad_()
    gamma, beta = (p.double().requires_grad_() for p in (inputs.gamma, inputs.beta))
    alpha = torch.full_like(x, ALPHA).requires_grad_()
    used = {"gamma": gamma}
    if op == "layernorm":
        centred = x - x.mean(-1, keepdim=True)
        y = gamma * centred / (centred.square().mean(-1, keepdim=True) + EPS).sqrt() + beta
        used["beta"] = beta
    elif op == "rmsnorm":
        y = gamma * x / (x.square().mean(-1, keepdim=True) + EPS).sqrt()
    elif op == "dyt":
        y = gamma * (alpha * x).tanh()
        used["alpha"] = alpha
        if not variant.endswith("_nobeta"):
            y, used["beta"] = y + beta, beta
    else:
        y, used = x * 1, {}
    if which == "forward":
        return {"y": (y.detach(), 0.0)}
    dx, *gradients = torch.autograd.grad(y, [x, *used.values()], inputs.dy[inputs.checked].double())
    want = {"dx": (dx, 0.0)}
    for name, gradient in zip(used, gradients):
        terms = name == "alpha"  # one number, which may vanish by cancellation: its terms say what a rounding of them weighs
        want[name] = (gradient.sum().reshape(1), gradient.norm().item()) if terms else (gradient, 0.0)
    return want


def why_wrong(subject, want):
    """Why the results are wrong, or "". Op by op in bf16 four roundings of up to half an ulp, 2^-8, meet in a value of a few
    units; a wrong formula is off by far more than their sum. A sum over n rows that is kept in the dtype, as PyTorch's LayerNorm
    keeps those of its gradients, is rounded n times more: sqrt(n) half ulps, four times that for the unluckiest column."""
    bound = 4 * 2.0 ** (-8 if subject.inputs.dtype == torch.bfloat16 else -20)
    summed = max(1, 0.5 * len(subject.inputs.checked) ** 0.5)
    got = subject.results()
    if set(got) != set(want):
        return f"gives {', '.join(sorted(got))} instead of {', '.join(sorted(want))}"
    for name, (right, terms) in want.items():
        scale = max(right.abs().max().item(), terms) + 1
        error = ((got[name].double() - right).abs().max() / scale).item()
        allowed = bound * (1 if name in ("y", "dx") else summed)
        if not error <= allowed:
            return f"{name} is off by {error:.3g} of the largest value, {allowed:.3g} allowed"
    return ""
