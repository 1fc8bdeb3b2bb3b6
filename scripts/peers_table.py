# SPDX-License-Identifier: MIT
"""What the samples of `make peers` say of DyT over RMSNorm and over LayerNorm, each system's own, as it was paired in its rounds;
and how many pages a call took. From samples.csv alone."""
import csv
import gzip
import json
import math
import os
import zlib
from itertools import product
from statistics import median
from typing import NamedTuple

FORM, WITH_DISPATCH, PYTORCH = "ours framework", "ours framework, dispatched", "PyTorch eager"
SYSTEMS = ["ours eager", FORM, WITH_DISPATCH, PYTORCH, "ours fused", "torch.compile"]
NAMES = dict(zip(SYSTEMS, ["eager", "framework", "framework_dispatched", "pytorch_eager", "fused", "torch_compile"]))  # in peers.csv
CSV = ["schema_version", "run_id", "machine_id", "pytorch", "heap", "op", "beta", "against", "pass", "dtype", "rows", "cols", "threads",
       "system", "launches", "ratio", "ratio_lo95", "ratio_hi95", "time_ns_median", "page_faults", "dispatch_ns", "against_system",
       "to_pytorch", "to_pytorch_lo95", "to_pytorch_hi95"]
NEAR, NEAR_SHARE = 0.2, 0.3  # what counts as the same ratio, and as the same share of a layer, of PyTorch's
RATIOS = [("DyT without beta over RMSNorm", ("dyt", True), ("rmsnorm", False)),
          ("DyT over LayerNorm", ("dyt", False), ("layernorm", False))]
# What peers.csv has of each system: an op, whether without beta, and the norm that it replaces; and rmsnorm op by op over itself fused.
PAIRS = [(("dyt", True), "rmsnorm"), (("dyt", False), "rmsnorm"), (("dyt", False), "layernorm"), (("dyt", True), "layernorm"),
         (("rmsnorm", False), "layernorm")]
FUSED = {"ours eager": "ours fused", FORM: "ours fused", WITH_DISPATCH: "ours fused", PYTORCH: "torch.compile"}


def compared():
    """(system, op and whether without beta, system and norm that it is held against) of the rows of peers.csv, in their order."""
    yield from ((system, above, system, below) for (above, below), system in product(PAIRS, SYSTEMS))
    yield from ((system, ("rmsnorm", False), fused, "rmsnorm") for system, fused in FUSED.items())


def system_of(row):
    if row["variant"].startswith("torch_"):
        return "torch.compile" if row["variant"].startswith("torch_compile") else "PyTorch eager"
    return WITH_DISPATCH if row.get("dispatch_ns") not in (None, "", "0") else f"ours {row['form']}"


def samples_of(folder):
    """The samples of a run as a file to read, packed or not."""
    path = os.path.join(folder, "samples.csv")
    if not os.path.exists(path + ".gz"):
        return open(path, newline="", encoding="utf-8")
    if os.path.exists(path):
        raise SystemExit(f"peers: {path} has its packed form, .gz, beside it: remove one of the two")
    if os.path.getsize(path + ".gz") == 0:  # which Python takes for an empty one
        raise EOFError
    return gzip.open(path + ".gz", "rt", newline="", encoding="utf-8")


def read(folder):
    """{(pass, dtype, rows, cols): {threads: {(system, op, without beta): {launch: {round: [sample, ...]}}}}}"""
    found = {}
    with samples_of(folder) as file:
        for row in csv.DictReader(file):
            at = found.setdefault((row["pass"], row["dtype"], int(row["rows"]), int(row["cols"])), {})
            at = at.setdefault(int(row["threads"]), {})
            at = at.setdefault((system_of(row), row["op"], row["variant"].endswith("_nobeta")), {})
            at.setdefault(row["launch"], {}).setdefault(int(row["sample"]) // 2, []).append(row)
    return found


def ranks(n):
    """The order statistics, from 1, whose interval holds the median with 95 %; None: n are too few."""
    below, k = 0.0, 0
    while 2 * (below + math.comb(n, k) / 2**n) <= 0.05:
        below += math.comb(n, k) / 2**n
        k += 1
    return (k, n + 1 - k) if k else None


def ratio(above, below, *over):
    """(median, low, high) of above's time over below's, each {launch: {round: samples}}: in each round that both have whole, the
    difference of the mean log times; its median over a launch's rounds; median and interval over launches. over: two more, whose
    ratio, of the same rounds, that is divided by. None: no such round."""
    logs, sides = [], (above, below, *over)
    for launch in set.intersection(*(set(side) for side in sides)):
        rounds = [[side[launch][r] for side in sides] for r in set.intersection(*(set(side[launch]) for side in sides))]
        means = [[sum(math.log(float(row["time_ns"])) for row in rows) / 2 for rows in of] for of in rounds if all(len(rows) == 2 for rows in of)]
        if means:
            logs.append(median(a - b - (over[0] - over[1] if over else 0) for a, b, *over in means))
    if not logs:
        return None
    logs.sort()
    ends = ranks(len(logs))
    return (math.exp(median(logs)), *((math.exp(logs[end - 1]) for end in ends) if ends else (None, None)))


def written(value):
    """A ratio with the decimals that its interval supports: its last digit is worth no more than half the width; two at most."""
    if value is None:
        return "-"
    middle, low, high = value
    width, digits = middle / 50 if low is None else (high - low) / 2, 0
    while digits < 2 and width < 1:
        width, digits = 10 * width, digits + 1
    return f"{middle:.{digits}f}"


def faults(samples):
    """Pages that a call took: the median over launches."""
    of = [median(float(row["page_faults"]) for rows in launch.values() for row in rows) for launch in samples.values()]
    return median(of) if of else None


def table(title, groups, entry, nothing=("-",)):
    """Lines of a table: a row for each group that has more than nothing, a column for each system that has an entry in any, its
    threads in one field."""
    threads = sorted({t for of in groups.values() for t in of})
    rows = {group: {s: [entry(of.get(t, {}), s) for t in threads] for s in SYSTEMS} for group, of in groups.items()}
    rows = {group: row for group, row in rows.items() if {e for entries in row.values() for e in entries} - set(nothing)}
    shown = [s for s in SYSTEMS if any(set(row[s]) - {"-"} for row in rows.values())]
    lines = ["", f"{title}, {' / '.join(map(str, threads))} thread{'s' if threads != [1] else ''}", "", f"| | {' | '.join(shown)} |", "| --- " * (len(shown) + 1) + "|"]
    for (_, dtype, height, width), row in rows.items():
        lines.append(f"| {dtype} {height}x{width} | " + " | ".join(" / ".join(row[s]) for s in shown) + " |")
    return lines if shown else []


def dispatch(every):
    """Lines of a table of what an operation was found to wait for PyTorch's dispatcher, by module, in each dtype and pass."""
    found = {}
    for (which, dtype, *_), teams in every.items():
        for of in teams.values():
            for (system, op, bare), launches in of.items():
                for row in (row for rounds in launches.values() for rows in rounds.values() for row in rows[:1] if system == WITH_DISPATCH):
                    found.setdefault((dtype, which), {})[op + " without beta" * bare] = f"{int(row['dispatch_ns']) / 1e3:.1f}"
    names = sorted({name for row in found.values() for name in row}, reverse=True)
    lines = ["", "Dispatch by Python and PyTorch, us an operation, on tensors of one element", "", f"| | {' | '.join(names)} |",
             "| --- " * (len(names) + 1) + "|"]
    lines += [f"| {dtype} {which} | " + " | ".join(row.get(n, "-") for n in names) + " |" for (dtype, which), row in sorted(found.items())]
    return lines if found else []


def write(run, folder, version, heap):
    """Puts what a folder's samples say into RUN/peers.csv, in the place of what it said before of this heap; what is said of it."""
    path, kept, last = os.path.join(run, "peers.csv"), [], None
    with open(os.path.join(folder, "meta.json"), encoding="utf-8") as file:
        meta = json.load(file)
    if os.path.isfile(path):
        with open(path, newline="", encoding="utf-8") as file:
            kept = [{column: row.get(column) or "" for column in CSV} for row in csv.DictReader(file) if row.get("heap") != heap]
    for (which, dtype, height, width), teams in read(folder).items():
        for (threads, of), (system, above, other, below) in product(sorted(teams.items()), compared()):
            own = of.get((system, *above), {})
            value = ratio(own, of.get((other, below, False), {}))
            if value is None:
                continue
            rows = [row for rounds in own.values() for samples in rounds.values() for row in samples]
            theirs = [of.get((PYTORCH, *which_op), {}) for which_op in (above, (below, False))]
            nearness = ratio(own, of.get((other, below, False), {}), *theirs) if system in (FORM, WITH_DISPATCH) and other == system else None
            entry = {"schema_version": 1, "run_id": meta["run_id"], "machine_id": meta["machine_id"], "pytorch": version, "heap": heap,
                     "op": above[0], "beta": int(above == ("dyt", False)), "against": below, "pass": which, "dtype": dtype, "rows": height,
                     "cols": width, "threads": threads, "system": NAMES[system], "launches": len(own),
                     **{k: "" if v is None else f"{v:.4g}" for k, v in zip(("ratio", "ratio_lo95", "ratio_hi95"), value)},
                     "time_ns_median": f"{median(float(row['time_ns']) for row in rows):.6g}", "page_faults": f"{faults(own):.6g}",
                     "dispatch_ns": rows[0].get("dispatch_ns", ""), "against_system": NAMES[other],
                     **dict(zip(CSV[-3:], ("" if v is None else f"{v:.4g}" for v in nearness or [None] * 3)))}
            kept.append(entry)
            if below == "rmsnorm" and which == "forward":
                at = (dtype == "bf16", height * width, threads)
                last = max(last or at, at)
    if os.path.lexists(path + ".part"):  # of one that was interrupted
        os.remove(path + ".part")
    with open(path + ".part", "x", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, CSV, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
    os.replace(path + ".part", path)
    return said(kept, heap, last)


def said(rows, heap, at):
    """The ratio of PyTorch at the largest shape beside those of both forms, in a line."""
    of = {row["system"]: row for row in rows if at and row["heap"] == heap and row["op"] == "dyt" and not int(row["beta"])
          and row["against"] == "rmsnorm" and row["pass"] == "forward" and (row["dtype"] == "bf16", int(row["rows"]) * int(row["cols"]), int(row["threads"])) == at}
    if "pytorch_eager" not in of:
        return ""
    row = of["pytorch_eager"]
    ours = "".join(f"; {name} {of[system]['ratio']}" for system, name in (
        ("framework", "form framework"), ("framework_dispatched", "with its dispatch"), ("eager", "ideal op by op")) if system in of)
    return (f"Op by op, DyT over RMSNorm, forward, {row['dtype']} {row['rows']}x{row['cols']}, {row['threads']} "
            f"thread{'s' * (int(row['threads']) > 1)}: PyTorch {row['ratio']}{ours}")


def compared_with_pytorch(run):
    """The last table of `make peers`, from RUN/peers.csv alone: each ratio of form framework beside PyTorch's own, and how many are
    as near as NEAR. With the time of dispatch, where that was measured, as PyTorch's has it; a line for the form without it."""
    with open(os.path.join(run, "peers.csv"), newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["op"], row["beta"], row["against"]) in (("dyt", "0", "rmsnorm"), ("dyt", "1", "layernorm"))]
    lines = []
    for heap in dict.fromkeys(row["heap"] for row in rows):
        at = {}
        for row in rows:
            if row["heap"] == heap:
                key = tuple(row[k] for k in ("pass", "against", "dtype", "rows", "cols", "threads"))
                at.setdefault(key, {})[row["system"]] = row
        lines += ["", f"DyT over its norm in form framework and in PyTorch, heap {heap}", "",
                  "| | framework | dispatched | PyTorch | over PyTorch's | within 20 % |", "| --- " * 6 + "|"]
        near = {NAMES[FORM]: [], NAMES[WITH_DISPATCH]: []}
        order = sorted(at, key=lambda k: (k[0] == "backward", k[1] == "layernorm", k[2] == "bf16", *map(int, k[3:])))
        for key in (k for k in order if NAMES[PYTORCH] in at[k] and NAMES[FORM] in at[k]):
            found = at[key]
            for system, told in near.items():
                if found.get(system, {}).get("to_pytorch"):
                    told.append(is_near(found[system]))
            best = found.get(NAMES[WITH_DISPATCH], found[NAMES[FORM]])
            own = [found[NAMES[s]]["ratio"] if NAMES[s] in found else "-" for s in (FORM, WITH_DISPATCH, PYTORCH)]
            ends = f" [{best['to_pytorch_lo95']}, {best['to_pytorch_hi95']}]" if best.get("to_pytorch_lo95") else ""
            lines.append(f"| {key[0]} {key[1]} {key[2]} {key[3]}x{key[4]}, {key[5]} thread{'s' * (key[5] != '1')} | {' | '.join(own)} | "
                         f"{best.get('to_pytorch') or '-'}{ends} | {'yes' if is_near(best) else 'no'} |")
        lines += [""] + [f"{sum(told)} of {len(told)} within {NEAR * 100:.0f} %, form {system}" for system, told in near.items() if told]
    return "\n".join(lines[1:])


def is_near(row):
    return bool(row.get("to_pytorch")) and abs(float(row["to_pytorch"]) - 1) <= NEAR


def report(folder):
    try:
        every, lines = read(folder), []
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise SystemExit(f"peers: {folder}/samples.csv.gz is cut off or damaged: copy it anew from where it is whole") from None
    for which in ("forward", "backward"):
        groups = dict(sorted((item for item in every.items() if item[0][0] == which),
                             key=lambda item: (item[0][1] == "bf16", *item[0][2:])))
        for title, above, below in RATIOS if groups else ():
            lines += table(f"{title}, {which}", groups, lambda of, system: written(ratio(
                of.get((system, *above), {}), of.get((system, *below), {}))))
        for op, bare in (("rmsnorm", False), ("dyt", True)) if groups else ():
            lines += table(f"Page faults of a call of {op}{' without beta' if bare else ''}, {which}", groups, lambda of, system: (
                f"{faults(of[system, op, bare]):.0f}" if (system, op, bare) in of else "-"), ("-", "0"))
    return "\n".join((lines + dispatch(every))[1:])


# ---- In layers

class Taken(NamedTuple):
    """Of an op in the slots of a layer: its share, and ns of its norms and of the layer."""
    share: float
    norms: float
    layer: float


def with_dispatch(taken, ns):
    """What a layer of form framework takes where its norms wait ns for Python and a dispatcher."""
    return Taken((taken.norms + ns) / (taken.layer + ns), taken.norms + ns, taken.layer + ns)


def shares(shape, columns, dispatch):
    """Lines of a table of {system: {op: Taken}}, and of form framework with {op: ns} of dispatch, whose shares the last line holds
    against PyTorch's."""
    own = shape["norm"]
    if FORM in columns:
        columns = {**columns, WITH_DISPATCH: {op: with_dispatch(columns[FORM][op], ns) for op, ns in dispatch.items()}}
    names = [s for s in SYSTEMS if s in columns]

    def line(name, entry):
        return f"| {name} | " + " | ".join(entry(columns[s]) for s in names) + " |"

    lines = [f"| {shape['model']} {shape['dtype']}, {shape['tokens']} tokens | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
    for op in (own, "dyt"):
        lines += [line(f"{op}, share", lambda of, op=op: f"{100 * of[op].share:.2f} %"), line(f"{op}, us", lambda of, op=op: f"{of[op].norms / 1e3:.0f}"),
                  line(f"layer with {op}, us", lambda of, op=op: f"{of[op].layer / 1e3:.0f}")]
    lines += [line(f"time of dyt over {own}", lambda of: f"{of['dyt'].norms / of[own].norms:.2f}"), "",
              f"Dispatch of PyTorch's norms there, us: {', '.join(f'{op} {dispatch[op] / 1e3:.0f}' for op in (own, 'dyt'))}"]
    if WITH_DISPATCH in columns and PYTORCH in columns:
        over = {op: columns[WITH_DISPATCH][op].share / columns[PYTORCH][op].share for op in (own, "dyt")}
        lines.append(f"Shares of form framework, dispatched, over PyTorch's: {', '.join(f'{op} {ratio:.2f}' for op, ratio in over.items())}; "
                     f"{sum(abs(ratio - 1) <= NEAR_SHARE for ratio in over.values())} of {len(over)} within {100 * NEAR_SHARE:.0f} %")
    return lines + [""]
