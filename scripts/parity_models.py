# SPDX-License-Identifier: MIT
"""The two small models of `make parity`, alike but for their norms: a ViT and a character GPT, pre-norm, with GELU and biases.
Needs PyTorch."""
import torch
from torch import nn
from torch.nn import functional

EPS = 1e-6


class DyT(nn.Module):
    """gamma tanh(alpha x) + beta, alpha one learned number (arXiv 2503.10622, algorithm 1)."""

    def __init__(self, cols, alpha0):
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(float(alpha0)))
        self.gamma = nn.Parameter(torch.ones(cols))
        self.beta = nn.Parameter(torch.zeros(cols))

    def forward(self, x):
        return self.gamma * torch.tanh(self.alpha * x) + self.beta


class Derf(DyT):
    """gamma erf(alpha x + shift) + beta, as op derf."""

    def __init__(self, cols, alpha0):
        super().__init__(cols, alpha0)
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return self.gamma * torch.erf(self.alpha * x + self.shift) + self.beta


# Of each op what takes its place: a function of cols and alpha0. None of them draws a random number, so that with one seed all models
# begin with the same weights.
NORMS = {
    "layernorm": lambda cols, _: nn.LayerNorm(cols, EPS),
    "rmsnorm": lambda cols, _: nn.RMSNorm(cols, EPS),
    "dyt": DyT,
    "derf": Derf,
    "identity": lambda cols, _: nn.Identity(),
}


class Block(nn.Module):
    def __init__(self, cols, heads, causal, norm):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.before, self.qkv, self.out = norm(cols), nn.Linear(cols, 3 * cols), nn.Linear(cols, cols)
        self.between, self.up, self.down = norm(cols), nn.Linear(cols, 4 * cols), nn.Linear(4 * cols, cols)

    def forward(self, x):
        sequences, tokens, cols = x.shape
        q, k, v = self.qkv(self.before(x)).view(sequences, tokens, 3, self.heads, cols // self.heads).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        x = x + self.out(seen.transpose(1, 2).reshape(sequences, tokens, cols))
        return x + self.down(functional.gelu(self.up(self.between(x))))


class Model(nn.Module):
    """embed: tokens of the task to (sequences, tokens, cols). pooled: one answer for a sequence, of the mean of its tokens; else one
    for each token, which sees those before it alone."""

    def __init__(self, embed, shape, pooled, norm):
        super().__init__()
        cols, heads, depth, tokens, classes = shape
        self.pooled, self.embed = pooled, embed
        self.place = nn.Parameter(0.02 * torch.randn(tokens, cols))
        self.blocks = nn.ModuleList(Block(cols, heads, not pooled, norm) for _ in range(depth))
        self.last, self.head = norm(cols), nn.Linear(cols, classes)

    def forward(self, x):
        x = self.embed(x) + self.place
        for block in self.blocks:
            x = block(x)
        x = self.last(x)
        return self.head(x.mean(1) if self.pooled else x)
