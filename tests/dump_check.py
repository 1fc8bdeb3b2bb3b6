# SPDX-License-Identifier: MIT
# A dumped layer of any kind but dit and convnext computed again from its manifest in NumPy, float64, as any user of
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


def conformer(m, p, x):
    def half(name, y):
        h = silu(linear(p, f"layer0.{name}.up", norm(m, p, f"layer0.{name}.norm", y)))
        return 0.5 * linear(p, f"layer0.{name}.down", h)

    def mix(y):
        a, b = np.split(linear(p, "layer0.mix.up", y), 2, -1)
        y = (a / (1 + np.exp(-b))).reshape(m["batch"], m["tokens"], -1)
        padded = np.pad(y, ((0, 0), (15, 15), (0, 0)))
        y = np.einsum("btck,ck->btc", np.lib.stride_tricks.sliding_window_view(padded, 31, 1), p["layer0.mix.conv.weight"])
        y = (y + p["layer0.mix.conv.bias"]).reshape(x.shape)
        if m["phase"] == "train":
            y = (y - y.mean(0)) / np.sqrt(y.var(0) + m["shape"]["eps"])
            y = y * p["layer0.mix.batchnorm.weight"] + p["layer0.mix.batchnorm.bias"]
        return linear(p, "layer0.mix.down", silu(y))

    x = x + half("ffn1", x)
    x = x + attention(m, p, norm(m, p, "layer0.attention.norm", x))[0]
    x = x + mix(norm(m, p, "layer0.mix.norm", x))
    return norm(m, p, "layer0.final.norm", x + half("ffn2", x))


def pairformer(m, p, x):
    """Outputs: the pairs, and the bias that the single track takes of them."""
    tokens, heads = m["tokens"], m["shape"]["heads"]

    def weigh(name, y):
        return y @ p[f"layer0.{name}.weight"].T

    def sigmoid(y):
        return 1 / (1 + np.exp(-y))

    def triangles(name, z, sums):
        h = norm(m, p, f"layer0.{name}.norm", z)
        a, b = np.split(weigh(f"{name}.values", h) * sigmoid(weigh(f"{name}.gates", h)), 2, -1)
        result = norm(m, p, f"layer0.{name}.result.norm", np.einsum(sums, a, b))
        return weigh(f"{name}.o", result) * sigmoid(weigh(f"{name}.z", h))

    def rows(name, z):
        h = norm(m, p, f"layer0.{name}.norm", z)
        q, k, v = (weigh(f"{name}.{which}", h).reshape(*h.shape[:3], heads, -1) for which in "qkv")
        scores = np.einsum("bithd,bijhd->bihtj", q, k) / np.sqrt(q.shape[-1])
        scores = scores + np.moveaxis(weigh(f"{name}.bias", h), -1, 1)[:, None]
        mixed = np.einsum("bihtj,bijhd->bithd", softmax(scores), v).reshape(h.shape)
        return weigh(f"{name}.o", mixed * sigmoid(weigh(f"{name}.g", h)))

    z = x.reshape(m["batch"], tokens, tokens, -1)
    z = z + triangles("out", z, "bikc,bjkc->bijc")
    z = z + triangles("in", z, "bkic,bkjc->bijc")
    z = z + rows("rows", z)
    z = z + rows("columns", z.swapaxes(1, 2)).swapaxes(1, 2)
    h = norm(m, p, "layer0.ffn.norm", z)
    z = z + weigh("ffn.down", silu(weigh("ffn.gate", h)) * weigh("ffn.up", h))
    bias = weigh("bias", norm(m, p, "layer0.bias.norm", z))
    return {"output.stream": z.reshape(x.shape), "output.bias0": bias.reshape(-1, bias.shape[-1]).T}


def causal(p, name, x, tokens):
    """Each channel over itself and the tokens before it, in sequences of so many."""
    w = p[f"{name}.weight"]
    padded = np.pad(x.reshape(-1, tokens, x.shape[-1]), ((0, 0), (w.shape[1] - 1, 0), (0, 0)))
    y = np.einsum("btck,ck->btc", np.lib.stride_tricks.sliding_window_view(padded, w.shape[1], 1), w)
    return y.reshape(x.shape) + p[f"{name}.bias"]


def hyena(m, p, x):
    """The long convolution as the sum that it is, and what makes its filter from the formulas of positions."""
    tokens, width, longest = m["tokens"], x.shape[-1], max(m["tokens"], 1024) + 2
    t = np.arange(tokens)[:, None] / (longest - 1)
    angle = 2 * np.pi * np.arange(tokens)[:, None] / longest * np.array([1e-4, 1])
    z = np.concatenate([t, np.cos(angle), -np.sin(angle)], 1)
    if m["dtype"] == "bf16":
        z = p["input.positions"]
    for i in "123":
        z = np.sin(p["layer0.filter.frequencies.weight"] * linear(p, f"layer0.filter.{i}", z))
    rates = np.linspace(np.log(0.01) / 1.5, np.log(0.01) / 0.3, width)
    k = linear(p, "layer0.filter.out", z) * np.exp(t * rates)
    h = causal(p, "layer0.mixer.conv", linear(p, "layer0.mixer.in", norm(m, p, "layer0.mixer.norm", x)), tokens)
    x0, x1, v = np.split(h, 3, -1)
    q = (v * x1).reshape(-1, tokens, width)
    y = q * p["layer0.mixer.long.skip"]
    for lag in range(tokens):
        y[:, lag:] += k[lag] * q[:, : tokens - lag]
    x = x + linear(p, "layer0.mixer.out", y.reshape(x.shape) * x0)
    h = linear(p, "layer0.ffn.up", norm(m, p, "layer0.ffn.norm", x))
    return {"output.stream": x, "output.branch": linear(p, "layer0.ffn.down", gelu(m, h))}


def caduceus(m, p, x):
    """Outputs of a layer: Mamba along the tokens of each strand, and along them from the end, token by token."""
    tokens = m["tokens"]

    def mamba(way, h):
        at = f"layer0.{way}"
        x, gate = np.split(h @ p["layer0.mixer.in.weight"].T, 2, -1)
        x = silu(causal(p, f"{at}.conv", x, tokens))
        made = linear(p, f"{at}.x", x)
        rank = made.shape[-1] - 32
        step = np.log1p(np.exp(linear(p, f"{at}.steps", made[:, :rank])))
        x, step, into, out = (y.reshape(-1, tokens, y.shape[-1]) for y in (x, step, made[:, rank:-16], made[:, -16:]))
        state, y = 0.0, p[f"{at}.scan.skip"] * x
        for t in range(tokens):
            decay = np.exp(-np.exp(p[f"{at}.scan.log_rates"]) * step[:, t, :, None])
            state = decay * state + (step[:, t] * x[:, t])[:, :, None] * into[:, t, None, :]
            y[:, t] += np.einsum("scn,sn->sc", state, out[:, t])
        return (y.reshape(gate.shape) * silu(gate)) @ p["layer0.mixer.out.weight"].T

    def turn(y):
        return y.reshape(-1, tokens, y.shape[-1])[:, ::-1].reshape(y.shape)

    h = norm(m, p, "layer0.mixer.norm", x)
    return {"output.stream": x, "output.branch": mamba("there", h) + turn(mamba("back", turn(h)))}


def silu(x):
    return x / (1 + np.exp(-x))


def gelu(m, x):
    if m["kind"] == "mobilevit":
        return silu(x)
    if m["kind"] in ("gpt2", "hyena"):
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


def within(q, k, v, heads, bias=0.0):
    """Attention of every token to every other of its sequence: q, k, v (sequences, tokens, heads * d), bias (heads, tokens, tokens)."""
    q, k, v = (y.reshape(*y.shape[:2], heads, -1) for y in (q, k, v))
    scores = np.einsum("bthd,bshd->bhts", q, k) / np.sqrt(q.shape[-1]) + bias
    return np.einsum("bhts,bshd->bthd", softmax(scores), v).reshape(q.shape[0], q.shape[1], -1)


def swin(m, p, x):
    """The layer of an image that is not moved round."""
    s, at = m["shape"], "layer0.attention"
    w, heads, across, width = s["window"], s["heads"], s["side"] // s["window"], s["dim"]

    def windows(y):
        return y.reshape(-1, across, w, across, w, width).swapaxes(2, 3).reshape(-1, w * w, width)

    place = np.stack(np.meshgrid(np.arange(w), np.arange(w), indexing="ij"), -1).reshape(-1, 2)
    dy, dx = np.moveaxis(place[:, None] - place[None] + w - 1, -1, 0)
    bias = np.moveaxis(p[f"{at}.distance.table"][dy * (2 * w - 1) + dx], -1, 0)
    qkv = np.split(linear(p, f"{at}.qkv", norm(m, p, f"{at}.norm", x)), 3, -1)
    mixed = within(*(windows(y) for y in qkv), heads, bias)
    mixed = mixed.reshape(-1, across, across, w, w, width).swapaxes(2, 3).reshape(x.shape)
    x = x + linear(p, f"{at}.o", mixed)
    return x + ffn(m, p, norm(m, p, "layer0.ffn.norm", x))


def mobilevit(m, p, x):
    s, at = m["shape"], "layer0.attention"
    qkv = np.split(linear(p, f"{at}.qkv", norm(m, p, f"{at}.norm", x)), 3, -1)
    mixed = within(*(y.reshape(4 * m["batch"], -1, s["dim"]) for y in qkv), s["heads"]).reshape(x.shape)
    x = x + linear(p, f"{at}.o", mixed)
    return x + ffn(m, p, norm(m, p, "layer0.ffn.norm", x))


def ffn(m, p, x):
    if m["kind"] == "llama":
        gate = linear(p, "layer0.ffn.gate", x)
        return linear(p, "layer0.ffn.down", silu(gate) * linear(p, "layer0.ffn.up", x))
    return linear(p, "layer0.ffn.down", gelu(m, linear(p, "layer0.ffn.up", x)))


def forward(m, p):
    if m["kind"] == "pairformer":
        return pairformer(m, p, p["input.stream"])
    if m["kind"] in ("hyena", "caduceus"):
        return globals()[m["kind"]](m, p, p["input.stream"] + p["input.branch"])
    if m["kind"] in ("swin", "mobilevit", "conformer"):
        return {"output.stream": globals()[m["kind"]](m, p, p["input.stream"])}
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
        if name.endswith("mix.conv.bias"):  # batch norm does not see it: all that is left are roundings
            worst = max(worst, np.abs(gradient).max() / np.abs(gradients["layer0.mix.conv.weight"]).max())
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
