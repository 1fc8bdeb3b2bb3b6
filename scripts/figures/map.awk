# SPDX-License-Identifier: MIT
# DyT over RMSNorm for every shape, at the best level: the conditions under which most shapes were measured, one panel for each pass
# and dtype.
function figure(    i, group, best, cells_of, p, value, most, sorted_rows, sorted_cols, label) {
    mark_best(best)
    for (i = 1; i <= cells; i++) {
        if (in_figure(i, best))
            vote(conditions(i), cell[i, "cache"] == "warm" ? 1.5 : 1)
    }
    group = winner()
    for (i = 1; i <= cells; i++)
        if (in_figure(i, best) && conditions(i) == group)
            cells_of[kind(i)]++
    for (i = 1; i <= cells; i++) {
        if (!in_figure(i, best) || conditions(i) != group || cells_of[kind(i)] < 2)
            continue
        panel_of(kind(i) ", " cell[i, "level"])
        note(rows_seen, row_list, cell[i, "rows"])
        note(cols_seen, col_list, cell[i, "cols"])
    }
    if (!panels) {
        print "no pass and dtype has the ratio of dyt (u2, fused, best level) to rmsnorm for two shapes"
        return
    }
    sorted_rows = sort(row_list, row_place)
    sorted_cols = sort(col_list, col_place)
    most = 0.25
    for (i = 1; i <= cells; i++) {
        if (!in_figure(i, best) || conditions(i) != group || cells_of[kind(i)] < 2)
            continue
        p = panel_of(kind(i) ", " cell[i, "level"])
        value = log(cell[i, "ratio_to_rmsnorm"]) / log(2)
        if (value > most || -value > most)
            most = value < 0 ? -value : value
        label = sprintf("%.2f", cell[i, "ratio_to_rmsnorm"])
        if (cell[i, "status"] == "unstable") {
            label = label "*"
            unstable = 1
        }
        tiles[p] = tiles[p] sprintf("%d %d %.5g %d %s\n", col_place[cell[i, "cols"]], row_place[cell[i, "rows"]], value,
                                    holds_one(i), label)
    }
    print "$data << END_OF_DATA"
    for (p = 1; p <= panels; p++)
        print tiles[p] "\n"
    print "END_OF_DATA"
    print_panels()
    print "most = " most
    print "tile_rows = " sorted_rows "; tile_cols = " sorted_cols
    print "set ytics (" axis_of(row_place) ")"
    print "set xtics (" axis_of(col_place) ")"
    print_title("DyT (u2) time / RMSNorm time: below 1 (blue) DyT wins, above 1 (orange) it loses",
                "grey: the 95 % interval holds 1; fused, regular stores (others: figure stores), best level, " group)
}

function in_figure(i, best) {
    return cell[i, "op"] == "dyt" && cell[i, "form"] == "fused" && best[i] && is_main(i) && cell[i, "ratio_to_rmsnorm"] > 0
}

# Without an interval nothing is known to differ from 1.
function holds_one(i) {
    return cell[i, "ratio_lo95"] == "" || cell[i, "ratio_hi95"] == "" || (cell[i, "ratio_lo95"] <= 1 && cell[i, "ratio_hi95"] >= 1)
}
