# SPDX-License-Identifier: MIT
# Time per element against the bytes of the tensors, on one thread at the best level and one width: the conditions and number of columns
# measured at most shapes, for at another width the same bytes are other rows.
function figure(    i, key, group, best, s, sizes, size, seen, p, levels) {
    mark_best(best)
    for (i = 1; i <= cells; i++) {
        if (!in_figure(i, best))
            continue
        key = held(i)
        vote(key, (cell[i, "cache"] == "warm" ? 1.5 : 1))
    }
    group = winner()
    for (i = 1; i <= cells; i++) {
        size = working_set(i)
        if (in_figure(i, best) && held(i) == group && !((kind(i), size) in seen)) {
            seen[kind(i), size] = 1
            sizes[kind(i)]++
        }
    }
    for (i = 1; i <= cells; i++) {
        if (!in_figure(i, best) || held(i) != group || sizes[kind(i)] < 3)
            continue
        s = op_rank(cell[i, "op"])
        shown[s] = 1
        size = working_set(i)
        smallest = smallest == "" || size < smallest ? size : smallest
        largest = size > largest ? size : largest
        p = panel_of(kind(i))
        note(level_seen, level_list, cell[i, "level"])
        add_point(p, s, size, i, 0)
    }
    if (!panels) {
        print "no pass and dtype was measured in form fused on one thread at three sizes"
        return
    }
    print_points(op_count())
    print_op_series()
    print "smallest = " sprintf("%.1f", smallest) "; largest = " sprintf("%.1f", largest) # beyond what an integer of gnuplot holds
    caches = 0
    print_cache("l1d", "L1d")
    print_cache("l2", "L2")
    print_cache("l3", "L3")
    print "caches = " caches
    print_title("Time per element by working set, with 95 % intervals",
                "fused, " best_levels() ", " group "; dotted: cache sizes; dashed: identity, a copy with regular stores")
}

function in_figure(i, best) {
    return cell[i, "form"] == "fused" && cell[i, "threads"] == 1 && best[i] && is_main(i)
}

# What the figure holds fixed.
function held(i) { return conditions(i) ", " cell[i, "cols"] " columns" }

# Bytes of the tensors that a pass touches: x and y forward; x, dy and dx backward.
function working_set(i) {
    return cell[i, "rows"] * cell[i, "cols"] * dtype_bytes(cell[i, "dtype"]) * (cell[i, "pass"] == "forward" ? 2 : 3)
}

function print_cache(key, label) {
    if (meta(key) == "")
        return
    caches++
    print "cache_bytes_" caches " = " as_number(meta(key)) " * 1.0; cache_label_" caches " = " quoted(label)
}
