# SPDX-License-Identifier: MIT
# Our best level beside other libraries, time per element: oneDNN from the run itself, PyTorch from its folder peers, where `make peers` left
# one, and ours from there, too, where it was timed in PyTorch's rounds. A panel for each shape, dtype and team that both were measured at,
# forward on warm caches; at most six, f32 first.
function figure(    i, own, s, wanted, best, ours, theirs, place, count) {
    own = cells
    mark_best(best)
    take_measured(run "/peers/kernels.csv", "ns_per_element")
    for (i = own + 1; i <= cells; i++) {
        best[i] = cell[i, "level"] != "library"
        if (series_of(i, best[i]) == 1)
            paired[group_of(i)] = any_paired = 1
    }
    for (i = 1; i <= own; i++) # the same two times would be two points
        best[i] = best[i] && !(group_of(i) in paired)
    for (i = 1; i <= cells; i++)
        if ((s = series_of(i, best[i])) == 1)
            ours[group_of(i)] = 1
        else if (s)
            theirs[group_of(i)] = 1
    for (wanted = 1; wanted <= kind_ranks(); wanted++)
        for (i = 1; i <= cells; i++)
            if (group_of(i) in ours && group_of(i) in theirs && panels < 6 && kind_rank(i) == wanted)
                panel_of(group_of(i))
    if (!panels) {
        print "no other library was measured where our kernels were (variant onednn, or make peers)"
        return
    }
    for (i = 1; i <= cells; i++)
        if (series_of(i, best[i]) && group_of(i) in panel_number)
            place[op_rank(cell[i, "op"])] = 1
    for (s = 1; s <= op_count(); s++)
        if (s in place)
            place[s] = ++count
    for (i = 1; i <= cells; i++)
        if ((s = series_of(i, best[i])) && group_of(i) in panel_number) {
            shown[s] = 1
            add_point(panel_of(group_of(i)), s, place[op_rank(cell[i, "op"])] + (s - 2.5) * 0.15, i, 0)
            if (s == 1)
                note(level_seen, level_list, cell[i, "level"])
        }
    print_points(4)
    print "array who[4]\nwho[1] = 'here'; who[2] = 'oneDNN'; who[3] = 'PyTorch, eager'; who[4] = 'PyTorch, compiled'"
    print_op_axis(place)
    print "set xrange [0.5:" count + 0.6 "]"
    print "array seen[4]"
    for (s = 1; s <= 4; s++)
        print "seen[" s "] = " (shown[s] ? 1 : 0)
    print_title("Time per element beside other libraries, with 95 % intervals",
                best_levels() (any_paired ? "; PyTorch and ours in one process, unbound, in the same rounds" : \
                    shown[3] || shown[4] ? "; PyTorch in processes of its own, unbound: its times stand beside ours, unpaired" : ""))
}

function series_of(i, is_best) {
    if (!is_norm(cell[i, "op"]) || cell[i, "pass"] != "forward" || cell[i, "cache"] != "warm")
        return 0
    if (cell[i, "level"] == "library")
        return !is_whole(i) ? 0 : cell[i, "base"] == "onednn" ? 2 : cell[i, "base"] == "torch_eager" ? 3 : cell[i, "base"] == "torch_compile" ? 4 : 0
    return is_best && cell[i, "form"] == "fused" && is_main(i) ? 1 : 0
}
function group_of(i) { return shape(i) ", " kind(i) ", " plural(cell[i, "threads"], "thread") ", warm" }
