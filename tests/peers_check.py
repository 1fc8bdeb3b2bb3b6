# SPDX-License-Identifier: MIT
# What scripts/peers*.py do without PyTorch: peers_check.py LIBNORM. Ends with 1 if something does not hold.
import array
import ctypes
import math
import os
import random
import sys
from statistics import median

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../scripts"))
import peers
import peers_norm
import peers_ops
import peers_table

failures = 0


def equal(got, want, what):
    global failures
    if got != want:
        print(f"peers_check: {what}: {got!r} instead of {want!r}", file=sys.stderr)
        failures += 1


# ---- One OpenMP

MAPS = """7f00-7f01 r--p 00000000 08:01 11 /usr/lib/torch/lib/libgomp-a34b3233.so.1.0.0
7f01-7f02 r-xp 00001000 08:01 11 /usr/lib/torch/lib/libgomp-a34b3233.so.1.0.0
7f02-7f03 rw-p 00000000 00:00 0
7f03-7f04 r-xp 00000000 08:01 12 /usr/lib/libomptarget.so.14
7f04-7f05 r-xp 00000000 08:01 13 /home/me/with space/libc.so.6
"""
SECOND = "7f05-7f06 r-xp 00000000 08:01 14 /usr/lib/x86_64-linux-gnu/libgomp.so.1.0.0\n"
LINK = "7f06-7f07 r-xp 00000000 08:01 11 /tmp/links/libgomp.so.1\n"
INTEL = "7f05-7f06 r-xp 00000000 08:01 15 /opt/conda/lib/libiomp5.so\n"
for maps, before, after, want in (
        (MAPS, 2, 2, ""), (MAPS + LINK, 2, 2, ""), (MAPS, 2, 3, "does not use PyTorch's threads: 2 before a call on two, 3 after"),
        (MAPS, 1, 1, "does not use PyTorch's threads"), (MAPS + SECOND, 2, 2, "two OpenMP libraries are in one process"),
        (MAPS + INTEL, 2, 2, "libiomp5.so"), (INTEL, 2, 2, "runs on /opt/conda/lib/libiomp5.so, libnorm on libgomp"),
        ("", 2, 2, "runs on no OpenMP")):
    why = peers_norm.why_not_shared(maps, before, after)
    equal(why == "" if want == "" else want in why, True, f"what is said of threads: {why!r}")

# ---- Order and pairs

draw = random.Random("1 0")
taken = list(peers.turns(list("abcdefg"), 3, draw))
equal([sample for sample, _ in taken], [s for s in range(6) for _ in range(7)], "samples in order")
turns = [[cell for sample, cell in taken if sample == s] for s in range(6)]
for k in range(3):
    equal(turns[2 * k], turns[2 * k + 1][::-1], "the second half of a round mirrors the first")
    equal(sorted(turns[2 * k]), list("abcdefg"), "every cell once")
equal(len({tuple(turn) for turn in turns}) > 2, True, "rounds in different orders")
equal([peers.rounds_of(*shape) for shape in ((64, 768), (1024, 4096), (2048, 4096), (4096, 4096), (65536, 8192))],
      [peers.ROUNDS, peers.ROUNDS, peers.ROUNDS // 2, max(1, peers.ROUNDS // 4), 1], "rounds by size")
equal([peers_table.ranks(n) for n in (1, 5, 6, 8, 9, 17)], [None, None, (1, 6), (1, 8), (2, 8), (5, 13)], "ranks of intervals")


def launches(times):
    return {str(n): {r: [{"time_ns": str(t)} for t in pair] for r, pair in enumerate(rounds)} for n, rounds in enumerate(times)}


# The machine slows down tenfold from round to round, and the ratio stays 3; a round that one side lacks says nothing.
slow = launches([[(30, 60), (300, 600), (3000, 6000)]] * 6)
equal([f"{v:.9g}" for v in peers_table.ratio(slow, launches([[(10, 20), (100, 200), (1000, 2000)]] * 6))], ["3"] * 3, "paired ratio")
half = peers_table.ratio(slow, launches([[(10, 20), (100,)]]))
equal((f"{half[0]:.9g}", half[1:]), ("3", (None, None)), "ratio of one whole round")
equal(peers_table.ratio(slow, {}), None, "ratio to nothing")
# A ratio over another's, all four of the same rounds: a pace that one round has is in all of it; rounds that one side lacks say nothing.
equal([f"{v:.9g}" for v in peers_table.ratio(slow, launches([[(10, 20), (100, 200), (1000, 2000)]] * 6), launches([[(12, 24), (1, 1)]] * 6),
                                             launches([[(8, 16), (1, 1), (1, 9)]] * 6))], [f"{math.exp(median((math.log(2), math.log(3)))):.9g}"] * 3, "a ratio over another")
equal(peers_table.ratio(slow, slow, {}, slow), None, "a ratio over nothing")
spread = peers_table.ratio(launches([[(k, k)] for k in (1, 2, 3, 4, 5, 6)]), launches([[(1, 1)]] * 6))
equal([f"{v:.6g}" for v in spread], [f"{math.sqrt(12):.6g}", "1", "6"], "median of launches, and their range")
equal([peers_table.written(v) for v in ((0.123, 0.1225, 0.1235), (3.38, 3.1, 3.6), (12.3, 8.0, 16.0), (1.234, None, None), None)],
      ["0.12", "3.4", "12", "1.23", "-"], "decimals")
equal([peers_table.system_of({"variant": v, "form": f}) for v, f in (
    ("torch_eager", "fused"), ("torch_eager_nobeta", "eager"), ("torch_compile_nobeta", "fused"), ("u2", "eager"), ("sleef", "framework"))],
      ["PyTorch eager", "PyTorch eager", "torch.compile", "ours eager", "ours framework"], "systems")
equal([peers_table.system_of({"variant": "sleef", "form": "framework", "dispatch_ns": ns}) for ns in ("", "0", "2000")],
      ["ours framework", "ours framework", "ours framework, dispatched"], "systems by their time of dispatch")

# ---- Operation by operation: a step that is no operation is a part of the one before, or of the first


class Event:
    def __init__(self, name, start, end):
        self.name, self.time_range = name, self
        self.start, self.end = start, end


SEEN = [Event("aten::copy_", 13, 19), Event("aten::to", 10, 20), Event("aten::_to_copy", 11, 20), Event("aten::mul", 21, 25.5),
        Event("aten::detach", 26, 27), Event("MulBackward0", 9, 40), Event("aten::add_", 41, 44), Event("aten::mul", 30, 33)]
equal(peers_ops.operations_of(SEEN, 9, 40), [("_to_copy", 9000.0), ("mul", 4500.0), ("mul", 3000.0)], "operations at the top, in order")
equal(peers_ops.medians([[("mul", 3), ("add", 1)], [("mul", 9), ("add", 5)], [("mul", 4), ("add", 2)]]), [("mul", 4), ("add", 2)], "medians")
steps = peers_ops.joined([("mul", 3000), ("pow", 2000), ("add", 4000)], [(0, 100), (1, 1000), (0, 50), (2, 1500)])
equal(steps, [("mul", 3000, 1150), ("pow, add", 6000, 1500)], "steps and operations")
equal(peers_ops.lines_of("dyt", steps, [1000, 4000]),
      ["dyt", "", "| operation | PyTorch, us | 2x2 | ours, us | ours over PyTorch's work |", "| --- | --- | --- | --- | --- |",
       "| mul | 3.0 | 1.0 | 1.1 | 0.57 |", "| pow, add | 6.0 | 4.0 | 1.5 | - |", "| all | 9.0 | 5.0 | 2.6 | - |", ""], "a table of operations")
try:
    peers_ops.joined([("mul", 1), ("add", 1)], [(1, 1)])
    equal("taken", "refused", "operations that the form has not")
except ValueError as error:
    equal(str(error), "2 operations of PyTorch's where form framework has 1: mul add", "what is said of operations that the form has not")

# ---- Shares of layers

LLAMA = {"model": "llama_7b", "dtype": "bf16", "tokens": 512, "norm": "rmsnorm"}
TAKEN = {"PyTorch eager": {"rmsnorm": peers_table.Taken(0.05, 5e6, 1e8), "dyt": peers_table.Taken(0.04, 4e6, 1e8)},
         "ours framework": {"rmsnorm": peers_table.Taken(0.06, 6e6, 1e8), "dyt": peers_table.Taken(0.0518, 5.18e6, 1e8)},
         "ours fused": {"rmsnorm": peers_table.Taken(0.01, 9e5, 9e7), "dyt": peers_table.Taken(0.01, 9e5, 9e7)}}
SHARES = ["| llama_7b bf16, 512 tokens | ours framework | ours framework, dispatched | PyTorch eager | ours fused |", "| --- | --- | --- | --- | --- |",
          "| rmsnorm, share | 6.00 % | 6.09 % | 5.00 % | 1.00 % |", "| rmsnorm, us | 6000 | 6100 | 5000 | 900 |",
          "| layer with rmsnorm, us | 100000 | 100100 | 100000 | 90000 |",
          "| dyt, share | 5.18 % | 5.22 % | 4.00 % | 1.00 % |", "| dyt, us | 5180 | 5220 | 4000 | 900 |",
          "| layer with dyt, us | 100000 | 100040 | 100000 | 90000 |", "| time of dyt over rmsnorm | 0.86 | 0.86 | 0.80 | 1.00 |",
          "", "Dispatch of PyTorch's norms there, us: rmsnorm 100, dyt 40"]
DISPATCH = {"rmsnorm": 1e5, "dyt": 4e4}
equal(peers_table.shares(LLAMA, TAKEN, DISPATCH),
      SHARES + ["Shares of form framework, dispatched, over PyTorch's: rmsnorm 1.22, dyt 1.30; 1 of 2 within 30 %", ""], "a table of shares")
del TAKEN["ours framework"]
equal(len(peers_table.shares(LLAMA, TAKEN, DISPATCH)), len(SHARES) + 1, "a table of shares without the form")

# ---- What a run says is to be timed: of layers those that run op by op

for name, rows in (("kernels", ("op,form,dtype,rows,cols,threads,cache", "dyt,fused,f32,8,64,1,warm", "dyt,eager,f32,8,64,1,warm",
                                "rmsnorm,fused,f32,16,64,1,warm", "dyt,fused,f32,8,64,1,cold", "dyt,fused,f16,8,64,1,warm")),
                   ("layers", ("op,form,dtype,rows,cols,threads,cache,phase", "dyt,fused,bf16,32,64,2,,prefill",
                               "dyt,framework,bf16,512,64,2,,prefill", "dyt,eager,bf16,512,64,2,,train"))):
    with open(os.path.join(sys.argv[2], name + ".csv"), "w", encoding="utf-8") as file:
        file.write("\n".join(rows) + "\n")
equal(peers.groups_of([os.path.join(sys.argv[2], name + ".csv") for name in ("kernels", "layers")]),
      [("f32", 8, 64, 1), ("bf16", 512, 64, 2)], "what is timed of two tables")

# ---- libnorm

norm = peers_norm.Norm(sys.argv[1])
chosen = norm.chosen("f32")
for form in ("fused", "eager"):
    equal([op + "_nobeta" * v.endswith("_nobeta") for op, v, f, _ in chosen if f == form and op != "identity"],
          ["layernorm", "rmsnorm", "dyt", "dyt_nobeta"], f"what is chosen of form {form}")
equal(len(set(chosen)), len(chosen), "chosen once")
equal(len({level for *_, level in chosen if not level.startswith("auto") and level != "library"}), 1, "one level")
rows = peers.planned([("f32", 64, 768, 1)], norm, False, ["forward"], {("rmsnorm", "std", "f32", "forward", 64, 768): 5000})
equal([(r["op"], r["dispatch_ns"]) for r in rows if r["form"] == "framework" and r["op"] == "rmsnorm"],
      [("rmsnorm", "0"), ("rmsnorm", "5000")], "form framework without dispatch and with")
equal({r["dispatch_ns"] for r in rows if r["form"] != "framework"}, {""}, "dispatch in other forms")
rows, cols = 4, 64
x = array.array("f", (0.01 * k - 1 for k in range(rows * cols)))
y, gamma = array.array("f", bytes(4 * rows * cols)), array.array("f", [2.0] * cols)
args = peers_norm.Args(rows=rows, cols=cols, x_stride=cols, y_stride=cols, x=x.buffer_info()[0], y=y.buffer_info()[0],
                       gamma=gamma.buffer_info()[0], alpha=0.5)
dyt = norm.find(*next(c for c in chosen if c[0] == "dyt" and c[1].endswith("_nobeta") and c[2] == "fused"), "f32")
two = norm.call(dyt, "forward", args, 2)
try:
    peers_norm.check_shared(norm, lambda: None)  # a host without threads, so that libnorm's are its own
    equal("taken", "refused", "a host on other threads")
except RuntimeError as error:
    equal("does not use PyTorch's threads: 1 before" in str(error), True, f"what is said of other threads: {error}")
equal(two(), 0, "a call on two threads")
equal(max(abs(a - 2 * math.tanh(0.5 * b)) for a, b in zip(y, x)) < 1e-6, True, "2 tanh(x / 2)")
equal(norm.find("dyt", "nonsense", "fused", "best", "f32"), None, "an unknown name")
framework = norm.find("dyt", "u2_nobeta", "framework", "best", "f32")
took = norm.timed(framework, "forward", args, 1)()
equal([calls for calls, _ in took], [1] * norm.operations(framework, "forward"), "operations of a step")
equal(all(ns > 0 for _, ns in took), True, f"what steps took: {took}")
peers_norm.check_shared(norm, two)  # the host is libnorm itself, whose threads are there by now


def norm_args_of(text):
    path = os.path.join(sys.argv[2], "args.h")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return peers_norm.fields_of(path, "norm_args")


equal(norm_args_of("typedef struct { int z; } other;\ntypedef struct {\n    size_t rows, cols; // of; it\n    const void *x, *y;\n"
                   "    float *dgamma, eps;\n    bool strict;\n    void **fresh;\n} norm_args;"),
      [("rows", ctypes.c_size_t), ("cols", ctypes.c_size_t), ("x", ctypes.c_void_p), ("y", ctypes.c_void_p),
       ("dgamma", ctypes.c_void_p), ("eps", ctypes.c_float), ("strict", ctypes.c_bool), ("fresh", ctypes.c_void_p)], "fields of a struct")

# ---- Memory that is kept, last, for it stays so

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.restype, libc.free.argtypes = None, [ctypes.c_void_p]


class Filler:
    before, size = None, 64 << 20

    def run(self):
        data = libc.malloc(self.size)
        ctypes.memset(data, 1, self.size)
        libc.free(data)


def faults_of(size):
    Filler.size = size
    peers.sample(Filler(), 1)
    return peers.sample(Filler(), 2)[1]


try:
    huge = faults_of(64 << 20)  # always mapped anew, and so is what follows, once that is asked for
    peers.set_memory("all")
    fresh = faults_of(4 << 20)
    peers.set_memory("1")
    settled = faults_of(8 << 20), faults_of(40 << 20)
    peers.set_memory("0")
    kept = faults_of(64 << 20)
    equal(huge >= 32 and fresh >= 2 > kept, True, f"page faults of 64 MiB {huge}, of 4 MiB fresh {fresh}, kept {kept}")
    equal(settled[0] < 2 <= settled[1], True, f"page faults where the heap is settled, of 8 and 40 MiB: {settled}")
except RuntimeError as error:  # another C library
    print(f"peers_check: SKIPPED: {error}")
sys.exit(1 if failures else 0)
