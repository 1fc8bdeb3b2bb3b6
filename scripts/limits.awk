# SPDX-License-Identifier: MIT
# What the kernels reach of what they should, by the goals in limits.csv and the kernels.csv of several runs:
#     awk -f csv.awk -f limits.awk limits.csv TABLE RUN...          RUN: a folder of folders that each hold a kernels.csv
# Every time is the least of its run, of the variant and its twin with the other stores, whichever is faster, so that an op is held against
# what the machine does best (cycles alone are a median, of the faster of the two); groups that were measured apart are compared by it, which medians would not bear. A goal is reached if two
# thirds of the runs reach it. Writes TABLE as CSV and prints it in words, with what is known to bound a goal that is not reached.
BEGIN {
    goals = csv_read(ARGV[1], goal, names)
    if (goals < 1) {
        print "limits: " ARGV[1] " is no table of goals" >"/dev/stderr"
        exit 3
    }
    runs = ARGC - 3
    for (r = 1; r <= runs; r++)
        take(r, ARGV[r + 2])
    print "schema_version,op,variant,dtype,pass,rows,cols,threads,measure,sense,goal,reached,reached_lo,reached_hi,runs,verdict,level" >ARGV[2]
    for (g = 1; g <= goals; g++)
        judge(g)
    printf "%d reached, %d not, %d without data; least times of %d runs, [lowest, highest] over them\n", count["reached"], count["not reached"],
        count["no data"], runs
}

# The least times of a run: least[run, op, variant without its stores, dtype, pass, shape, threads], and the bytes that each moves.
function take(r, folder,    command, path, cell, names, rows, i, variant, key) {
    gsub(/'/, "'\\''", folder) # one word of the shell, whatever it is called
    command = "ls -d '" folder "'/*/kernels.csv 2>/dev/null"
    while ((command | getline path) > 0) {
        delete cell
        rows = csv_read(path, cell, names)
        if (rows < 0)
            print "limits: " csv_error >"/dev/stderr"
        for (i = 1; i <= rows; i++) {
            if (cell[i, "time_ns_min"] == "" || cell[i, "form"] != "fused" || cell[i, "cache"] != "warm")
                continue
            variant = cell[i, "variant"]
            sub(/_nt$/, "", variant)
            key = cell[i, "op"] SUBSEP variant SUBSEP cell[i, "dtype"] SUBSEP cell[i, "pass"] SUBSEP cell[i, "rows"] "x" cell[i, "cols"] \
                SUBSEP cell[i, "threads"]
            keep(r, key, cell[i, "time_ns_min"] + 0, cell[i, "bytes_per_element"], cell[i, "cycles_per_element"])
            keep(r, key SUBSEP cell[i, "level"], cell[i, "time_ns_min"] + 0, cell[i, "bytes_per_element"], cell[i, "cycles_per_element"])
            if (cell[i, "threads"] + 0 > most_threads)
                most_threads = cell[i, "threads"] + 0
        }
    }
    close(command)
}

# Of any level, and of each.
function keep(r, key, ns, bytes_per_element, cycles_per_element) {
    if ((r, key) in least && ns >= least[r, key])
        return
    least[r, key] = ns
    bytes[key] = bytes_per_element
    cycles[r, key] = cycles_per_element
}

function variant_of(op, variant) {
    return variant != "" ? variant : op == "layernorm" ? "onepass" : op == "dyt" || op == "derf" ? "u2" : "std"
}

function judge(g,    against, threads, place, own, other, r, n, good, value, lo, hi, values, middle, verdict, shape, text) {
    threads = goal[g, "threads"] == "cores" ? most_threads : goal[g, "threads"]
    place = goal[g, "dtype"] SUBSEP goal[g, "pass"] SUBSEP goal[g, "shape"] SUBSEP threads (goal[g, "level"] == "" ? "" : SUBSEP goal[g, "level"])
    own = goal[g, "op"] SUBSEP variant_of(goal[g, "op"], goal[g, "variant"]) SUBSEP place
    split(goal[g, "against"], against, "/") # op, or op/variant
    other = against[1] SUBSEP variant_of(against[1], against[2]) SUBSEP place
    for (r = 1; r <= runs; r++) {
        if (!((r, own) in least) || (goal[g, "against"] == "" ? cycles[r, own] == "" : !((r, other) in least)))
            continue
        # Speed is in bytes a second: a backward pass moves more of them than identity.
        if (goal[g, "against"] == "")
            value = cycles[r, own]
        else
            value = goal[g, "measure"] ~ /^speed/ ? least[r, other] / least[r, own] * bytes[own] / bytes[other] : least[r, own] / least[r, other]
        values[++n] = value
        good += goal[g, "sense"] == "at least" ? value >= goal[g, "goal"] : value <= goal[g, "goal"]
        lo = n == 1 || value < lo ? value : lo
        hi = n == 1 || value > hi ? value : hi
    }
    middle = n ? median(values, n) : ""
    verdict = !n ? "no data" : 3 * good >= 2 * n ? "reached" : "not reached"
    count[verdict]++
    split(goal[g, "shape"], shape, "x")
    print "1," goal[g, "op"] "," variant_of(goal[g, "op"], goal[g, "variant"]) "," goal[g, "dtype"] "," goal[g, "pass"] "," shape[1] "," shape[2] "," \
        threads "," csv_field(goal[g, "measure"]) "," goal[g, "sense"] "," goal[g, "goal"] "," shown(middle) "," shown(lo) "," shown(hi) "," n + 0 \
        "," verdict "," goal[g, "level"] >ARGV[2]
    text = sprintf("%s %s %s %s%s %s, %d thread%s", goal[g, "op"], variant_of(goal[g, "op"], goal[g, "variant"]), goal[g, "dtype"],
                   goal[g, "level"] (goal[g, "level"] == "" ? "" : " "), goal[g, "pass"], goal[g, "shape"], threads, threads == 1 ? "" : "s")
    printf "%-52s %-18s %-8s %-5s  %-22s %s\n", text, goal[g, "measure"], goal[g, "sense"], goal[g, "goal"],
        n ? shown(middle) " [" shown(lo) ", " shown(hi) "]" : "", verdict
    if (verdict == "not reached" && goal[g, "bound"] != "")
        printf "    %s\n", goal[g, "bound"]
}

function shown(value) { return value == "" ? "" : sprintf("%.3g", value) }
function median(values, n,    i, j, t) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && values[j] < values[j - 1]; j--) {
            t = values[j]
            values[j] = values[j - 1]
            values[j - 1] = t
        }
    return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
}
