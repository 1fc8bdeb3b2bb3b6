# SPDX-License-Identifier: MIT
"""normbench on every partition of a site, through its scheduler: a test for ReFrame 4 (pip install ReFrame-HPC; docs/fleet.md).

    reframe -C SITE.py -c scripts/reframe/normbench.py -r -n NormbenchKernels -S budget=120s

Each row of the run's table becomes a performance variable, as a ratio: times of two machines are never held together. -S reference_run=DIR
takes a run of the same partition as the reference: a ratio beyond the intervals of both runs, and `tolerance` besides, fails.
"""
import csv
import os

import reframe as rfm
import reframe.utility.sanity as sn

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROW = ["op", "variant", "pass", "form", "level", "dtype", "shape", "threads", "placement", "cache", "model", "phase", "part", "stage", "depth"]


def read_table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def row_name(row):
    """As `normbench export` names it."""
    row = {**row, "shape": f"{row['rows']}x{row['cols']}"}
    return "/".join(row[column] for column in ROW if row.get(column))


class Normbench(rfm.RunOnlyRegressionTest):
    """One command of normbench, which leaves its run in the stage folder, in `run`."""
    program = variable(str, value="")  # of a normbench that is built; else this checkout's commit is built on the partition, by its compiler
    options = variable(str, value="")  # more options of the command
    reference_run = variable(str, value="")  # the folder of an earlier run
    tolerance = variable(float, value=0.05)
    # Set below: the table of the run, and of a ratio its column and those of its 95 % interval, and what it is of.
    table, column, lower, upper, unit = "", "", "", "", ""

    valid_systems = ["*"]
    valid_prog_environs = ["*"]
    sourcesdir = None
    time_limit = "1h"
    ends = [0]

    @run_before("run")
    def prepare(self):
        self.executable = self.program
        if not self.program:
            make = f"make -C normbench -j CC={self.current_environ.cc} all lib"
            self.prerun_cmds = [f"git clone --quiet '{ROOT}' normbench", make]
            self.executable = "normbench/build/normbench"
        self.executable_opts = [*self.command(), *self.options.split(), "--out", "run"]
        # Its status, for a scheduler may lose it.
        self.postrun_cmds = ["echo normbench ended with $?"]

    @sanity_function
    def has_measured(self):
        ended = sn.extractsingle(r"^normbench ended with (\d+)$", self.stdout, 1, int)
        return sn.all([sn.assert_in(ended, self.ends, "normbench ended with {0}, expected one of {1}: see its standard error"),
                       sn.assert_true(os.path.isfile(os.path.join(self.stagedir, "run", self.table)), f"there is no run/{self.table}")])

    def rows_of(self, folder):
        """By name, what was measured and is judged: a gate has rows besides that only show how well it measures."""
        table = read_table(os.path.join(folder, self.table))
        return {row_name(r): r for r in table if r[self.column] and r.get("role", "row") == "row"}

    @run_before("performance")
    def rows_as_variables(self):
        measured = self.rows_of(os.path.join(self.stagedir, "run"))
        earlier = self.rows_of(self.reference_run) if self.reference_run else {}
        references = {}
        for name, row in measured.items():
            value = float(row[self.column])
            self.perf_variables[name] = sn.make_performance_function(sn.defer(value), self.unit)
            if name in earlier:
                references[name] = self.reference_of(row, earlier[name])
        if references:
            self.reference = {self.current_partition.fullname: references}

    def reference_of(self, row, before):
        """What ReFrame wants of a reference: its value, and how far below and above of it, in parts, is well."""
        value = float(before[self.column])
        ends = [(float(before[end] or value) - value, float(row[end] or row[self.column]) - float(row[self.column])) for end in (self.lower, self.upper)]
        below, above = (abs(old) + abs(new) for old, new in ends)
        size = abs(value) or 1.0
        return value, max(-1.0, -(below / size + self.tolerance)), above / size + self.tolerance, self.unit


@rfm.simple_test
class NormbenchKernels(Normbench):
    """Kernels: each one's time over that of RMSNorm."""
    preset = variable(str, value="quick")
    budget = variable(str, value="60s")
    table, column, lower, upper, unit = "kernels.csv", "ratio_to_rmsnorm", "ratio_lo95", "ratio_hi95", "of rmsnorm"

    def command(self):
        return ["kernels", "--preset", self.preset, "--budget", self.budget]


@rfm.simple_test
class NormbenchLayers(Normbench):
    """Layers: what part of each its norms take."""
    preset = variable(str, value="quick")
    budget = variable(str, value="120s")
    table, column, lower, upper, unit = "layers.csv", "norm_share", "norm_share_lo95", "norm_share_hi95", "of the layer"

    def command(self):
        return ["layers", "--preset", self.preset, "--budget", self.budget]


@rfm.simple_test
class NormbenchGate(Normbench):
    """The gate: whether kernels are slower than those of another library or commit. A slower one fails the test, with normbench's own words."""
    base = variable(str, value="git:origin/main")
    candidate = variable(str, value="")
    budget = variable(str, value="6m")
    table, column, lower, upper, unit = "ab.csv", "change_pct", "change_lo95", "change_hi95", "%"

    def command(self):
        return ["ab", self.base, self.candidate or "normbench/build/gcc/libnorm.a", "--budget", self.budget]
