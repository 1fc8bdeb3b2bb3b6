# SPDX-License-Identifier: MIT
"""What the samples of `make peers` say of DyT over RMSNorm and over LayerNorm, each system's own, as it was paired in its rounds;
and how many pages a call took. From samples.csv alone."""
import csv
import gzip
import math
import os
import zlib
from statistics import median

SYSTEMS = ["ours eager", "ours framework", "PyTorch eager", "ours fused", "torch.compile"]
RATIOS = [("DyT without beta over RMSNorm", ("dyt", True), ("rmsnorm", False)),
          ("DyT over LayerNorm", ("dyt", False), ("layernorm", False))]


def system_of(row):
    if row["variant"].startswith("torch_"):
        return "torch.compile" if row["variant"].startswith("torch_compile") else "PyTorch eager"
    return f"ours {row['form']}"


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


def ratio(above, below):
    """(median, low, high) of above's time over below's, both {launch: {round: samples}}: in each round that both have whole, the
    difference of the mean log times; its median over a launch's rounds; median and interval over launches. None: no such round."""
    logs = []
    for launch in above.keys() & below.keys():
        rounds = [[[math.log(float(row["time_ns"])) for row in side[launch][r]] for side in (above, below)]
                  for r in above[launch].keys() & below[launch].keys()]
        differences = [sum(a) / 2 - sum(b) / 2 for a, b in rounds if len(a) == 2 and len(b) == 2]
        if differences:
            logs.append(median(differences))
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
    return "\n".join(lines[1:])
