# SPDX-License-Identifier: MIT
# Norms of a tensor whose columns lie on many hosts, simulated: time against hosts, a panel for each bandwidth, and DyT's time over rmsnorm's
# below; a series for each op and latency, for DyT, which waits for nobody, one.
function figure(    i, k, p, s) {
    for (i = 1; i <= cells; i++)
        if (in_figure(i)) {
            number_of(cell[i, "bandwidth_gbs"] + 0, width_place, width, "widths")
            number_of(series_of(i), series_place, series, "series")
            op_of[series_place[series_of(i)]] = cell[i, "op"]
            where_from = cell[i, "rows"] "x" cell[i, "cols"] ", all-reduce " cell[i, "allreduce"]
        }
    if (!count["series"]) {
        print "no row was simulated with the columns of a row on several hosts"
        return
    }
    for (k = 1; k <= count["widths"]; k++)
        panel_of(width[k] " GB/s: time of a norm, us")
    for (k = 1; k <= count["widths"]; k++)
        panel_of(width[k] " GB/s: time over rmsnorm's")
    print "$data << END_OF_DATA"
    for (k = 1; k <= count["widths"]; k++)
        for (s = 1; s <= count["series"]; s++)
            print_series(width[k], s, "time_ns_median", 1000)
    for (k = 1; k <= count["widths"]; k++)
        for (s = 1; s <= count["series"]; s++)
            print_series(width[k], s, "ratio_to_rmsnorm", 1)
    print "END_OF_DATA"
    print_panels()
    print "widths = " count["widths"] "; series = " count["series"] "\narray label[" count["series"] "]\narray op[" count["series"] "]\narray turn[" count["series"] "]"
    for (s = 1; s <= count["series"]; s++) {
        print "label[" s "] = " quoted(series[s])
        print "op[" s "] = " quoted(op_of[s])
        print "turn[" s "] = " ++turns[op_of[s]]
    }
    print_looks()
    print_title("SIMULATED: a norm whose columns lie on many hosts", where_from "; each host one rank like machine " cell[1, "machine_id"])
}

function in_figure(i) { return cell[i, "simulated"] == 1 && cell[i, "split"] == "hidden" }
function number_of(key, place, list, what) {
    if (!(key in place)) {
        place[key] = ++count[what]
        list[count[what]] = key
    }
}
function series_of(i) { return cell[i, "op"] ", " cell[i, "latency_ns"] / 1000 " us" }
function print_series(bandwidth, s, column, unit,    i) {
    for (i = 1; i <= cells; i++)
        if (in_figure(i) && cell[i, "bandwidth_gbs"] + 0 == bandwidth && series_place[series_of(i)] == s)
            print as_number(cell[i, "ranks"]), as_number(cell[i, column]) / unit
    print "NaN NaN\n\n"
}
