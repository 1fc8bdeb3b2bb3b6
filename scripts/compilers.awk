# SPDX-License-Identifier: MIT
# Prints a table of `normbench ab`, ab.csv (-v table=...), as ratios of times, the slowest row first, and what they come to. Beside csv.awk.
BEGIN {
    rows = csv_read(table, cell, names)
    if (rows < 0) {
        print "compilers: " csv_error > "/dev/stderr"
        exit 3
    }
    for (i = 1; i <= rows; i++) {
        if (cell[i, "role"] != "row")
            continue
        if (cell[i, "change_pct"] == "") {
            missing++
            continue
        }
        for (at = ++count; at > 1 && cell[order[at - 1], "change_pct"] + 0 < cell[i, "change_pct"] + 0; at--)
            order[at] = order[at - 1]
        order[at] = i
    }
    print " ratio [95 % interval]  row"
    for (at = 1; at <= count; at++)
        say(order[at])
    sum("written by hand", 0)
    sum("auto_*, what a compiler makes of plain loops", 1)
    if (missing)
        printf "%d row%s not measured.\n", missing, missing == 1 ? " was" : "s were"
}

function ratio(percent) { return percent == "" ? "?" : sprintf("%.3f", 1 + percent / 100) }

function say(i) {
    printf "%6s [%5s, %5s]  %s/%s %s %s %s %s %sx%s\n", ratio(cell[i, "change_pct"]), ratio(cell[i, "change_lo95"]), ratio(cell[i, "change_hi95"]),
        cell[i, "op"], cell[i, "variant"], cell[i, "pass"], cell[i, "form"], cell[i, "level"], cell[i, "dtype"], cell[i, "rows"], cell[i, "cols"]
}

# Of the levels that the compiler vectorises itself, or of the others: the median, and how many differ by more than a tenth.
function sum(title, automatic,    at, n, beyond, middle) {
    n = beyond = 0
    for (at = 1; at <= count; at++)
        if ((cell[order[at], "level"] ~ /^auto_/) == automatic) {
            kept[++n] = cell[order[at], "change_pct"] + 0
            beyond += kept[n] > 10 || kept[n] < -10 / 1.1
        }
    if (!n)
        return
    middle = n % 2 ? kept[(n + 1) / 2] : (kept[n / 2] + kept[n / 2 + 1]) / 2
    printf "%s: %d row%s, median %s, from %s to %s; %d beyond 10 %%.\n", title, n, n == 1 ? "" : "s", ratio(middle), ratio(kept[n]), ratio(kept[1]), beyond
}
