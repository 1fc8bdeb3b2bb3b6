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


def arms(shape, dtype, clock):
    dim = shape["dim"]
    own = (lambda: RMSNorm(dim)) if shape["norm"] == "rmsnorm" else lambda: nn.LayerNorm(dim, eps=EPS)
    return {name: tuple(hooked(make().to(dtype), clock) for _ in range(2))
            for name, make in ((shape["norm"], own), ("dyt", lambda: DyT(dim, not shape["nobeta"])))}


def measure(shape, threads, rounds):
    """{op: [(ns of a layer, ns of its norms), ...]}, in rounds that are paired."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    dtype, clock = torch.bfloat16 if shape["dtype"] == "bf16" else torch.float32, {"total": 0}
    layer, x = Layer(shape).to(dtype), torch.randn(shape["tokens"], shape["dim"]).to(dtype)
    slots, found, draw = arms(shape, dtype, clock), {}, random.Random(1)
    with torch.no_grad():
        for index in range(rounds + 1):  # the first warms up
            turn = draw.sample(sorted(slots), len(slots))
            for op in turn + turn[::-1]:
                layer.norms, clock["total"] = slots[op], 0
                begin = time.perf_counter_ns()
                layer(x)
                ns = time.perf_counter_ns() - begin
                if index:
                    found.setdefault(op, []).append((ns, clock["total"]))
    return found


def ours_of(path, shape):
    """{(op, form): what norms take of a layer} of the rows of a layers.csv at the shape."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["model"] == shape["model"] and r["norm_share"]]
    return {(r["op"], r["form"]): peers_table.Taken(float(r["norm_share"]), float(r["norm_time_ns_median"]), float(r["time_ns_median"])) for r in rows}


def of_pytorch(times):
    """The same of rounds as measure() has them."""
    return peers_table.Taken(median(n / t for t, n in times), median(n for _, n in times), median(t for t, _ in times))


def report(ours_path, threads, rounds=int(os.environ.get("ROUNDS", "5"))):
    lines = [f"Norms in place, forward, {threads} threads", ""]
    for shape in LAYERS:
        columns = {peers_table.PYTORCH: {op: of_pytorch(times) for op, times in measure(shape, threads, rounds).items()}}
        ours = ours_of(ours_path, shape)
        for system in peers_table.SYSTEMS:
            at = {op: value for (op, form), value in ours.items() if system == f"ours {form}"}
            if shape["norm"] in at and "dyt" in at:
                columns[system] = at
        lines += peers_table.shares(shape, columns)
    return "\n".join(lines)
