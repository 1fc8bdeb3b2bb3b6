# SPDX-License-Identifier: MIT
# Times over the sentinels', run by run: the groups of rows that changed most, at most six panels; where none did, the first groups.
function figure(    i, g, p, first, order, count) {
    for (i = 1; i <= cells; i++) {
        g = group_of(i)
        if (!(g in size)) {
            groups++
            group_at[groups] = g
            op_of[g] = cell[i, "op"]
        }
        member[g, ++size[g]] = i
        moved[g] = largest(moved[g], cell[i, "change_pct"])
        moved[g] = largest(moved[g], cell[i, "drift_pct"])
        changed += cell[i, "change_pct"] != ""
        drifting += cell[i, "drift_pct"] != "" && size[g] == 1
        if (first == "" || day(cell[i, "time_utc"]) < day(first))
            first = cell[i, "time_utc"]
        several = several || cell[i, "history"] != cell[1, "history"]
    }
    if (!groups) {
        print "no group of rows has a history"
        return
    }
    count = groups < 6 ? groups : 6
    print "$data << END_OF_DATA"
    for (p = 1; p <= count; p++) {
        g = next_group()
        panel_of(words_of(member[g, 1]))
        order[p] = op_of[g]
        for (i = 1; i <= size[g]; i++)
            print_run(member[g, i], day(first))
        print "\n"
    }
    print "END_OF_DATA"
    print_panels()
    print "array op[" panels "]"
    for (p = 1; p <= panels; p++)
        print "op[" p "] = " quoted(order[p])
    print "first = " quoted(substr(first, 1, 10))
    print_title("Times over those of copies, run by run", plural(changed + 0, "step") ", " plural(drifting + 0, "drift") " in " \
                plural(groups, "group") "; line: the level between changes; shown: what moved most")
}

# Groups of several histories are called by their number and machine as well, or two panels would be one.
function group_of(i) { return cell[i, "history"] SUBSEP words_of(i) }
function words_of(i) {
    return cell[i, "op"] " " cell[i, "form"] " " cell[i, "level"] " " cell[i, "dtype"] " " cell[i, "pass"] ", " cell[i, "class"] \
        (cell[i, "quantity"] == "time" ? "" : ", norms") (several ? ", " cell[i, "machine_id"] " (" cell[i, "history"] ")" : "")
}
function largest(most, pct) {
    pct = pct < 0 ? -pct : pct + 0
    return pct > most ? pct : most + 0
}

# The group that moved most of those that were not taken yet, the first of equals.
function next_group(    k, best) {
    for (k = 1; k <= groups; k++)
        if (!(group_at[k] in taken) && (best == "" || moved[group_at[k]] > moved[best]))
            best = group_at[k]
    taken[best] = 1
    return best
}

function print_run(i, from) {
    print sprintf("%.6f", day(cell[i, "time_utc"]) - from), as_number(cell[i, "time_ratio"]), as_number(cell[i, "level_ratio"]), \
        as_number(cell[i, "change_pct"])
}

# Days since 1 March of the year 0, of 2026-03-01T10:00:00Z.
function day(time,    y, m, f) {
    y = substr(time, 1, 4) + 0
    m = substr(time, 6, 2) + 0
    if (m < 3) {
        y--
        m += 12
    }
    f = (substr(time, 12, 2) * 3600 + substr(time, 15, 2) * 60 + substr(time, 18, 2)) / 86400
    return 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + substr(time, 9, 2) + f
}
