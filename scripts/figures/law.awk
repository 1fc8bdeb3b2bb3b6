# SPDX-License-Identifier: MIT
# What norms take of a layer against the operations of its products per normed element, and what DyT changes there: two panels for each phase,
# a series for each machine and dtype.
function figure(    i, p, s, k, phases, phase_list, place, key) {
    for (i = 1; i <= cells; i++)
        rank("phase", cell[i, "phase"])
    for (k = 1; k <= words["phase"]; k++)
        for (i = 1; i <= cells; i++)
            if (cell[i, "phase"] == word["phase", k] && !((key = word["phase", k]) in place)) {
                place[key] = ++phases
                phase_list[phases] = key
            }
    if (!phases) {
        print "no layer with both DyT and the norm of its model"
        return
    }
    for (i = 1; i <= cells; i++) {
        s = series_of(i)
        p = place[cell[i, "phase"]]
        costs[p, s, ++count[p, s]] = cell[i, "normed_flop"] + 0
        if (absolute(cell[i, "norms_pct"]) > most[p])
            most[p] = absolute(cell[i, "norms_pct"])
    }
    for (p = 1; p <= phases; p++)
        panel_of(phase_list[p] ": what the norms take of a layer, %")
    for (p = 1; p <= phases; p++)
        panel_of(phase_list[p] ": how DyT changes the layer by its norms, %")
    print "$data << END_OF_DATA"
    for (p = 1; p <= phases; p++)
        for (s = 1; s <= machines; s++) {
            for (i = 1; i <= cells; i++)
                if (place[cell[i, "phase"]] == p && series_of(i) == s)
                    print_layer(i)
            print "NaN NaN NaN NaN NaN NaN NaN\n\n"
        }
    print "END_OF_DATA"
    print_panels()
    print "phases = " phases "; series = " machines "\narray cost[" phases * machines "]\narray least[" phases "]\narray label[" machines "]"
    for (p = 1; p <= phases; p++) {
        print "least[" p "] = " (most[p] > 100 ? as_number(10000 / most[p]) : "NaN")
        for (s = 1; s <= machines; s++)
            print "cost[" (p - 1) * machines + s "] = " as_number(middle(p, s))
    }
    for (s = 1; s <= machines; s++)
        print "label[" s "] = " quoted(machine[s])
    print_looks()
    print "what = " quoted("What norms take of a layer, by the operations of its products for each normed element")
    print "fixed = " quoted("fused, best level; lines: 1 / (1 + I / c), c: the median over the layers; dotted: below it no layer changes by 1 % with DyT;") \
        " . \"\\n\" . " quoted("each mark is a model, or a stage of one whose images shrink; bars: 95 % intervals")
}

function absolute(pct) { return pct < 0 ? -pct : pct + 0 }
function series_of(i,    key) {
    key = cell[i, "machine_id"] ", " cell[i, "dtype"] ", " plural(cell[i, "threads"], "thread")
    if (!(key in number)) {
        number[key] = ++machines
        machine[machines] = key
    }
    return number[key]
}
function print_layer(i) {
    print as_number(cell[i, "flop_per_normed"]), as_number(cell[i, "share_pct"]), or_else(cell[i, "share_lo95"], cell[i, "share_pct"]), \
        or_else(cell[i, "share_hi95"], cell[i, "share_pct"]), as_number(cell[i, "in_place_pct"]), or_else(cell[i, "in_place_lo95"], cell[i, "in_place_pct"]), \
        or_else(cell[i, "in_place_hi95"], cell[i, "in_place_pct"])
}
function or_else(value, other) { return as_number(value == "" ? other : value) }
# The median of the costs of a phase and a series.
function middle(p, s,    i, j, n, below, same) {
    n = count[p, s]
    for (i = 1; i <= n; i++) {
        below = same = 0
        for (j = 1; j <= n; j++) {
            below += costs[p, s, j] < costs[p, s, i]
            same += costs[p, s, j] == costs[p, s, i]
        }
        if (below <= (n - 1) / 2 && below + same > (n - 1) / 2)
            return costs[p, s, i]
    }
    return ""
}
