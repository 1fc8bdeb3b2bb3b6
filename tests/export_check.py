# SPDX-License-Identifier: MIT
# What `normbench export` writes, held against the format's own definition and against the table that it is made from, by a reader that
# takes nothing else: export_check.py FORMAT FILE RUN... Ends with 1 and what is wrong.
import csv
import json
import math
import re
import statistics
import sys

NAMES = ["op", "variant", "pass", "form", "level", "dtype", "rows", "threads", "placement", "cache", "model", "phase", "batch",
         "tokens", "context", "part", "depth", "stage", "repeats"]
COUNTED = {"batch", "tokens", "context", "depth", "stage", "repeats"}


def name_of(row, keyed=False):
    words = []
    for column in NAMES:
        value = row.get(column, "")
        if column == "rows":
            value = f"{value}x{row['cols']}"
        if value:
            said = "shape" if column == "rows" else column
            words.append(f"{said}={value}" if keyed else (column if column in COUNTED else "") + value)
    return "/".join(words)


def table(path):
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        return []


class Run:
    """Times by name: the median, its interval, and what each launch found."""

    def __init__(self, folder):
        self.times, self.launches, self.keyed = {}, {}, {}
        for row in table(f"{folder}/kernels.csv") + table(f"{folder}/layers.csv"):
            if row["status"] not in ("ok", "unstable"):
                continue
            self.run_id, self.commit = row["run_id"], row["git_commit"]
            for stem, what in (("time_ns", ""), ("norm_time_ns", "/norm_time")):
                ends = [row.get(f"{stem}_{end}", "") for end in ("median", "lo95", "hi95")]
                if ends[0]:
                    self.times[name_of(row) + what] = [float(end) if end else None for end in ends]
                    self.keyed[name_of(row) + what] = name_of(row, True) + ("/what=norms" if what else "")
        for row in table(f"{folder}/samples.csv"):
            self.launches.setdefault(name_of(row), {}).setdefault(row["launch"], []).append(float(row["time_ns"]))
        self.launches = {name: [statistics.median(v) for v in of.values()] for name, of in self.launches.items()}

    def values(self, name):
        return self.launches.get(name) or [self.times[name][0]]


def need(condition, what):
    if not condition:
        sys.exit(f"export_check: {what}")


def close(a, b, digits=1e-5):
    return abs(a - b) <= digits * abs(b)


def six_digits(a, b):
    return a == b or abs(a - b) <= 0.50001 * 10 ** (math.floor(math.log10(abs(b))) - 5)


def refuse(text):
    raise ValueError(f"{text} is no JSON")


def pairs_once(pairs):
    need(len({key for key, _ in pairs}) == len(pairs), "a key stands twice in an object")
    return dict(pairs)


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file, parse_constant=refuse, object_pairs_hook=pairs_once)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


# https://bencher.dev/bmf.json, draft-07
def bencher(path, run):
    found = read_json(path)
    need(list(found) == sorted(run.times), "not the names of the table, in their order")
    for name, measures in found.items():
        need(0 < len(name) <= 1024, f"{name}: a name has at most 1024 letters")
        need(list(measures) == ["latency"], f"{name}: not the one measure")
        metric = measures["latency"]
        need(set(metric) <= {"value", "lower_value", "upper_value"} and all(map(is_number, metric.values())), f"{name}: no metric")
        need([metric.get(k) for k in ("value", "lower_value", "upper_value")] == run.times[name], f"{name}: {metric}")


# BenchmarkResult of github-action-benchmark's src/extract.ts
def github_action_benchmark(path, run):
    found = read_json(path)
    need([e["name"] for e in found] == sorted(run.times), "not the names of the table, in their order")
    for e in found:
        need(set(e) <= {"name", "unit", "value", "range", "extra"} and is_number(e["value"]), f"{e}: no result")
        need(e["unit"] == "ns" and all(isinstance(e[k], str) for k in e if k != "value"), f"{e}: no texts")
        median, low, high = run.times[e["name"]]
        need(e["value"] == median, f"{e}: not the median")
        half = float(e["range"].removeprefix("\u00b1 "))
        need(close(half, max(high - median, median - low), 0.06), f"{e}: not the interval's wider side")


# json_schema_version 1 of Google Benchmark's src/json_reporter.cc
def google_benchmark(path, run):
    found = read_json(path)
    need(set(found) == {"context", "benchmarks"}, "not its two parts")
    context = found["context"]
    for key in ("date", "host_name", "executable", "num_cpus", "mhz_per_cpu", "cpu_scaling_enabled", "caches", "load_avg",
                "library_build_type", "json_schema_version"):
        need(key in context, f"context has no {key}")
    need(context["json_schema_version"] == 1 and context["run_id"] == run.run_id, "another version or run")
    for cache in context["caches"]:
        need(set(cache) == {"type", "level", "size", "num_sharing"}, f"{cache}: no cache")
    rest = iter(found["benchmarks"])
    for family, name in enumerate(sorted(run.times)):
        values = run.values(name)
        for index, value in enumerate(values):
            e = next(rest)
            need((e["name"], e["run_name"], e["run_type"]) == (name, name, "iteration"), f"{e}: not {name}")
            need((e["family_index"], e["repetitions"], e["repetition_index"]) == (family, len(values), index), f"{e}: not its place")
            need(isinstance(e["iterations"], int) and e["iterations"] > 0 and e["time_unit"] == "ns", f"{e}: no count")
            need(close(e["real_time"], value) and e["cpu_time"] == e["real_time"], f"{e}: not {value}")
        if name in run.launches:
            e = next(rest)
            need((e["run_type"], e["aggregate_name"], e["name"]) == ("aggregate", "median", name + "_median"), f"{e}: no median")
            need([e["real_time"], e["lo95_ns"], e["hi95_ns"]] == run.times[name], f"{e}: not the interval")
    need(next(rest, None) is None, "more benchmarks than times")


# golang.org/design/14313-benchmark-format
LINE = re.compile(r"(Benchmark[A-Z][^\s]*)-([1-9][0-9]*) ([1-9][0-9]*) ([0-9]+(?:\.[0-9]+)?) ns/op")
KEY = re.compile(r"[a-z][^\sA-Z:]*: [^\s].*")


def benchstat(path, *runs):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    need(lines[-1] == "", "the last line has no end")
    settings, found = {}, {}
    for line in lines:
        if line.startswith("Benchmark"):
            match = LINE.fullmatch(line)
            need(match, f"no line of Go's format: {line}")
            found.setdefault(settings["run"], {}).setdefault(match[1], []).append(float(match[4]))
        elif line:
            need(KEY.fullmatch(line), f"no setting: {line}")
            settings.update([line.split(": ", 1)])
    need(list(found) == [run.run_id for run in runs], "not these runs in their order")
    for run in runs:
        need(set(found[run.run_id]) == {"BenchmarkNorm/" + k for k in run.keyed.values()}, "not the names of the table")
        for name, keyed in run.keyed.items():
            values = found[run.run_id]["BenchmarkNorm/" + keyed]
            need(len(values) == len(run.values(name)) and all(map(close, values, run.values(name))), f"{name}: {values}")


# CsvImporter of Apache Otava's otava/importer.py
def otava(path, *runs):
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    common = sorted(set.intersection(*(set(run.times) for run in runs)))
    need(header == ["time", "run_id", "commit"] + common, "not the names that all runs have, in their order")
    need([row[1:3] for row in rows] == [[run.run_id, run.commit] for run in runs], "not these runs in their order")
    for run, row in zip(runs, rows):
        need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row[0]), f"{row[0]} is no time")
        need([float(value) for value in row[3:]] == [run.times[name][0] for name in common], f"{run.run_id}: other values")


def otava_config(path, *runs):
    found = read_json(path)
    test = found["tests"]["normbench"]
    need((test["type"], test["file"], test["time_column"]) == ("csv", "normbench.csv", "time"), f"no test of that CSV: {test}")
    common = sorted(set.intersection(*(set(run.times) for run in runs)))
    need(test["metrics"] == {name: {"column": name, "direction": -1, "scale": 1} for name in common}, "not a metric for each column")


# What pytest-benchmark 5 has of its rounds, as its stats.py reckons it.
def rounds(values):
    n, mean = len(values), statistics.fmean(values)
    deviation = statistics.stdev(values) if n > 1 else 0.0
    k = n // 4
    if n == 1:
        q1 = q3 = values[0]
    elif n % 2 == 0:
        q1, q3 = statistics.median(values[:n // 2]), statistics.median(values[n // 2:])
    elif n % 4 == 1:
        q1, q3 = 0.25 * values[k - 1] + 0.75 * values[k], 0.75 * values[3 * k] + 0.25 * values[3 * k + 1]
    else:
        q1, q3 = 0.75 * values[k] + 0.25 * values[k + 1], 0.25 * values[3 * k + 1] + 0.75 * values[3 * k + 2]
    within = [v for v in values if q1 - 1.5 * (q3 - q1) <= v <= q3 + 1.5 * (q3 - q1)]
    beyond = sum(abs(v - mean) > deviation for v in values), n - len(within)
    return {"min": values[0], "max": values[-1], "mean": mean, "median": statistics.median(values), "total": sum(values), "ops": n / sum(values),
            "stddev": deviation, "q1": q1, "q3": q3, "iqr": q3 - q1, "ld15iqr": within[0], "hd15iqr": within[-1], "stddev_outliers": beyond[0],
            "iqr_outliers": beyond[1], "outliers": f"{beyond[0]};{beyond[1]}"}


def pytest_benchmark(path, run):
    found = read_json(path)
    need(set(found) == {"machine_info", "commit_info", "benchmarks", "datetime", "version"}, "not its parts")
    need(found["commit_info"]["id"] == run.commit, "another commit")
    need([b["fullname"] for b in found["benchmarks"]] == sorted(run.times), "not the names of the table, in their order")
    for b in found["benchmarks"]:
        need(set(b) == {"group", "name", "fullname", "params", "param", "extra_info", "options", "stats"}, f"{b}: no benchmark")
        stats, values = b["stats"], sorted(1e-9 * value for value in run.values(b["fullname"]))
        need(stats["rounds"] == len(values) and all(map(close, stats["data"], values)), f"{b['name']}: not its launches")
        need(stats["iterations"] > 0, f"{b['name']}: no calls")
        for key, value in rounds(values).items():
            right = six_digits(stats[key], value) if isinstance(value, float) else stats[key] == value
            need(right, f"{b['name']}: {key} is {stats[key]}, not {value}")


# asv/results.py, version 2
def asv(path, run):
    found = read_json(path)
    need(found["version"] == 2 and found["commit_hash"] == run.commit and isinstance(found["date"], int), "not its head")
    need(list(found["results"]) == sorted(run.times), "not the names of the table, in their order")
    for name, values in found["results"].items():
        row = dict(zip(found["result_columns"], values))
        need(close(row["result"][0], 1e-9 * run.times[name][0]) and row["params"] == [], f"{name}: {row}")
        if name in run.launches:
            launches = sorted(1e-9 * value for value in run.launches[name])
            need(all(map(close, row["samples"][0], launches)) and row["stats_repeat"] == [len(launches)], f"{name}: not its launches")
            need(0 <= row["stats_ci_99_a"][0] <= row["result"][0] <= row["stats_ci_99_b"][0], f"{name}: no interval")
        else:
            need("samples" not in row, f"{name}: samples that the run lacks")


check = {"pytest-benchmark": pytest_benchmark, "asv": asv, "bencher": bencher, "github-action-benchmark": github_action_benchmark, "google-benchmark": google_benchmark,
         "benchstat": benchstat, "otava": otava, "otava-config": otava_config}
check[sys.argv[1]](sys.argv[2], *map(Run, sys.argv[3:]))
