# SPDX-License-Identifier: MIT
# What the gate measures of sides that are equal: each row's change with its interval, smallest first, one panel for each kind of gate.
function figure(    i, k, name, count, order, step) {
    split("same,relinked", name, ",")
    for (k = 1; k <= 2; k++) {
        count = 0
        for (i = 1; i <= cells; i++)
            if (cell[i, "gates"] == name[k]) {
                order[++count] = cell[i, "change_pct"] + 0
                which[count] = i
            }
        if (!count)
            continue
        sort_rows(order, count)
        step = int((count - 1) / 400) + 1 # more bars would be one solid band, and a picture of megabytes
        panel_of(plural(count, "row") (step > 1 ? ", of which one in " step " is drawn" : "") ", " \
                 (k == 1 ? "the same library on both sides" : "linked anew for each launch"))
        text = text rows_text(count, step) "\n\n"
        ends = ends (ends == "" ? "" : ", ") count + 1
    }
    if (!panels) {
        print "no gate of equal sides"
        return
    }
    printf "$data << END_OF_DATA\n%sEND_OF_DATA\n", text
    print_panels()
    print "array end[" panels "] = [" ends "]"
    print_title("What the gate measures of equal sides", "a bar: a row of a gate with its 95 % interval, red where that leaves out 0; " \
                "band: the threshold of 1 %; machine " machine_of())
}

function machine_of() { return cell[1, "machine_id"] }

# The rows of a panel in the order of their changes: a heap, for there are thousands.
function sort_rows(key, count,    i, k, n, last) {
    for (i = int(count / 2); i >= 1; i--)
        sift(key, i, count)
    for (n = count; n > 1; n--) {
        swap(key, 1, n)
        sift(key, 1, n - 1)
    }
}
function sift(key, i, n,    k) {
    for (; (k = 2 * i) <= n; i = k) {
        if (k < n && key[k + 1] > key[k])
            k++
        if (key[i] >= key[k])
            return
        swap(key, i, k)
    }
}
function swap(key, i, k,    t) {
    t = key[i]
    key[i] = key[k]
    key[k] = t
    t = which[i]
    which[i] = which[k]
    which[k] = t
}

function rows_text(count, step,    i, lines) {
    for (i = 1; i <= count; i += step)
        lines = lines i " " as_number(cell[which[i], "change_pct"]) " " as_number(cell[which[i], "change_lo95"]) " " \
            as_number(cell[which[i], "change_hi95"]) "\n"
    return lines
}
