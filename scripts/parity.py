#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The grid of `make parity`: which models are trained, by which rates and seeds, what came out, and its summary.

    python3 parity.py --check
    python3 parity.py FOLDER [--task digits,text] [--quick] [--jobs N]
    python3 parity.py FOLDER --sum-up

Each arm, a norm and the alpha that it begins with, gets the same rates and the same seeds to choose its rate by: the least median loss on
the part to choose by. Other seeds, at that rate alone, then give the loss on the part to be judged by, which nothing was chosen by.
FOLDER/parity_runs.csv has a row for each model, and is whole after each of them; what it has is not trained again. FOLDER/parity.csv
sums it up. Only training needs PyTorch."""
import argparse
import csv
import math
import multiprocessing
import os
import signal
import sys
from itertools import product
from statistics import median
from typing import NamedTuple

from peers_table import ranks, written

VERSION = "1"
RATES = (0.001, 0.003, 0.01, 0.03)
SELECTION, TEST = range(1, 4), range(101, 110)
TASKS, ROLES = ("digits", "text"), ("selection", "test")
RUNS = ["schema_version", "task", "norm", "alpha0", "rate", "role", "seed", "steps", "val_loss", "test_loss", "test_accuracy", "target_loss",
        "target_steps", "target_seconds", "seconds", "diverged"]
SUMMARY = ["schema_version", "task", "norm", "alpha0", "rate", "role", "chosen", "seeds", "steps", "target_loss", "reached", "diverged",
           "val_loss", "val_loss_lo95", "val_loss_hi95", "test_loss", "test_loss_lo95", "test_loss_hi95", "test_accuracy",
           "test_accuracy_lo95", "test_accuracy_hi95", "loss_change", "loss_change_lo95", "loss_change_hi95", "target_steps",
           "target_seconds", "seconds"]


class Arm(NamedTuple):
    norm: str
    alpha0: float | None = None


ARMS = [Arm("layernorm"), Arm("rmsnorm"), *(Arm("dyt", a) for a in (0.5, 1, 2, 4)), Arm("derf", 0.5), Arm("derf", 2), Arm("identity")]


class Run(NamedTuple):
    task: str
    arm: Arm
    rate: float
    role: str
    seed: int
    steps: int


def fail(message, status=2):
    print(f"parity: {message}", file=sys.stderr)
    raise SystemExit(status)


def number(text):
    return None if text == "" else float(text)


def shown(value):
    """As CSV has it: integers whole, six digits of others, nothing for None and for what is not finite."""
    if value is None or isinstance(value, float) and not math.isfinite(value):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


# ---- What has been trained

def run_of(row):
    alpha0 = number(row["alpha0"])
    return Run(row["task"], Arm(row["norm"], alpha0), float(row["rate"]), row["role"], int(row["seed"]), int(row["steps"]))


def read(folder):
    """{Run: row}. What is not a table of this program ends it: a run that is half a row would be lost among whole ones."""
    path, found = os.path.join(folder, "parity_runs.csv"), {}
    if not os.path.exists(path):
        return found
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != RUNS:
            fail(f"{path} has other columns than this program writes: name another folder, as in OUT=build/parity2", 4)
        for row in reader:
            try:
                run = run_of(row)
                for column in ("val_loss", "test_loss", "test_accuracy", "target_steps", "target_seconds", "seconds"):
                    number(row[column])
                good = None not in row.values() and row["schema_version"] == VERSION and run.arm in ARMS and run.role in ROLES and run.task in TASKS
            except (TypeError, ValueError):
                good = False
            if not good or run in found:
                fail(f"{path}, line {reader.line_num}, is no row of this program, or is there twice: remove it, and its model is trained again", 3)
            found[run] = row
    return found


def replace(path, columns, rows):
    """Writes the table beside, then gives it its name, so that there is always a whole one."""
    part = path + ".part"
    try:
        with open(part, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n", restval="")
            writer.writeheader()
            writer.writerows(rows)
        os.replace(part, path)
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}", 3)


def place(run):
    """In which order the grid has its models."""
    return TASKS.index(run.task), run.steps, run.role, run.seed, run.rate, ARMS.index(run.arm)


def write(folder, found):
    replace(os.path.join(folder, "parity_runs.csv"), RUNS, (found[run] for run in sorted(found, key=place)))


def row_of(run, target, got):
    row = dict.fromkeys(RUNS, "") | {"schema_version": VERSION, "task": run.task, "norm": run.arm.norm, "alpha0": shown(run.arm.alpha0), "rate": shown(run.rate),
           "role": run.role, "seed": shown(run.seed), "steps": shown(run.steps), "target_loss": shown(target)}
    return row | {column: shown(value) for column, value in got.items()}


# ---- Choosing and summing up

def loss_of(row, column):
    """A model that diverged has an infinite loss, which is the worst of any order."""
    value = number(row[column])
    return math.inf if value is None else value


def best_rate(found, task, arm, steps):
    """The rate of the least median loss on the part to choose by, over the seeds to choose by; None: not all of them are there."""
    losses = {rate: [loss_of(found[run], "val_loss") for seed in SELECTION if (run := Run(task, arm, rate, "selection", seed, steps)) in found]
              for rate in RATES}
    if any(len(of) < len(SELECTION) for of in losses.values()):
        return None
    return min(RATES, key=lambda rate: (median(losses[rate]), rate))


def between(values):
    """(median, low, high), the ends those of the 95 % interval by order statistics, None where the values are too few."""
    ordered, ends = sorted(values), ranks(len(values))
    return (median(ordered), *((ordered[end - 1] for end in ends) if ends else (None, None)))


def summary_row(found, runs, chosen):
    """Of models that differ in their seeds alone."""
    rows, first = [found[run] for run in runs], runs[0]
    row = dict.fromkeys(SUMMARY, "") | {"schema_version": VERSION, "task": first.task, "norm": first.arm.norm, "alpha0": shown(first.arm.alpha0), "rate": shown(first.rate),
           "role": first.role, "chosen": shown(int(chosen)), "seeds": shown(len(rows)), "steps": shown(first.steps),
           "target_loss": rows[0]["target_loss"], "reached": shown(sum(r["target_steps"] != "" for r in rows)),
           "diverged": shown(sum(r["diverged"] == "1" for r in rows)), "seconds": shown(median(float(r["seconds"]) for r in rows))}
    three = {"val_loss": [loss_of(r, "val_loss") for r in rows]}
    if first.role == "test":  # on the part that nothing was chosen by
        three["test_loss"] = [loss_of(r, "test_loss") for r in rows]
        three["test_accuracy"] = [float(r["test_accuracy"]) for r in rows]
        norm = [loss_of(own, "test_loss") - loss_of(other[0], "test_loss") for run, own in zip(runs, rows)
                if (other := [r for o, r in found.items() if (o.task, o.arm.norm, o.role, o.seed, o.steps) == (run.task, "layernorm", "test", run.seed, run.steps)])]
        if first.arm.norm != "layernorm" and len(norm) == len(rows):
            three["loss_change"] = norm
    for column, values in three.items():
        row |= {column + end: shown(value) for end, value in zip(("", "_lo95", "_hi95"), between(values))}
    for column in ("target_steps", "target_seconds"):
        row[column] = shown(median(loss_of(r, column) for r in rows))
    return row


def sum_up(folder, found):
    """Rows in the order of the arms, those of the seeds to choose by first."""
    rows = []
    for task, steps in sorted({(run.task, run.steps) for run in found}, key=lambda t: (TASKS.index(t[0]), t[1])):
        for role, arm, rate in product(ROLES, ARMS, RATES):
            runs = [run for run in found if run[:4] == (task, arm, rate, role) and run.steps == steps]
            if runs:
                runs.sort(key=lambda run: run.seed)
                rows.append(summary_row(found, runs, best_rate(found, task, arm, steps) == rate))
    replace(os.path.join(folder, "parity.csv"), SUMMARY, rows)
    return rows


def tell(rows):
    for task in TASKS:
        judged = [row for row in rows if row["task"] == task and row["role"] == "test"]
        if not judged:
            continue
        print(f"\nTask {task}, {judged[0]['steps']} steps: what {judged[0]['seeds']} seeds reach at the rate that others chose\n")
        print("| norm | rate | loss | accuracy, % | loss against layernorm's | loss of "
              f"{judged[0]['target_loss']} reached | after steps |\n| --- " + "| ---: " * 6 + "|")
        for row in judged:
            three = [[number(row[column + end]) for end in ("", "_lo95", "_hi95")] for column in ("test_loss", "test_accuracy", "loss_change")]
            three[1] = [None if value is None else 100 * value for value in three[1]]
            print("| " + " | ".join([named(row), row["rate"], *(interval(of) for of in three), f"{row['reached']} of {row['seeds']}",
                                     row["target_steps"] or "-"]) + " |")


def named(row):
    name = "none" if row["norm"] == "identity" else row["norm"]
    return f"{name}, alpha0 {row['alpha0']}" if row["alpha0"] else name


def interval(value):
    if value[0] is None:
        return "-"
    if value[1] is None or value[2] is None:
        return f"{value[0]:.3g}"
    digits = len(written(value).partition(".")[2]) + 1
    return f"{value[0]:.{digits}f} [{value[1]:.{digits}f}, {value[2]:.{digits}f}]"


# ---- Training

made = {}  # a process's tasks: their data are read once


def trained(run):
    import torch
    from parity_tasks import TASKS as tasks, train
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if run.task not in made:
        made[run.task] = tasks[run.task]()
    task = made[run.task]
    return run, row_of(run, task.target, train(task, run.arm, run.rate, run.seed, run.steps))


def train_all(folder, plan, found, jobs):
    """What of the plan is not there yet, each kept when it is done."""
    missing = [run for run in plan if run not in found]
    # An interrupt ends this process alone, which then ends the others.
    with multiprocessing.get_context("spawn").Pool(jobs, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        for done, (run, row) in enumerate(pool.imap_unordered(trained, missing), 1):
            found[run] = row
            write(folder, found)
            print(f"parity: {done} of {len(missing)}: {run.task}, {named(row)}, rate {shown(run.rate)}, seed {run.seed}: loss {row['val_loss'] or 'infinite'}",
                  file=sys.stderr, flush=True)


def check(tasks):
    """Ends the program unless what the tasks need is there."""
    try:
        import torch
        torch.nn.RMSNorm
    except (ImportError, AttributeError):
        fail("this Python has no PyTorch 2.4 or newer, which only `make parity` and `make peers` need; nothing was trained.\nInstall it, and "
             "name that Python:\n  python3 -m venv build/torch && build/torch/bin/pip install torch scikit-learn\n"
             "  make parity PYTHON=build/torch/bin/python3", 3)
    from parity_tasks import missing
    for task in tasks:
        if (why := missing(task)) is not None:
            fail(f"task {task} needs {why}; nothing was trained. TASK={TASKS[1 - TASKS.index(task)]} goes without it", 3)


def main():
    parser = argparse.ArgumentParser(prog="parity")
    parser.add_argument("folder")
    parser.add_argument("--task", default=",".join(TASKS))
    parser.add_argument("--quick", action="store_true", help="thirty steps, a rate and a seed: whether it works at all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--sum-up", action="store_true")
    options = parser.parse_args()
    tasks = options.task.split(",")
    if unknown := [task for task in tasks if task not in TASKS]:
        fail(f"there is no task {unknown[0]}: give {' or '.join(TASKS)}, or both with a comma")
    found = read(options.folder)
    if options.sum_up:
        if not found:
            fail(f"{options.folder} holds no parity_runs.csv: run make parity, which makes it")
        return tell(sum_up(options.folder, found))
    check(tasks)
    os.makedirs(options.folder, exist_ok=True)
    from parity_tasks import TASKS as made_of
    for task in tasks:
        steps = 30 if options.quick else made_of[task].steps
        rates, seeds = (RATES[:1], SELECTION[:1]) if options.quick else (RATES, SELECTION)
        plan = [Run(task, arm, rate, "selection", seed, steps) for seed, rate, arm in product(seeds, rates, ARMS)]
        train_all(options.folder, plan, found, options.jobs)
        judged = [Run(task, arm, best_rate(found, task, arm, steps) or rates[0], "test", seed, steps)
                  for seed, arm in product(TEST[:1] if options.quick else TEST, ARMS)]
        train_all(options.folder, plan + judged, found, options.jobs)
    return tell(sum_up(options.folder, found))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        fail("interrupted: what is trained is kept, and the same command goes on", 130)
