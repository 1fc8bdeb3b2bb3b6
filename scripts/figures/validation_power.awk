# SPDX-License-Identifier: MIT
# What share of slowdowns the gate finds, and what it takes them for, against how large they were made.
function figure(    i, rows, groups) {
    for (i = 1; i <= cells; i++) {
        rows += cell[i, "property"] == "found" ? cell[i, "trials"] : 0
        groups += cell[i, "property"] == "group_found" ? cell[i, "trials"] : 0
    }
    if (!(rows + groups)) {
        print "no gate with extra work"
        return
    }
    print "$found << END_OF_DATA"
    print_shares("found")
    print_shares("group_found")
    print "END_OF_DATA\ngroups = " (groups > 0)
    print "$goals << END_OF_DATA"
    for (i = 1; i <= cells; i++)
        if (cell[i, "property"] ~ /found$/ && cell[i, "goal_least_pct"] != "")
            print as_number(cell[i, "inject_pct"]), as_number(cell[i, "goal_least_pct"])
    print "NaN NaN\nEND_OF_DATA"
    print "$estimate << END_OF_DATA"
    for (i = 1; i <= cells; i++)
        if (cell[i, "property"] == "found")
            print as_number(cell[i, "inject_pct"]), as_number(cell[i, "estimate_pct"]), as_number(cell[i, "estimate_lo95"]), \
                as_number(cell[i, "estimate_hi95"])
    print "NaN NaN NaN NaN\nEND_OF_DATA"
    panel_of("found as slower, of those with so much extra work")
    panel_of("change as it was measured, the median of rows")
    print_panels()
    print_title("What the gate finds of slowdowns that were made", \
                plural(rows, "row") " (blue) and " plural(groups, "op") " (red) with extra work; bars: exact 95 % intervals; numbers: trials; strokes: goals; machine " \
                cell[1, "machine_id"])
}

function print_shares(property,    i) {
    for (i = 1; i <= cells; i++)
        if (cell[i, "property"] == property)
            print as_number(cell[i, "inject_pct"]), as_number(cell[i, "share_pct"]), as_number(cell[i, "share_lo95"]), \
                as_number(cell[i, "share_hi95"]), as_number(cell[i, "trials"])
    print "\n"
}
