# SPDX-License-Identifier: MIT
# Eager against fused for every op at the best level: the largest shape and, for it, the conditions with most eager rows.
function figure(    i, best, group, largest, size, s, p, f, has) {
    mark_best(best)
    for (i = 1; i <= cells; i++) {
        size = cell[i, "rows"] * cell[i, "cols"]
        if (cell[i, "form"] == "eager" && best[i] && size > largest)
            largest = size
    }
    for (i = 1; i <= cells; i++)
        if (cell[i, "form"] == "eager" && best[i] && cell[i, "rows"] * cell[i, "cols"] == largest)
            vote(group_of(i), 1)
    group = winner()
    if (group == "") {
        print "nothing was measured in form eager"
        return
    }
    for (i = 1; i <= cells; i++)
        if (best[i] && group_of(i) == group && cell[i, "form"] == "eager")
            panel_of(kind(i))
    for (i = 1; i <= cells; i++) {
        if (!best[i] || group_of(i) != group || !(kind(i) in panel_number))
            continue
        p = panel_of(kind(i))
        s = op_rank(cell[i, "op"])
        f = cell[i, "form"]
        # The paired ratio with its interval: the quotient of the two bars would carry the drift between their samples.
        if (f == "eager" && cell[i, "op"] == "dyt" && cell[i, "params"] == "gamma alpha" && (!(p in nobeta) || stands(i)))
            nobeta[p] = i
        if ((f != "fused" && f != "eager") || !stands_for_op(i) || has[p, s, f]++)
            continue
        pair(p, s, f == "eager", i)
        variant[s, f] = cell[i, "variant"]
        note(level_seen, level_list, cell[i, "level"])
    }
    for (p = 1; p <= panels; p++)
        if (p in nobeta && cell[nobeta[p], "ratio_lo95"] != "")
            panel_title[p] = panel_title[p] sprintf("; eager: dyt without beta / rmsnorm = %.2f [%.2f, %.2f]",
                cell[nobeta[p], "ratio_to_rmsnorm"], cell[nobeta[p], "ratio_lo95"], cell[nobeta[p], "ratio_hi95"])
    print_pairs()
    print_title("Eager (ideal op by op, through memory) against fused, with 95 % intervals", best_levels() ", " group different_variants())
}

function group_of(i) { return shape(i) ", " conditions(i) }

# Eager code may have fewer variants than fused: whichever it has, with every parameter, stands for the op.
function stands_for_op(i) { return is_main(i) || (cell[i, "form"] == "eager" && is_whole(i)) }

# Told where eager and fused do not run the same tanh.
function different_variants(    s, fused, eager) {
    s = op_rank("dyt")
    fused = variant[s, "fused"]
    eager = variant[s, "eager"]
    return fused == "" || eager == "" || fused == eager ? "" : "; tanh of dyt: " fused " in fused, " eager " in eager"
}
