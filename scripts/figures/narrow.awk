# SPDX-License-Identifier: MIT
# Narrow rows: time per element, and time over rmsnorm's, against columns, at the best level on one thread. Two panels for each pass, dtype
# and number of elements that was measured at three widths or more.
function figure(    i, best, group, seen, widths, p, s) {
    mark_best(best)
    for (i = 1; i <= cells; i++)
        if (in_figure(i, best))
            vote(conditions(i), cell[i, "cache"] == "warm" ? 1.5 : 1)
    group = winner()
    for (i = 1; i <= cells; i++)
        if (in_figure(i, best) && conditions(i) == group && !((held(i), cell[i, "cols"]) in seen)) {
            seen[held(i), cell[i, "cols"]] = 1
            widths[held(i)]++
        }
    for (i = 1; i <= cells; i++) {
        if (!in_figure(i, best) || conditions(i) != group || widths[held(i)] < 3)
            continue
        s = op_rank(cell[i, "op"])
        shown[s] = 1
        note(level_seen, level_list, cell[i, "level"])
        note(cols_seen, col_list, cell[i, "cols"])
        p = panel_of(held(i) ": ns per element")
        add_point(p, s, cell[i, "cols"], i, 0)
        p = panel_of(held(i) ": time over rmsnorm's")
        add_ratio(p, s, i)
    }
    if (!panels) {
        print "no pass and dtype was measured in form fused on one thread at three widths of at most 256 columns"
        return
    }
    print_points(op_count())
    print_op_series()
    sort(col_list, col_place)
    print "set xtics (" width_axis() ")"
    print "set xrange [" sprintf("%.4g:%.4g", ordered[1] / 1.1, ordered[col_list[0]] * 1.1) "]"
    print_title("Narrow rows: time by columns, with 95 % intervals",
                "fused, " best_levels() ", " group "; dashed: identity, a copy with regular stores")
}

function in_figure(i, best) {
    return cell[i, "form"] == "fused" && cell[i, "threads"] == 1 && cell[i, "cols"] + 0 <= 256 && best[i] && is_main(i)
}

# What a panel holds fixed: elements to the nearest power of the square root of two, for not every width divides them.
function held(i,    elements, power) {
    elements = cell[i, "rows"] * cell[i, "cols"]
    power = int(2 * log(elements) / log(2) + 0.5)
    if (!(power in named))
        named[power] = sprintf("%.3g", elements / 1024) " Ki elements"
    return kind(i) ", " named[power]
}

function add_ratio(panel, s, i,    n, value, lo, hi) {
    value = cell[i, "op"] == "rmsnorm" ? 1 : cell[i, "ratio_to_rmsnorm"]
    if (value + 0 <= 0)
        return
    lo = cell[i, "ratio_lo95"] + 0 > 0 ? cell[i, "ratio_lo95"] : value
    hi = cell[i, "ratio_hi95"] + 0 > 0 ? cell[i, "ratio_hi95"] : value
    n = ++points[panel, s]
    at[panel, s, n] = cell[i, "cols"] + 0
    line[panel, s, n] = sprintf("%.10g %.6g %.6g %.6g %d", cell[i, "cols"], value, lo, hi, cell[i, "status"] == "unstable")
}

# Tics at the widths themselves; of three in a row within a factor of 1.5 the middle one has no label.
function width_axis(    i, k, n, text, label) {
    for (i = 1; i <= col_list[0]; i++)
        ordered[col_place[col_list[i]]] = col_list[i] + 0
    n = col_list[0]
    for (k = 1; k <= n; k++) {
        label = k > 1 && k < n && ordered[k] / ordered[k - 1] < 1.4 && ordered[k + 1] / ordered[k] < 1.4 ? "" : ordered[k]
        text = text (text == "" ? "" : ", ") tic(label, ordered[k])
    }
    return text
}
