# SPDX-License-Identifier: MIT
# Accuracy against cost of every tanh that DyT was measured with, fused, forward, best level, one shape, one thread: what is further left is
# more accurate, what is lower is cheaper. Variants with all parameters only, for those without are the same tanh.
function figure(    i, best, group, p, seen, key) {
    mark_best(best)
    for (i = 1; i <= cells; i++)
        if (in_figure(i, best) && !((group_of(i), cell[i, "variant"], cell[i, "dtype"]) in seen)) {
            seen[group_of(i), cell[i, "variant"], cell[i, "dtype"]] = 1
            vote(group_of(i), 1)
        }
    group = winner()
    if (group == "" || score[group] < 2) {
        print "dyt was measured with fewer than two kinds of tanh at one shape"
        return
    }
    for (i = 1; i <= cells; i++) {
        if (!in_figure(i, best) || group_of(i) != group)
            continue
        p = panel_of(cell[i, "dtype"])
        key = p SUBSEP cell[i, "variant"]
        if (key in seen)
            continue
        seen[key] = 1
        note(level_seen, level_list, cell[i, "level"])
        count++
        dots = dots sprintf("%d %.6g %.6g %s\n", p, cell[i, "max_error"], cell[i, "ns_per_element"],
                            in_data(cell[i, "variant"] (cell[i, "status"] == "unstable" ? "*" : "")))
        if (cell[i, "status"] == "unstable")
            unstable = 1
    }
    print "$data << END_OF_DATA\n" dots "END_OF_DATA"
    print_panels()
    print_title("Accuracy against cost of DyT, by its tanh: lower left is better", "fused forward, " best_levels() ", " group)
}

function in_figure(i, best) {
    return cell[i, "op"] == "dyt" && cell[i, "form"] == "fused" && cell[i, "pass"] == "forward" && cell[i, "threads"] == 1 && best[i] &&
        cell[i, "max_error"] > 0 && is_whole(i) && !is_streamed(i)
}
function group_of(i) { return shape(i) ", " conditions(i) }
