# SPDX-License-Identifier: MIT
"""Times PyTorch's norms beside libnorm's in one process, as `make peers` asks: see peers.sh, which calls this. Only what measures
is here; what the samples say is computed by normbench, as of every other run, and by peers_table.py.

    peers.py --check                                         where PyTorch is: its version and its OpenMP library on stdout
    peers.py plan FOLDER MACHINE_ID TABLE...                 meta.json and plan.csv of a run, of the groups of these tables
    peers.py launch FOLDER NUMBER                            one launch: verifies what it then samples, and appends samples.csv
    peers.py table FOLDER                                    what the samples say, on stdout
    peers.py csv RUN VERSION FOLDER                          the same of PyTorch VERSION as rows of RUN/peers.csv
    peers.py compare RUN                                     how near form framework is to PyTorch, by RUN/peers.csv alone
    peers.py ops DTYPE ROWSxCOLS THREADS                     what each operation takes PyTorch, and what form framework for the same
    peers.py layers LAYERS_CSV THREADS                       norms in place in PyTorch's layers, beside those of a run of ours

LIBNORM names libnorm.so. FAULTS is the state of the heap in which PyTorch and libnorm allocate: see HEAPS.
"""
import csv
import ctypes
import datetime
import json
import math
import os
import random
import resource
import sys
import time
from itertools import repeat
from statistics import median

import peers_norm
import peers_table

MIN_SAMPLE_NS, MAX_SAMPLE_NS = 1e6, 25e6
LAUNCHES = int(os.environ.get("LAUNCHES", "6"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
DISPATCH_CALLS, DISPATCH_ROUNDS = 20, 25
MOST_SWEPT = 4 << 20  # twice what caches of a core's own hold
FAULTS = os.environ.get("FAULTS", "1")
CELL = ["op", "variant", "pass", "form", "level", "dtype", "rows", "cols", "threads", "placement", "cache"]
PLAN = CELL + ["group", "calls", "rounds", "pilot_ns", "max_error", "wrong", "reason", "dispatch_ns"]
SAMPLES = ["schema_version", "run_id"] + CELL + ["launch", "sample", "order", "calls", "time_ns", "preempted", "bound", "clock_ghz",
                                           "peak_gflops", "cycles", "instructions", "cache_misses", "page_faults",
                                           "dispatch_ns"]
# PyTorch's, with the forms that they are: its LayerNorm is one kernel in eager mode, too.
COMPILED = [("layernorm", "torch_compile", "fused"), ("rmsnorm", "torch_compile", "fused"), ("dyt", "torch_compile", "fused"),
            ("dyt", "torch_compile_nobeta", "fused")]
EAGER = [("layernorm", "torch_eager", "fused"), ("rmsnorm", "torch_eager", "eager"), ("dyt", "torch_eager", "eager"),
         ("dyt", "torch_eager_nobeta", "eager")]
COPY = [("identity", "torch_eager", "fused")]


def complain(text):
    print(f"peers: {text}", file=sys.stderr)


def groups_of(paths):
    """Every dtype, shape and team of dyt's rows on warm caches, in the order of the tables; of a table of layers, which has phases, and
    whose caches hold what the layer leaves, those that run op by op."""
    rows = []
    for path in paths:
        with open(path, newline="", encoding="utf-8") as file:
            rows += [r for r in csv.DictReader(file) if r["op"] == "dyt" and r["dtype"] in ("f32", "bf16")
                     and (r["form"] in ("eager", "framework") if "phase" in r else r["cache"] == "warm")]
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
        complain(f"torch.compile does not work here, so torch_compile is left out: {type(error).__name__}")
        return False


def rounds_of(rows, cols):
    """Fewer of what takes long: a tensor of 4096x4096 has a quarter of the rounds of one of 1024x4096, one at least."""
    return max(1, min(ROUNDS, ROUNDS * 2**22 // (rows * cols)))


def dispatch_of(norm, names, dtype, which, rows, cols):
    """ns that PyTorch's dispatcher and Python take for an operation of a module at a shape: on tensors of 2x2, where operations have
    nothing to do, but with caches that hold what the operations of the shape leave; what the module then takes longer than form framework,
    shared among the form's operations."""
    import peers_torch
    inputs = peers_torch.Inputs(2, 2, peers_torch.DTYPES[dtype], 1)
    variant = "torch_eager" + "_nobeta" * names[1].endswith("_nobeta")
    theirs, ours = peers_torch.OfTorch(names[0], variant, which, inputs), peers_torch.OfNorm(norm, names, which, inputs, 1)
    operations = norm.operations(ours.pointer, which)
    # Each tensor is written once and read once, so that there are half as many bytes as are touched; a backward follows a forward.
    touched = {p: rows * cols * norm.bytes_per_element(ours.pointer, p) for p in peers_norm.PASSES[:peers_norm.PASSES.index(which) + 1]}
    took = peers_torch.Swept(theirs, min(touched[which] // max(1, operations), MOST_SWEPT), min(sum(touched.values()) // 2, 2 * MOST_SWEPT))
    longer = median(took() - sample(ours, DISPATCH_CALLS)[0] for _ in range(DISPATCH_ROUNDS))
    return max(0, round(longer / operations)) if operations else 0


def dispatch_times(norm, groups, passes):
    """{(op, variant, dtype, pass, rows, cols): ns} of form framework's implementations that stand beside PyTorch."""
    try:
        import torch
        torch.set_num_threads(1)
        return {(*names[:2], dtype, which, *shape): dispatch_of(norm, names, dtype, which, *shape)
                for dtype, *shape in dict.fromkeys(group[:3] for group in groups)
                for names in norm.chosen(dtype) if names[2] == "framework" for which in passes}
    except Exception as error:
        complain(f"what PyTorch's dispatcher takes cannot be measured, so no row has it: {type(error).__name__}: {error}")
        return {}


def planned(groups, norm, compiled, passes, dispatch):
    """The rows of plan.csv, groups in normbench's order. Form framework is there twice: as it is, and with the time of dispatch."""
    rows = []
    keys = sorted(((g, which) for g in groups for which in passes), key=lambda k: (k[0][0] == "bf16", *k[0][1:], k[1] == "backward"))
    for number, ((dtype, height, width, threads), which) in enumerate(keys):
        theirs = (COMPILED if compiled else []) + EAGER + (COPY if which == "forward" else [])
        cells = [(*cell, "0" if cell[2] == "framework" else "") for cell in norm.chosen(dtype) + [(*cell, "library") for cell in theirs]]
        cells += [(*cell[:4], str(ns)) for cell in cells if (ns := dispatch.get((*cell[:2], dtype, which, height, width), 0)) and cell[2] == "framework"]
        for op, variant, form, level, dispatch_ns in cells:
            rows.append({"op": op, "variant": variant, "pass": which, "form": form, "level": level, "dtype": dtype, "rows": height,
                         "cols": width, "threads": threads, "placement": "none", "cache": "warm", "group": number, "calls": 1,
                         "rounds": rounds_of(height, width), "pilot_ns": 1, "wrong": 0, "dispatch_ns": dispatch_ns})
    return rows


def plan(folder, machine_id, *tables):
    groups = groups_of(tables)
    if not groups:
        sys.exit(f"peers: {' and '.join(tables)} has no row of dyt on warm caches, in layers op by op, so nothing says what to time")
    passes = [p for p in peers_norm.PASSES if p in os.environ.get("PASS", "forward,backward").split(",")]
    import torch  # noqa: F401 (whose tanh libnorm finds, once it is loaded)
    compiled, norm = compiles(), peers_norm.Norm(os.environ["LIBNORM"])
    rows = planned(groups, norm, compiled, passes, dispatch_times(norm, groups, passes))
    os.makedirs(folder, exist_ok=True)
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H%M%SZ")
    seed = int(os.environ.get("SEED", time.time_ns() // 1000))
    command = f"normbench kernels (samples by scripts/peers.py{', FAULTS=' + FAULTS if FAULTS != '1' else ''})"
    meta = {"schema_version": 1, "run_id": f"{stamp}-peers", "machine_id": machine_id, "program": "scripts/peers.py",
            "experiment": {"command": command, "preset": "", "seed": str(seed), "launches": LAUNCHES, "piloted": True, "budget_s": 0.0}}
    write_rows(os.path.join(folder, "plan.csv"), PLAN, rows)
    write_rows(os.path.join(folder, "samples.csv"), SAMPLES, [])
    with open(os.path.join(folder, "meta.json"), "w", encoding="utf-8") as file:
        json.dump(meta, file, indent=2)


# ---- One launch

# The state of the heap by the value of FAULTS: its name, and mallopt's options. glibc's thresholds grow with what a process frees, so
# that two processes have different ones, until they are set. settled: blocks of 32 MiB and more are
# mapped alone and given back, others stay, as heap.c has it for form framework. kept: all stay, so that no output is mapped anew. fresh: every output of 128 KiB or more is.
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
HEAPS = {"1": ("settled", [(MMAP_THRESHOLD, 32 << 20), (TRIM_THRESHOLD, -1)]),
         "0": ("kept", [(MMAP_MAX, 0), (TRIM_THRESHOLD, -1)]),
         "all": ("fresh", [(MMAP_THRESHOLD, 128 << 10)])}


def set_memory(wanted):
    """Sets the state of glibc's heap, which PyTorch allocates from."""
    libc = ctypes.CDLL(None)
    if not (hasattr(libc, "mallopt") and all(libc.mallopt(*option) for option in HEAPS[wanted][1])):
        raise RuntimeError(f"FAULTS={wanted} needs glibc's mallopt, which is not here")


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def sample(subject, calls):
    """(ns, page faults) of one call of what is timed, run(); before(), if there is one, goes before each and is not in them."""
    before, run, clock, total, taken = subject.before, subject.run, time.perf_counter_ns, 0, 0
    if before is None:
        first, begin = faults(), clock()
        for _ in repeat(None, calls):
            run()
        return (clock() - begin) / calls, (faults() - first) / calls
    for _ in repeat(None, calls):
        before()
        first, begin = faults(), clock()
        run()
        total += clock() - begin
        taken += faults() - first
    return total / calls, taken / calls


def calls_of(subject):
    """Calls that last MIN_SAMPLE_NS, and the most that do not last longer than MAX_SAMPLE_NS."""
    calls = 1
    while True:
        ns = sample(subject, calls)[0]
        if ns * calls >= 0.5 * MIN_SAMPLE_NS:
            return max(1, math.ceil(MIN_SAMPLE_NS / ns)), max(1, int(MAX_SAMPLE_NS / ns))
        calls *= 4


def turns(cells, rounds, draw):
    """(sample, cell) in the order in which they are taken: in each round every cell, ours and PyTorch's alike, in a random order and
    then in its mirror image."""
    for number in range(rounds):
        turn = draw.sample(cells, len(cells))
        for half, order in enumerate((turn, turn[::-1])):
            for cell in order:
                yield 2 * number + half, cell


def measured(cell):
    """(ns of a call, its page faults, whether a thread was preempted)"""
    sample(cell["subject"], 1)
    first = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
    ns, taken = sample(cell["subject"], cell["own_calls"])
    return ns, taken, int(resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw != first)


def prepare(group, norm, inputs):
    """Gives each cell of a group that is right what runs it, and how often in a sample; the others a reason."""
    import peers_torch
    first = group[0]
    for c in group:
        if c["wrong"] != "0":
            continue
        try:
            if c["level"] == "library":
                subject = peers_torch.OfTorch(c["op"], c["variant"], c["pass"], inputs)
            else:
                subject = peers_torch.OfNorm(norm, [c[k] for k in ("op", "variant", "form", "level")], c["pass"], inputs,
                                             int(first["threads"]), int(c["dispatch_ns"] or 0))
            c["reason"] = peers_torch.why_wrong(subject, peers_torch.in_double(c["op"], c["variant"], inputs, c["pass"]))
            c["subject"] = subject  # whose memory it is
        except Exception as error:  # such as too little memory
            c["reason"] = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:150]
        c["wrong"] = "1" if c["reason"] else "0"
        if c["reason"]:
            complain(f"{c['op']} {c['variant']} {c['form']} {c['pass']} is left out: {c['reason']}")
    good = [c for c in group if c["wrong"] == "0"]
    least = {}
    for c in good:
        calls, c["most"] = calls_of(c["subject"])
        family = peers_table.system_of(c)
        least[family] = max(calls, least.get(family, 1))
    for c in good:
        c["own_calls"] = min(least[peers_table.system_of(c)], c.pop("most"))
    return good


def launch(folder, number):
    set_memory(FAULTS)
    import torch

    import peers_torch
    norm = peers_norm.Norm(os.environ["LIBNORM"])

    def on_two_threads():
        torch.set_num_threads(2)
        torch.ones(1 << 20).add(1)

    peers_norm.check_shared(norm, on_two_threads)
    with open(os.path.join(folder, "meta.json"), encoding="utf-8") as file:
        meta = json.load(file)
    with open(os.path.join(folder, "plan.csv"), newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    seed = int(meta["experiment"]["seed"])
    draw = random.Random(f"{seed} {number}")
    groups = {}
    for c in cells:
        groups.setdefault(c["group"], []).append(c)
    order = 0
    visits = list(groups.values())
    draw.shuffle(visits)
    with open(os.path.join(folder, "samples.csv"), "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, SAMPLES, lineterminator="\n")
        for group in visits:
            first = group[0]
            torch.set_num_threads(int(first["threads"]))
            torch.compiler.reset()  # what was compiled for one team is not run by another
            dtype = peers_torch.DTYPES[first["dtype"]]
            good = prepare(group, norm, peers_torch.Inputs(int(first["rows"]), int(first["cols"]), dtype, seed))
            for index, c in turns(good, int(first["rounds"]), draw):
                ns, taken, preempted = measured(c)
                writer.writerow({**{k: c[k] for k in CELL}, "schema_version": 1, "run_id": meta["run_id"], "launch": number,
                                 "sample": index, "order": order, "calls": c["own_calls"], "time_ns": f"{ns:.9g}",
                                 "preempted": preempted, "bound": "", "page_faults": f"{taken:.6g}",
                                 "dispatch_ns": c["dispatch_ns"]})
                order += 1
            for c in good:
                c["calls"] = c.pop("own_calls")
                del c["subject"]
    # The calls of the last launch stand for all; what was wrong in one is not sampled in the next.
    write_rows(os.path.join(folder, "plan.csv"), PLAN, [{k: c.get(k, "") for k in PLAN} for c in cells])


def check():
    try:
        import torch
    except ImportError as error:
        sys.exit(f"peers: {error}")
    print(torch.__version__)
    print("\n".join(sorted(peers_norm.runtimes(peers_norm.own_maps()).values())))


def main():
    if sys.argv[1:] == ["--check"]:
        check()
    elif sys.argv[1:2] == ["plan"] and len(sys.argv) >= 5:
        plan(*sys.argv[2:])
    elif sys.argv[1:2] == ["launch"] and len(sys.argv) == 4:
        try:
            launch(sys.argv[2], int(sys.argv[3]))
        except RuntimeError as error:
            sys.exit(f"peers: {error}")
    elif sys.argv[1:2] == ["table"] and len(sys.argv) == 3:
        print(peers_table.report(sys.argv[2]))
    elif sys.argv[1:2] == ["csv"] and len(sys.argv) == 5:
        run, version, folder = sys.argv[2:]
        print(peers_table.write(run, folder, version, HEAPS[FAULTS][0]))
    elif sys.argv[1:2] == ["compare"] and len(sys.argv) == 3:
        print(peers_table.compared_with_pytorch(sys.argv[2]))
    elif sys.argv[1:2] == ["ops"] and len(sys.argv) == 5:
        set_memory(FAULTS)
        import peers_ops
        print(peers_ops.report(sys.argv[2], sys.argv[3], int(sys.argv[4])))
    elif sys.argv[1:2] == ["layers"] and len(sys.argv) == 4:
        set_memory(FAULTS)
        import peers_layers
        print(peers_layers.report(sys.argv[2], int(sys.argv[3])))
    else:
        print(__doc__, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
