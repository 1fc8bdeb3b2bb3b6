# SPDX-License-Identifier: MIT
# Stores past the caches against regular ones for every op, fused at the best level: every shape that was measured with both, at most six
# panels, forward f32 first.
function figure(    i, best, wanted) {
    mark_best(best)
    for (wanted = 1; wanted <= kind_ranks(); wanted++)
        for (i = 1; i <= cells; i++)
            if (in_figure(i, best) && is_streamed(i) && panels < 6 && kind_rank(i) == wanted)
                panel_of(group_of(i))
    if (!panels) {
        print "nothing was measured with stores past the caches (variants *_nt)"
        return
    }
    for (i = 1; i <= cells; i++)
        if (in_figure(i, best) && group_of(i) in panel_number) {
            pair(panel_of(group_of(i)), op_rank(cell[i, "op"]), is_streamed(i), i)
            note(level_seen, level_list, cell[i, "level"])
        }
    print_pairs()
    print_title("Results stored past the caches against regular stores, with 95 % intervals",
                "fused, " best_levels() "; measured in separate groups: a pair shows times, not a paired ratio")
}

function in_figure(i, best) { return cell[i, "form"] == "fused" && best[i] && stands(i) && is_whole(i) }
function group_of(i) { return shape(i) ", " kind(i) ", " plural(cell[i, "threads"], "thread") ", " cell[i, "cache"] }
