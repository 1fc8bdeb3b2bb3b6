# SPDX-License-Identifier: MIT
"""Times PyTorch's norms as `make peers` asks: see peers.sh, which calls this. Only what measures is here; what the samples
say is computed by normbench, as of every other run.

    peers.py --check                                         whether PyTorch is here, and which: its version on stdout
    peers.py plan FOLDER MACHINE_ID KERNELS_CSV              meta.json and plan.csv of a run, of the groups of KERNELS_CSV
    peers.py launch FOLDER NUMBER                            one launch: verifies what it then samples, and appends samples.csv

Modules are written as their users write them: LayerNorm is torch.nn.LayerNorm, RMSNorm is Llama's of transformers (which
casts to f32 and back), DyT is that of its paper's repository. No gradients are recorded.
"""
import csv
import datetime
import json
import math
import os
import random
import sys
import time

MIN_SAMPLE_NS = 1e6
LAUNCHES = int(os.environ.get("LAUNCHES", "6"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
CELL = ["op", "variant", "pass", "form", "level", "dtype", "rows", "cols", "threads", "placement", "cache"]
PLAN = CELL + ["group", "calls", "rounds", "pilot_ns", "max_error", "wrong", "reason"]
SAMPLES = ["schema_version", "run_id"] + CELL + ["launch", "sample", "order", "calls", "time_ns", "preempted", "bound",
                                           "clock_ghz", "peak_gflops", "cycles", "instructions", "cache_misses"]
# Families in the order of a plan: fused (compiled, and the copy that is a ceiling), then op by op.
FAMILIES = [
    [("layernorm", "torch_compile", "fused"), ("rmsnorm", "torch_compile", "fused"), ("dyt", "torch_compile", "fused"),
     ("identity", "torch_eager", "fused")],
    [("layernorm", "torch_eager", "eager"), ("rmsnorm", "torch_eager", "eager"), ("dyt", "torch_eager", "eager")],
]


def groups_of(path):
    """Every dtype, shape and team of dyt's forward rows on warm caches, in the order of the file."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["op"] == "dyt" and r["pass"] == "forward" and r["cache"] == "warm"]
    return list(dict.fromkeys((r["dtype"], int(r["rows"]), int(r["cols"]), int(r["threads"])) for r in rows))


def write_rows(path, columns, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def compiles():
    """Whether torch.compile works here: it needs a C++ compiler, which PyTorch does not bring along."""
    import torch
    try:
        torch.compile(lambda x: x + 1)(torch.ones(8))
        return True
    except Exception as error:
        print(f"peers: torch.compile does not work here, so torch_compile is left out: {type(error).__name__}", file=sys.stderr)
        return False


def plan(folder, machine_id, kernels_csv):
    groups = groups_of(kernels_csv)
    compiled = compiles()
    if not groups:
        sys.exit(f"peers: {kernels_csv} has no forward row of dyt on warm caches, so nothing says what to time")
    rows = []
    # Groups stand in normbench's order.
    for number, (dtype, height, width, threads) in enumerate(sorted(groups, key=lambda g: (g[0] == "bf16", *g[1:]))):
        for family in FAMILIES:
            for op, variant, form in (f for f in family if compiled or f[1] != "torch_compile"):
                rows.append({"op": op, "variant": variant, "pass": "forward", "form": form, "level": "library", "dtype": dtype,
                             "rows": height, "cols": width, "threads": threads, "placement": "none", "cache": "warm",
                             "group": number, "calls": 1, "rounds": ROUNDS, "pilot_ns": 1, "wrong": 0})
    os.makedirs(folder, exist_ok=True)
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H%M%SZ")
    seed = int(os.environ.get("SEED", time.time_ns() // 1000))
    meta = {"schema_version": 1, "run_id": f"{stamp}-peers", "machine_id": machine_id, "program": "scripts/peers.py",
            "experiment": {"command": "normbench kernels (samples by scripts/peers.py)", "preset": "", "seed": str(seed),
                           "launches": LAUNCHES, "piloted": True, "budget_s": 0.0}}
    write_rows(os.path.join(folder, "plan.csv"), PLAN, rows)
    write_rows(os.path.join(folder, "samples.csv"), SAMPLES, [])
    with open(os.path.join(folder, "meta.json"), "w", encoding="utf-8") as file:
        json.dump(meta, file, indent=2)


# ---- One launch

def modules(torch, width, dtype, generator):
    """name: (module, the same in float64 as a function of x)"""
    nn = torch.nn

    class RMSNorm(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(width, generator=generator))
            self.eps = 1e-6

        def forward(self, x):
            given = x.dtype
            x = x.to(torch.float32)
            x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)
            return self.weight * x.to(given)

    class DyT(nn.Module):
        def __init__(self):
            super().__init__()
            self.alpha = nn.Parameter(torch.full((1,), 0.5))
            self.weight = nn.Parameter(torch.randn(width, generator=generator))
            self.bias = nn.Parameter(torch.randn(width, generator=generator))

        def forward(self, x):
            return self.weight * torch.tanh(self.alpha * x) + self.bias

    class Copy(nn.Module):
        def forward(self, x):
            return x.clone()

    layernorm = nn.LayerNorm(width, eps=1e-6)
    with torch.no_grad():
        layernorm.weight.copy_(torch.randn(width, generator=generator))
        layernorm.bias.copy_(torch.randn(width, generator=generator))
    return {"layernorm": layernorm.to(dtype), "rmsnorm": RMSNorm().to(dtype), "dyt": DyT().to(dtype), "identity": Copy()}


def in_double(torch, op, module, x):
    """By the formulas of `normbench list ops`, not by the modules."""
    x = x.double()
    p = {name: value.detach().double() for name, value in module.named_parameters()}
    if op == "layernorm":
        centred = x - x.mean(-1, keepdim=True)
        return p["weight"] * centred / (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt() + p["bias"]
    if op == "rmsnorm":
        return p["weight"] * x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()
    return p["weight"] * (p["alpha"] * x).tanh() + p["bias"] if op == "dyt" else x


def check(torch, op, module, run, x):
    """Why the result is wrong, or "". Op by op in bf16 four roundings of up to half an ulp, 2^-8, meet in a value of a few
    units; a wrong formula is off by far more than their sum."""
    rows = torch.arange(0, x.shape[0], max(1, x.shape[0] // 64))
    got, want = run(x)[rows].double(), in_double(torch, op, module, x[rows])
    scale = want.abs().amax() + 1
    error = ((got - want).abs() / scale).amax().item()
    bound = 4 * 2.0 ** (-8 if x.dtype == torch.bfloat16 else -20)
    return "" if error <= bound else f"off by {error:.3g} of the largest value, {bound:.3g} allowed"


def sample(run, x, calls):
    begin = time.perf_counter_ns()
    for _ in range(calls):
        run(x)
    return (time.perf_counter_ns() - begin) / calls


def calibrate(run, x):
    calls = 1
    while True:
        ns = sample(run, x, calls)
        if ns * calls >= 0.5 * MIN_SAMPLE_NS:
            return max(1, math.ceil(MIN_SAMPLE_NS / ns))
        calls *= 4


def prepared(torch, cell, module):
    if cell["variant"] == "torch_eager":
        return module
    return torch.compile(module, dynamic=False)


def launch(folder, number):
    import resource

    import torch

    with open(os.path.join(folder, "meta.json"), encoding="utf-8") as file:
        meta = json.load(file)
    with open(os.path.join(folder, "plan.csv"), newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    draw = random.Random(f"{meta['experiment']['seed']} {number}")
    groups = {}
    for c in cells:
        groups.setdefault(c["group"], []).append(c)
    order = 0
    visits = list(groups.values())
    draw.shuffle(visits)
    with open(os.path.join(folder, "samples.csv"), "a", newline="", encoding="utf-8") as file, torch.no_grad():
        writer = csv.DictWriter(file, SAMPLES, lineterminator="\n")
        for group in visits:
            first = group[0]
            dtype = torch.bfloat16 if first["dtype"] == "bf16" else torch.float32
            torch.set_num_threads(int(first["threads"]))
            torch.compiler.reset()  # what was compiled for one team is not run by another
            generator = torch.Generator().manual_seed(int(meta["experiment"]["seed"]) % 2**63)
            x = torch.randn(int(first["rows"]), int(first["cols"]), generator=generator).to(dtype)
            named = modules(torch, int(first["cols"]), dtype, generator)
            for c in group:
                if c["wrong"] != "0":
                    continue
                try:
                    c["run"] = prepared(torch, c, named[c["op"]])
                    c["reason"] = check(torch, c["op"], named[c["op"]], c["run"], x)
                except Exception as error:  # such as too little memory
                    c["reason"] = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:150]
                c["wrong"] = "1" if c["reason"] else "0"
            good = [c for c in group if c["wrong"] == "0"]
            for c in good:
                c["own_calls"] = calibrate(c["run"], x)
            families = [[c for c in good if c["form"] == form] for form in ("fused", "eager")]
            for family in families:
                for c in family:
                    c["own_calls"] = max(d["own_calls"] for d in family)
                    c["own_calls"] = min(c["own_calls"], max(1, int(25e6 / sample(c["run"], x, 1))))
            for visit in range(ROUNDS):
                draw.shuffle(families)
                for family in families:
                    turn = draw.sample(family, len(family))
                    for half, row in enumerate((turn, turn[::-1])):
                        for c in row:
                            c["run"](x)
                            before = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
                            ns = sample(c["run"], x, c["own_calls"])
                            after = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
                            values = {k: c[k] for k in CELL}
                            values.update(schema_version=1, run_id=meta["run_id"], launch=number, sample=2 * visit + half,
                                          order=order, calls=c["own_calls"], time_ns=f"{ns:.9g}",
                                          preempted=int(after != before), bound="")
                            writer.writerow(values)
                            order += 1
            for c in good:
                c["calls"] = c["own_calls"]
                del c["run"], c["own_calls"]
    # The calls of the last launch stand for all; what was wrong in one is not sampled in the next.
    write_rows(os.path.join(folder, "plan.csv"), PLAN, [{k: c.get(k, "") for k in PLAN} for c in cells])


def main():
    if sys.argv[1:] == ["--check"]:
        try:
            import torch
        except ImportError as error:
            sys.exit(f"peers: {error}")
        print(torch.__version__)
    elif sys.argv[1:2] == ["plan"] and len(sys.argv) == 5:
        plan(*sys.argv[2:])
    elif sys.argv[1:2] == ["launch"] and len(sys.argv) == 4:
        launch(sys.argv[2], int(sys.argv[3]))
    else:
        print(__doc__, file=sys.stderr)
        sys.exit(2)


main()
