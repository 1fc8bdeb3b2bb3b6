# SPDX-License-Identifier: MIT
# Time per element of every op at every level: the shape and conditions under which most levels were measured. An op has a series of the
# levels that were written by hand, then one of those that a compiler has made of plain loops: a line through both would rise and fall.
function figure(    i, key, group, seen, s, x, levels, r, libm, p, place, places, autos) {
    for (i = 1; i <= cells; i++)
        op_rank(cell[i, "op"])
    libm = op_count() + 1
    for (i = 1; i <= cells; i++) {
        if (cell[i, "form"] != "fused" || !series_of(i, libm))
            continue
        key = shape(i) ", " conditions(i)
        vote(key, (key, cell[i, "level"]) in seen ? 1 : 1000)
        seen[key, cell[i, "level"]] = 1
    }
    group = winner()
    if (score[group] < 2000) {
        print "no shape was measured at two levels in form fused"
        return
    }
    for (i = 1; i <= cells; i++) {
        s = series_of(i, libm)
        level_rank(cell[i, "level"])
        if (cell[i, "form"] == "fused" && s && shape(i) ", " conditions(i) == group)
            shown[s] = 1
    }
    for (s = 1; s <= libm; s++)
        place[s] = s in shown ? ++places : 0
    for (r = 1; r <= words["level"]; r++)
        for (i = 1; i <= cells; i++)
            if (level_rank(cell[i, "level"]) == r && (group, cell[i, "level"]) in seen && !(cell[i, "level"] in x)) {
                x[cell[i, "level"]] = ++levels
                axis = axis (axis == "" ? "" : ", ") tic(cell[i, "level"], levels)
            }
    for (i = 1; i <= cells; i++) {
        s = series_of(i, libm)
        if (cell[i, "form"] != "fused" || !s || shape(i) ", " conditions(i) != group)
            continue
        p = panel_of(kind(i))
        add_point(p, s + (is_auto(cell[i, "level"]) ? libm : 0),
                  x[cell[i, "level"]] + (place[s] - (places + 1) / 2) * (places > 6 ? 0.66 / places : 0.11), i, 0)
        autos = autos || is_auto(cell[i, "level"])
    }
    print_points(2 * libm)
    print_op_series()
    print "libm_shown = " (shown[libm] ? 1 : 0)
    print "levels = " levels
    print "set xtics (" axis ")"
    print_title("Time per element by SIMD level, with 95 % intervals", "fused, " group (autos ? "; off the lines: plain loops, as the compiler vectorises them" : ""))
}

# A series for each op, and one for DyT by the C library's tanh.
function series_of(i, libm) {
    if (cell[i, "op"] == "dyt" && cell[i, "base"] == "libm" && is_whole(i))
        return libm
    return is_main(i) ? op_rank(cell[i, "op"]) : 0
}
