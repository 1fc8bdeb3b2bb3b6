# SPDX-License-Identifier: MIT
"""Operation by operation: what PyTorch's profiler sees of a module beside what form framework takes for the same, in their order, so
that whichever differs shows itself."""
import os
from statistics import median

import peers_norm

VIEWS = {"aten::" + name for name in ("to", "detach", "view", "expand", "reshape", "as_strided", "alias", "result_type", "empty", "empty_like")}
CALLS = 15
SMALL = 2, 2  # in which there is nothing to do, but every sum is one
COLUMNS = ["PyTorch, us", "2x2", "ours, us", "ours over PyTorch's work"]


def joined(theirs, ours):
    """[(names, ns of theirs, ns of ours)] a row for each step; theirs: (name, ns), ours: (operations that the step is, ns), in order."""
    expected = sum(count for count, _ in ours)
    if expected != len(theirs):
        raise ValueError(f"{len(theirs)} operations of PyTorch's where form framework has {expected}: {' '.join(name for name, _ in theirs)}")
    rows, at, before = [], 0, 0
    for count, ns in ours:
        if count == 0:  # a part of the step before, or, at the beginning, of the next
            before += 0 if rows else ns
            rows[-1:] = [(*row[:2], row[2] + ns) for row in rows[-1:]]
            continue
        of, at = theirs[at:at + count], at + count
        rows.append((", ".join(name for name, _ in of), sum(took for _, took in of), ns + before))
        before = 0
    return rows


def lines_of(title, rows, least):
    """A table of rows as joined() has them; least: what each row takes PyTorch where there is nothing to do, in ns."""
    lines = [title, "", f"| operation | {' | '.join(COLUMNS)} |", "| --- " * (len(COLUMNS) + 1) + "|"]

    def line(name, theirs, small, own):
        work = max(theirs - small, 0)
        return f"| {name} | {theirs / 1e3:.1f} | {small / 1e3:.1f} | {own / 1e3:.1f} | {f'{own / work:.2f}' if work >= small else '-'} |"

    lines += [line(*row[:2], small, row[2]) for row, small in zip(rows, least)]
    return lines + [line("all", sum(r[1] for r in rows), sum(least), sum(r[2] for r in rows)), ""]


def operations_of(events, begin, end):
    """[(name, ns)] of what a profile saw between two times at the top: neither inside another, nor a mere view."""
    at_top = []
    inside = (e for e in events if e.name.startswith("aten::") and e.name not in VIEWS and begin <= e.time_range.start < end)
    for event in sorted(inside, key=lambda e: (e.time_range.start, -e.time_range.end)):
        if not at_top or event.time_range.start >= at_top[-1].time_range.end:
            at_top.append(event)
    return [(e.name[6:], 1e3 * (e.time_range.end - e.time_range.start)) for e in at_top]


def medians(calls):
    """The median of each operation over the calls, which are lists of (what it is, ns)."""
    return [(of[0][0], median(ns for _, ns in of)) for of in zip(*calls)]


def one(norm, names, which, inputs, threads):
    """The rows of one module and pass, PyTorch's and ours in turns."""
    from torch.profiler import ProfilerActivity, profile, record_function

    import peers_torch
    theirs = peers_torch.OfTorch(names[0], "torch_eager" + "_nobeta" * names[1].endswith("_nobeta"), which, inputs)
    ours, own = peers_torch.OfNorm(norm, names, which, inputs, threads), []
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(1 + CALLS):
            if theirs.before:
                theirs.before()
            with record_function("a call"):
                theirs.run()
            own.append(ours.operations())
    events = seen.events()
    calls = [e.time_range for e in events if e.name == "a call"]
    seen = [operations_of(events, call.start, call.end) for call in calls]
    return joined(medians(seen[1:]), medians(own[1:]))  # the first warms up


def report(dtype, shape, threads):
    """What each operation of each module takes, forward and backward, at a shape such as 512x4096."""
    import torch

    import peers_torch
    rows, cols = map(int, shape.split("x"))
    torch.set_num_threads(threads)
    norm, lines = peers_norm.Norm(os.environ["LIBNORM"]), []
    at = {size: peers_torch.Inputs(*size, peers_torch.DTYPES[dtype], 1) for size in (SMALL, (rows, cols))}
    for which in peers_norm.PASSES:
        for names in (n for n in norm.chosen(dtype) if n[2] == "framework"):
            least = [row[1] for row in one(norm, names, which, at[SMALL], 1)]
            title = f"{names[0]} {names[1]} {names[3]}, {which}, {dtype} {shape}, {threads} thread{'s' * (threads > 1)}"
            lines += lines_of(title, one(norm, names, which, at[rows, cols], threads), least)
    return "\n".join(lines)
