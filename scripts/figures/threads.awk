# SPDX-License-Identifier: MIT
# Elements per nanosecond against threads at the best level: every shape that was measured at two thread counts or more, at most
# six panels, forward f32 first.
function figure(    i, key, best, counts, seen, wanted, order, s) {
    mark_best(best)
    for (i = 1; i <= cells; i++) {
        if (!in_figure(i, best) || ((group_of(i), cell[i, "threads"]) in seen))
            continue
        seen[group_of(i), cell[i, "threads"]] = 1
        counts[group_of(i)]++
    }
    for (wanted = 1; wanted <= kind_ranks(); wanted++)
        for (i = 1; i <= cells; i++)
            if (in_figure(i, best) && counts[group_of(i)] >= 2 && panels < 6 && kind_rank(i) == wanted)
                panel_of(group_of(i))
    if (!panels) {
        print "no shape was measured in form fused with more than one number of threads"
        return
    }
    for (i = 1; i <= cells; i++) {
        if (!in_figure(i, best) || !(group_of(i) in panel_number))
            continue
        s = op_rank(cell[i, "op"])
        shown[s] = 1
        note(level_seen, level_list, cell[i, "level"])
        add_point(panel_of(group_of(i)), s, cell[i, "threads"], i, 1)
        if (!(cell[i, "threads"] in tick)) {
            tick[cell[i, "threads"]] = 1
            axis = axis (axis == "" ? "" : ", ") as_number(cell[i, "threads"])
            if (cell[i, "threads"] + 0 > most)
                most = cell[i, "threads"] + 0
        }
    }
    print_points(op_count())
    print_op_series()
    print "most = " most
    print "set xtics (" axis ")"
    print_title("Throughput by number of threads, with 95 % intervals",
                "fused, " best_levels() "; dashed: identity, which only moves the bytes, is the ceiling")
}

function in_figure(i, best) {
    return cell[i, "form"] == "fused" && best[i] && is_main(i)
}
function group_of(i) {
    return shape(i) ", " kind(i) ", " cell[i, "placement"] ", " cell[i, "cache"]
}
