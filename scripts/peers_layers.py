# SPDX-License-Identifier: MIT
"""Norms in place in PyTorch's layers, beside ours: `make peers LAYERS=1`. A layer of LLaMA 7B and one of ViT-B/16, as their users
write them, with the model's own norm and DyT in turn in its slots; each norm is timed where it stands, by hooks."""
import csv
import os
import random
import time
from statistics import median

import torch
from torch import nn
from torch.nn import functional

import peers_table
from peers_torch import DyT, EPS, RMSNorm

# As shapes.c has them; tokens of one sequence or image.
LAYERS = [
    {"model": "llama_7b", "dtype": "bf16", "tokens": 512, "dim": 4096, "ffn": 11008, "heads": 32, "norm": "rmsnorm", "nobeta": True},
    {"model": "vit_b16", "dtype": "f32", "tokens": 197, "dim": 768, "ffn": 3072, "heads": 12, "norm": "layernorm", "nobeta": False},
]


def rotated(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Layer(nn.Module):
    """Pre-norm attention and feed-forward; of LLaMA with RoPE, a causal mask and SwiGLU, of ViT with biases and GELU."""

    def __init__(self, shape):
        super().__init__()
        dim, ffn, self.heads = shape["dim"], shape["ffn"], shape["heads"]
        self.llama = shape["model"].startswith("llama")
        self.qkv, self.o = nn.Linear(dim, 3 * dim, not self.llama), nn.Linear(dim, dim, not self.llama)
        self.up, self.down = nn.Linear(dim, ffn, not self.llama), nn.Linear(ffn, dim, not self.llama)
        self.gate = nn.Linear(dim, ffn, False) if self.llama else None
        width = dim // self.heads
        angle = torch.arange(shape["tokens"])[:, None] * 10000.0 ** (-torch.arange(0, width, 2) / width)
        self.register_buffer("cos", torch.cat((angle.cos(), angle.cos()), -1))
        self.register_buffer("sin", torch.cat((angle.sin(), angle.sin()), -1))
        self.norms = None  # (of attention, of the feed-forward)

    def forward(self, x):
        n, dim = x.shape
        q, k, v = (y.view(1, n, self.heads, -1).transpose(1, 2) for y in self.qkv(self.norms[0](x)).chunk(3, -1))
        if self.llama:
            q, k = rotated(q, self.cos, self.sin), rotated(k, self.cos, self.sin)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=self.llama)
        x = x + self.o(y.transpose(1, 2).reshape(n, dim))
        y = self.norms[1](x)
        y = functional.silu(self.gate(y)) * self.up(y) if self.llama else functional.gelu(self.up(y))
        return x + self.down(y)


def hooked(norm, clock):
    norm.register_forward_pre_hook(lambda *_: clock.__setitem__("begin", time.perf_counter_ns()))
    norm.register_forward_hook(lambda *_: clock.__setitem__("total", clock["total"] + time.perf_counter_ns() - clock["begin"]))
    return norm


class Idle(nn.Module):
    """In the place of a norm: the same on a tensor of 2x2, where there is nothing to do, so that its time is Python's and the
    dispatcher's, with the caches that the layer leaves."""

    def __init__(self, norm, dtype):
        super().__init__()
        self.norm, self.x = norm, torch.ones(2, 2, dtype=dtype)

    def forward(self, x):
        self.norm(self.x)
        return x


def arms(shape, dtype, clock):
    """{(op, whether idle): its norms}"""
    def own(dim):
        return RMSNorm(dim) if shape["norm"] == "rmsnorm" else nn.LayerNorm(dim, eps=EPS)

    makers = {shape["norm"]: own, "dyt": lambda dim: DyT(dim, not shape["nobeta"])}
    norms = {(op, idle): tuple(hooked(make(2 if idle else shape["dim"]).to(dtype), clock) for _ in range(2))
             for op, make in makers.items() for idle in (False, True)}
    return {key: tuple(Idle(norm, dtype) for norm in pair) if key[1] else pair for key, pair in norms.items()}


def measure(shape, threads, rounds):
    """{(op, whether idle): [(ns of a layer, ns of its norms), ...]}, in rounds that are paired."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    dtype, clock = torch.bfloat16 if shape["dtype"] == "bf16" else torch.float32, {"total": 0}
    layer, x = Layer(shape).to(dtype), torch.randn(shape["tokens"], shape["dim"]).to(dtype)
    slots, found, draw = arms(shape, dtype, clock), {}, random.Random(1)
    with torch.no_grad():
        for index in range(rounds + 1):  # the first warms up
            turn = draw.sample(sorted(slots), len(slots))
            for key in turn + turn[::-1]:
                layer.norms, clock["total"] = slots[key], 0
                begin = time.perf_counter_ns()
                layer(x)
                ns = time.perf_counter_ns() - begin
                if index:
                    found.setdefault(key, []).append((ns, clock["total"]))
    return found


def ours_of(path, shape):
    """{(op, form): what norms take of a layer} of the rows of a layers.csv at the shape."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["model"] == shape["model"] and r["norm_share"]]
    return {(r["op"], r["form"]): peers_table.Taken(float(r["norm_share"]), float(r["norm_time_ns_median"]), float(r["time_ns_median"])) for r in rows}


def of_pytorch(found, idle=False):
    """The same of rounds as measure() has them."""
    return {op: peers_table.Taken(median(n / t for t, n in times), median(n for _, n in times), median(t for t, _ in times))
            for (op, of_idle), times in found.items() if of_idle == idle}


def report(ours_path, threads, rounds=int(os.environ.get("ROUNDS", "5"))):
    lines = [f"Norms in place, forward, {threads} threads", ""]
    for shape in LAYERS:
        found, ours = measure(shape, threads, rounds), ours_of(ours_path, shape)
        columns, idle = {peers_table.PYTORCH: of_pytorch(found)}, of_pytorch(found, True)
        for system in peers_table.SYSTEMS:
            at = {op: value for (op, form), value in ours.items() if system == f"ours {form}"}
            if shape["norm"] in at and "dyt" in at:
                columns[system] = at
        lines += peers_table.shares(shape, columns, {op: of.norms for op, of in idle.items()})
    return "\n".join(lines)
