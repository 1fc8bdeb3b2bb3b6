# SPDX-License-Identifier: MIT
# Roofline of every op, fused f32 at the best level: operations per second against operations per byte, one panel for each pass, on one
# thread and on the most, under the FMA peak of the run and under what identity moves where the data fit L1, L2 or no cache.
function figure(    i, k, best, s, place, panel, n) {
    mark_best(best)
    for (i = 1; i <= cells; i++)
        if (in_figure(i, best) && cell[i, "threads"] > team_max)
            team_max = cell[i, "threads"] + 0
    # What stands for a place in the memory hierarchy is the shape, and in memory the kind of stores, with most ops; of these the largest,
    # with its results stored past the caches.
    for (i = 1; i <= cells; i++)
        if (in_figure(i, best))
            held[team(i), place_of(i), kept(i)]++
    for (i = 1; i <= cells; i++) {
        if (!in_figure(i, best) || !(place = place_of(i)))
            continue
        n = held[team(i), place, kept(i)] * 1e15 + 2 * working_set(i) + is_streamed(i) # exact: at most eight ops
        if (n > most[team(i), place]) {
            most[team(i), place] = n
            chosen[team(i), place] = kept(i)
        }
    }
    for (k = 1; k >= 0; k--) # forward first
        for (i = 1; i <= cells; i++)
            if (is_chosen(i, best) && (rank("pass", cell[i, "pass"]) == 1) == k && cell[i, "operations_per_element"] > 0)
                panel_of(team(i))
    if (!panels) {
        print "no row has operations_per_element and peak_gflops, which a run of an earlier version lacks"
        return
    }
    for (i = 1; i <= cells; i++) {
        if (!is_chosen(i, best) || !(team(i) in panel_number))
            continue
        panel = panel_of(team(i))
        place = place_of(i)
        if (cell[i, "op"] == "identity") {
            bandwidth[panel, place] = cell[i, "bytes_per_element"] / cell[i, "ns_per_element"]
            continue
        }
        note(level_seen, level_list, cell[i, "level"])
        if (cell[i, "peak_gflops"] > peak[panel])
            peak[panel] = cell[i, "peak_gflops"] + 0
        s = op_rank(cell[i, "op"])
        shown[s] = 1
        if (cell[i, "status"] == "unstable")
            unstable = 1
        dots[panel, s] = dots[panel, s] sprintf("%.6g %.6g %d %d\n", cell[i, "operations_per_element"] / cell[i, "bytes_per_element"],
            cell[i, "operations_per_element"] / cell[i, "ns_per_element"], place, cell[i, "status"] == "unstable")
    }
    print "$data << END_OF_DATA"
    for (panel = 1; panel <= panels; panel++)
        for (s = 1; s <= op_count(); s++)
            print ((panel, s) in dots ? dots[panel, s] : "NaN NaN NaN 0\n") "\n"
    print "END_OF_DATA"
    print_op_series()
    print "places = 3\narray place_label[3] = ['L1', 'L2', 'memory']\narray peak[" panels "]\narray bandwidth[" 3 * panels "]"
    for (panel = 1; panel <= panels; panel++) {
        print "peak[" panel "] = " peak[panel]
        for (place = 1; place <= 3; place++)
            print "bandwidth[" (panel - 1) * 3 + place "] = " ((panel, place) in bandwidth ? bandwidth[panel, place] : 0)
    }
    print_panels()
    print_title("Operations per second against operations per byte, under this machine's ceilings",
                "fused f32, " best_levels() ", placement cores, warm; level lines: FMA peak; slopes: what identity moves, same shape and stores")
}

# A row that a team shares shows what a team costs, not what a cache gives.
function in_figure(i, best) {
    return cell[i, "rows"] + 0 >= cell[i, "threads"] + 0 && cell[i, "form"] == "fused" && cell[i, "dtype"] == "f32" && cell[i, "cache"] == "warm" && cell[i, "placement"] == "cores" && best[i] &&
        is_whole(i) && (!is_streamed(i) || place_of(i) == 3) && (cell[i, "op"] == "identity" || cell[i, "operations_per_element"] != "") &&
        cell[i, "peak_gflops"] > 0
}
function is_chosen(i, best) { return in_figure(i, best) && place_of(i) && chosen[team(i), place_of(i)] == kept(i) && (cell[i, "threads"] == 1 || cell[i, "threads"] == team_max) }
function kept(i) { return shape(i) (is_streamed(i) ? " past the caches" : "") }
function team(i) { return cell[i, "pass"] ", " plural(cell[i, "threads"], "thread") }

# Bytes of the tensors that a pass touches: x and y forward; x, dy and dx backward.
function working_set(i) { return cell[i, "rows"] * cell[i, "cols"] * 4 * (cell[i, "pass"] == "forward" ? 2 : 3) }

# 1 where a thread's share fits its L1, 2 where it fits its L2, 3 where all exceed the last-level cache; 0 between, where neighbours share.
function place_of(i,    share, last) {
    share = working_set(i) / cell[i, "threads"]
    last = meta("l3") == "" ? meta("l2") : meta("l3")
    return share <= meta("l1d") + 0 ? 1 : share <= meta("l2") + 0 ? 2 : working_set(i) > last + 0 ? 3 : 0
}
