# SPDX-License-Identifier: MIT
# A dumped layer (llama, vit, gpt2 or wav2vec) computed again from its manifest in NumPy, float64, as any user of
# `normbench dump` would: dump_check.py DIR prints the largest differences, relative to each tensor's largest element, and
# ends with 1 if one is too large. Gradients are held against differences of the forward pass in a random direction.
import json
import sys

import numpy as np

# Of the largest element: 2e3 roundings of f32, 8 of bf16; a wrong formula is off by a hundred times that.
TOLERANCE = {"f32": 1e-4, "bf16": 3e-2}


def load(folder):
    with open(f"{folder}/manifest.json", encoding="utf-8") as file:
        manifest = json.load(file)
    values, gradients = {}, {}
    for tensor in manifest["tensors"]:
        array = np.load(f"{folder}/{tensor['file']}")
        if array.dtype != np.dtype("<f4") or list(array.shape) != tensor["shape"]:
            sys.exit(f"{tensor['file']}: {array.dtype} {array.shape}, not as the manifest says")
        if not tensor["meaning"]:
            sys.exit(f"{tensor['name']}: the manifest does not say what it is")
        (gradients if tensor["kind"] == "gradient" else values)[tensor["name"]] = array.astype(np.float64)
    return manifest, values, gradients


def norm(m, p, name, x):
    gamma, beta = p.get(f"{name}.weight", 1.0), p.get(f"{name}.bias", 0.0)
    if m["op"] == "identity":
        return x
    if m["op"] == "dyt":
        return gamma * np.tanh(p[f"{name}.alpha"] * x) + beta
    if m["op"] == "layernorm":
        x = x - x.mean(-1, keepdims=True)
    return gamma * x / np.sqrt((x * x).mean(-1, keepdims=True) + m["shape"]["eps"]) + beta


def linear(p, name, x):
    return x @ p[f"{name}.weight"].T + p.get(f"{name}.bias", 0.0)


def rope(x, first, theta):
    tokens, d = x.shape[1], x.shape[-1]
    angle = np.arange(first, first + tokens)[:, None] * theta ** (-np.arange(0, d, 2) / d)
    cos, sin = np.cos(angle)[None, :, None], np.sin(angle)[None, :, None]
    a, b = x[..., : d // 2], x[..., d // 2 :]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def gelu(m, x):
    if m["kind"] == "gpt2":
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    from math import erf

    return 0.5 * x * (1 + np.vectorize(erf)(x / np.sqrt(2)))


def attention(m, p, x):
    s, batch, tokens = m["shape"], m["batch"], m["tokens"]
    heads, kv, d, before = s["heads"], s["kv_heads"], s["head_dim"], m["context"]
    at = "layer0.attention"
    if f"{at}.qkv.weight" in p:
        q, k, v = np.split(linear(p, f"{at}.qkv", x), 3, axis=-1)
    else:
        q, k, v = (linear(p, f"{at}.{name}", x) for name in "qkv")
    q, k, v = (y.reshape(batch, tokens, -1, d) for y in (q, k, v))
    if s["qk_norm"]:
        q, k = norm(m, p, f"{at}.q.norm", q), norm(m, p, f"{at}.k.norm", k)
    if s["theta"]:
        q, k = rope(q, before, s["theta"]), rope(k, before, s["theta"])
    added = {}
    if m["phase"] == "decode":
        added = {f"{at}.heads.cache.{name}.added": y.reshape(batch, -1) for name, y in (("k", k), ("v", v))}
        cached = (p[f"{at}.heads.cache.{name}"].reshape(batch, before + 1, kv, d)[:, :before] for name in "kv")
        k, v = (np.concatenate([c, y], 1) for c, y in zip(cached, (k, v)))
    k, v = np.repeat(k, heads // kv, 2), np.repeat(v, heads // kv, 2)
    scores = np.einsum("bthd,bshd->bhts", q, k) / np.sqrt(d)
    if m["kind"] in ("llama", "gpt2"):
        seen = np.arange(before + tokens)[None, :] <= before + np.arange(tokens)[:, None]
        scores = np.where(seen, scores, -np.inf)
    mixed = np.einsum("bhts,bshd->bthd", softmax(scores), v).reshape(batch * tokens, heads * d)
    return linear(p, f"{at}.o", mixed), added


def ffn(m, p, x):
    if m["kind"] == "llama":
        gate = linear(p, "layer0.ffn.gate", x)
        return linear(p, "layer0.ffn.down", gate / (1 + np.exp(-gate)) * linear(p, "layer0.ffn.up", x))
    return linear(p, "layer0.ffn.down", gelu(m, linear(p, "layer0.ffn.up", x)))


def forward(m, p):
    if m["shape"]["post_norm"]:
        mixed, added = attention(m, p, p["input.stream"])
        x = norm(m, p, "layer0.attention.norm", p["input.stream"] + mixed)
        return {"output.stream": norm(m, p, "layer0.ffn.norm", x + ffn(m, p, x)), **added}
    x = p["input.stream"] + p["input.branch"]
    mixed, added = attention(m, p, norm(m, p, "layer0.attention.norm", x))
    return {"output.stream": x + mixed, "output.branch": ffn(m, p, norm(m, p, "layer0.ffn.norm", x + mixed)), **added}


def main():
    m, values, gradients = load(sys.argv[1])
    worst, computed = 0.0, forward(m, values)
    outputs = {t["name"] for t in m["tensors"] if t["kind"] == "value" and t["role"] == "output"}
    if outputs != set(computed):
        sys.exit(f"the outputs are {sorted(outputs)}, not {sorted(computed)}")
    for name, want in computed.items():
        worst = max(worst, np.abs(values[name] - want).max() / np.abs(want).max())
    print(f"{m['model']} {m['op']} {m['phase']} {m['dtype']}: outputs differ by {worst:.2g}", end="")
    failed = not worst <= TOLERANCE[m["dtype"]]

    def objective(p):
        return sum((y * gradients[name]).sum() for name, y in forward(m, p).items())

    random, worst = np.random.default_rng(1), 0.0
    for name, gradient in gradients.items():
        if name.startswith("output."):
            continue
        # Along the gradient itself, so that its length is compared and nothing cancels, turned a little.
        along = gradient + 0.1 * np.abs(gradient).max() * random.standard_normal(gradient.shape)
        length = np.sqrt((along * along).sum())
        if length == 0:
            continue
        step = 1e-4 * along / length
        high = objective({**values, name: values[name] + step})
        low = objective({**values, name: values[name] - step})
        want, got = (high - low) / 2e-4, (gradient * along).sum() / length
        worst = max(worst, abs(got - want) / (np.sqrt((gradient * gradient).sum())))
    if gradients:
        print(f", gradients by {worst:.2g}", end="")
        failed = failed or not worst <= TOLERANCE[m["dtype"]]
    print()
    sys.exit(1 if failed else 0)


main()
