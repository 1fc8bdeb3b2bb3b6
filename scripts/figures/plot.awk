# SPDX-License-Identifier: MIT
# What every figure's selection shares. Arguments: a run's folder, and the name of the table that the figure draws (kernels, layers), or
# none if it reads its own. Reads meta.json and, of the table, the rows that were measured into cell[i, column], i = 1 .. cells; calls
# figure(), which the figure's own file defines; and helps it to print gnuplot data. Needs csv.awk.

BEGIN {
    run = ARGV[1]
    while ((getline meta_line < (run "/meta.json")) > 0)
        json = json meta_line " "
    if (ARGV[2] != "" && !take_measured(run "/" ARGV[2] ".csv", ARGV[2] == "kernels" ? "ns_per_element" : "time_ns_median")) {
        print csv_error > "/dev/stderr"
        exit 1
    }
    figure()
    exit
}

# Keeps the rows that have a value in the column `measured`; false: not a table with that column.
function take_measured(path, measured,    all, names, rows, i, k) {
    rows = csv_read(path, all, names)
    if (rows < 0)
        return 0
    if (!csv_has(names, measured)) {
        csv_error = path ": has no column " measured
        return 0
    }
    for (i = 1; i <= rows; i++) {
        if ((all[i, "status"] != "ok" && all[i, "status"] != "unstable") || all[i, measured] == "")
            continue
        cells++
        for (k = 1; k <= names[0]; k++)
            cell[cells, names[k]] = all[i, names[k]]
    }
    return 1
}

# The value of a key in meta.json, as text; "" if it is missing or null. Keys are taken to be unique.
function meta(key,    value) {
    if (!match(json, "\"" key "\"[ \t]*:[ \t]*(\"[^\"]*\"|[-+.0-9eE]+)"))
        return ""
    value = substr(json, RSTART, RLENGTH)
    sub(/^"[^"]*"[ \t]*:[ \t]*/, "", value)
    gsub(/"/, "", value)
    return value
}

# ---- What gnuplot may be given of a file: it runs what it reads, so a field gets there through one of these four alone, whatever it holds.

# A string: within single quotes gnuplot expands neither backticks nor macros nor escapes. A quote is a string of its own, put between two
# others, for gnuplot 5.4 reads four in a row, which are two doubled ones, as the end of a string.
function quoted(text) {
    gsub(/'/, "'.\"'\".'", text)
    gsub(/[\001-\037\177]+/, " ", text)
    return "'" text "'"
}
# A tic: its label, in which % would begin a format, and its place.
function tic(label, place) {
    gsub(/%/, "%%", label)
    return quoted(label) " " place
}
# A number, NaN if it is none.
function as_number(value) { return value ~ /^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$/ ? sprintf("%.10g", value) : "NaN" }
# A string in a line of a data block.
function in_data(text) {
    gsub(/[\001-\037\177"\\]+/, " ", text)
    return "\"" text "\""
}

# ---- The vocabulary

# Position on an axis of levels, weakest first; a level that is not listed comes after them.
function level_rank(level,    i, n, order) {
    n = split("scalar sse2 neon auto_avx2 avx2 auto_avx512 avx512 avx512bf16 sve", order, " ")
    for (i = 1; i <= n; i++)
        if (order[i] == level)
            return i
    return n + 1
}

function is_auto(level) { return level ~ /^auto_/ || level == "library" }

# Whether a variant stands for its op in a figure with one line per op. layernorm is onepass fused, twopass op by op, and twopass fused in runs
# from before there was onepass; no form has both. In form framework it is welford, and dyt sleef.
function is_main_variant(op, variant, form) {
    if (form == "framework")
        return variant == (op == "layernorm" ? "welford" : op == "dyt" ? "sleef" : "std")
    return op == "layernorm" ? variant == "onepass" || variant == "twopass" : variant == (op == "dyt" ? "u2" : "std")
}

function is_main(i) { return is_main_variant(cell[i, "op"], cell[i, "variant"], cell[i, "form"]) }

# Ops in the order of every legend; 0 for an op that figures do not show.
function op_rank(op) {
    return op == "layernorm" ? 1 : op == "rmsnorm" ? 2 : op == "dyt" ? 3 : op == "derf" ? 4 : op == "identity" ? 5 : 0
}
function op_name(rank,    names) {
    split("layernorm rmsnorm dyt derf identity", names, " ")
    return names[rank]
}
function op_label(rank) { return op_name(rank) == "dyt" ? "dyt (u2)" : op_name(rank) }

# best[i]: whether row i has the strongest hand-written level among the rows of its op, variant, form and dtype.
function mark_best(best,    i, key, top) {
    for (i = 1; i <= cells; i++) {
        key = cell[i, "op"] SUBSEP cell[i, "variant"] SUBSEP cell[i, "form"] SUBSEP cell[i, "dtype"]
        if (!is_auto(cell[i, "level"]) && level_rank(cell[i, "level"]) > top[key])
            top[key] = level_rank(cell[i, "level"])
    }
    for (i = 1; i <= cells; i++) {
        key = cell[i, "op"] SUBSEP cell[i, "variant"] SUBSEP cell[i, "form"] SUBSEP cell[i, "dtype"]
        best[i] = !is_auto(cell[i, "level"]) && level_rank(cell[i, "level"]) == top[key]
    }
}

# "best level (avx512, avx512bf16)", of the levels that were put into level_list.
function best_levels(    i, text) {
    for (i = 1; i <= level_list[0]; i++)
        text = text (i > 1 ? ", " : "") level_list[i]
    return "best level (" text ")"
}

# How a group of rows ran, both as a key to group by and as words for a title.
function conditions(i) {
    return plural(cell[i, "threads"], "thread") ", placement " cell[i, "placement"] ", " cell[i, "cache"] " cache"
}
function shape(i) { return cell[i, "rows"] "x" cell[i, "cols"] }
function kind(i) { return cell[i, "pass"] ", " cell[i, "dtype"] }
function plural(n, word) { return n " " word (n == 1 ? "" : "s") }

# The key with the largest score, the first of equals in the order they were met; "" if there is none. Adds to score[] with vote().
function vote(key, weight) {
    if (!(key in score))
        candidate[++candidates] = key
    score[key] += weight
}
function winner(    i, choice) {
    for (i = 1; i <= candidates; i++)
        if (choice == "" || score[candidate[i]] > score[choice])
            choice = candidate[i]
    return choice
}

# The number of a panel by its title, in the order they were met.
function panel_of(title) {
    if (!(title in panel_number)) {
        panel_number[title] = ++panels
        panel_title[panels] = title
    }
    return panel_number[title]
}

# ---- Data for gnuplot: block[panel, series] holds lines "x y lo hi unstable"; every block is printed, even empty, so that
# `index (panel - 1) * series + s - 1` finds it.

# A point of row i with its time per element; inverse: elements per time instead.
function add_point(panel, series, x, i, inverse,    elements, y, lo, hi, n) {
    elements = cell[i, "rows"] * cell[i, "cols"]
    y = cell[i, "ns_per_element"]
    lo = cell[i, "time_ns_lo95"] == "" ? y : cell[i, "time_ns_lo95"] / elements
    hi = cell[i, "time_ns_hi95"] == "" ? y : cell[i, "time_ns_hi95"] / elements
    if (y + 0 <= 0 || lo <= 0)
        return
    if (cell[i, "status"] == "unstable")
        unstable = 1
    n = ++points[panel, series]
    at[panel, series, n] = x + 0 # a number, or it would be sorted as text
    line[panel, series, n] = sprintf("%.10g %.6g %.6g %.6g %d", x, inverse ? 1 / y : y, inverse ? 1 / hi : lo,
                                     inverse ? 1 / lo : hi, cell[i, "status"] == "unstable")
}

# Prints the data block, each series in the order of x, and the names of panels.
function print_points(series,    p, s, i, j, count, text, place) {
    print "$data << END_OF_DATA"
    for (p = 1; p <= panels; p++) {
        for (s = 1; s <= series; s++) {
            count = points[p, s]
            for (i = 2; i <= count; i++) { # insertion sort: a series has a few dozen points
                place = at[p, s, i]
                text = line[p, s, i]
                for (j = i - 1; j >= 1 && at[p, s, j] > place; j--) {
                    at[p, s, j + 1] = at[p, s, j]
                    line[p, s, j + 1] = line[p, s, j]
                }
                at[p, s, j + 1] = place
                line[p, s, j + 1] = text
            }
            for (i = 1; i <= count; i++)
                print line[p, s, i]
            if (!count)
                print "NaN NaN NaN NaN 0"
            print "\n"
        }
    }
    print "END_OF_DATA"
    print "series = " series
    print_panels()
}

function print_panels(    p) {
    print "panels = " panels
    print "array panel_title[" panels "]"
    for (p = 1; p <= panels; p++)
        print "panel_title[" p "] = " quoted(panel_title[p])
}

# The title: what is shown, and below it what was held fixed.
function print_title(what, fixed) {
    print "what = " quoted(what)
    print "fixed = " quoted(fixed) " . \"\\n\" . " quoted((meta("cpu_model") == "" ? meta("machine_id") : meta("cpu_model")) \
        (unstable ? "      * unstable: the reason is in kernels.csv" : ""))
}

# One series for each op that figures know.
function print_op_series(    s, n) {
    n = op_rank("identity")
    print "ops = " n "\narray op[" n "]\narray label[" n "]"
    for (s = 1; s <= n; s++)
        print "op[" s "] = " quoted(op_name(s)) "; label[" s "] = " quoted(shown[s] ? op_label(s) : "")
}

# ---- Pairs of bars, two for each op of a panel

# Row i as the first or the second bar.
function pair(panel, s, second, i) {
    if (!(s in shown)) {
        shown[s] = 1
        pair_list[++pair_list[0]] = s
    }
    pair_row[panel, s, second] = i
}
function print_pairs(    p, s, second, place, axis) {
    sort(pair_list, place)
    for (p = 1; p <= panels; p++)
        for (s in place)
            for (second = 0; second <= 1; second++)
                if ((p, s, second) in pair_row)
                    add_point(p, 2 * s - 1 + second, place[s] + (second ? 0.19 : -0.19), pair_row[p, s, second], 0)
    print_points(2 * op_rank("identity"))
    print_op_series()
    print "bars = " pair_list[0]
    for (s in place)
        axis = axis (axis == "" ? "" : ", ") tic(op_name(s), place[s])
    print "set xtics (" axis ")"
}

# ---- Axes of categories

# Adds a value to list[1 ...] unless it is there.
function note(seen, list, value) {
    if (!(value in seen)) {
        seen[value] = 1
        list[++list[0]] = value
    }
}

# place[value] = 1, 2, ... in ascending order; returns how many there are.
function sort(list, place,    i, j) {
    for (i = 1; i <= list[0]; i++) {
        place[list[i]] = 1
        for (j = 1; j <= list[0]; j++)
            if (list[j] + 0 < list[i] + 0)
                place[list[i]]++
    }
    return list[0]
}

# "'64' 1, '128' 2" for gnuplot's tics.
function axis_of(place,    value, text) {
    for (value in place)
        text = text (text == "" ? "" : ", ") tic(value, place[value])
    return text
}
