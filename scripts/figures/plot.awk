# SPDX-License-Identifier: MIT
# What every figure's selection shares. Arguments: a run's folder; the name of the table that the figure draws (kernels, layers), or none if
# it reads its own; the folder of what was published; and the program's vocabulary, as `normbench list vocabulary` prints it. Reads meta.json
# and, of the table, the rows that were measured into cell[i, column], i = 1 .. cells; calls figure(), which the figure's own file defines;
# and helps it to print gnuplot data. Needs csv.awk.

BEGIN {
    run = ARGV[1]
    published = ARGV[3]
    if (!take_vocabulary(ARGV[4])) {
        print csv_error > "/dev/stderr"
        exit 1
    }
    while ((getline meta_line < (run "/meta.json")) > 0)
        json = json meta_line " "
    if (ARGV[2] != "" && !take_measured(run "/" ARGV[2] ".csv", measured_in(ARGV[2]))) {
        print csv_error > "/dev/stderr"
        exit 1
    }
    figure()
    exit
}

# The column that says whether a row was measured.
function measured_in(table) {
    return table == "kernels" ? "ns_per_element" : table == "history" ? "time_ratio" : table == "law" ? "share_pct" : table == "validation" ? "share_pct" : \
        table == "parity" ? "val_loss" : table == "sharded" ? "time_ns_median" : \
        table == "validation_rows" ? "change_pct" : "time_ns_median"
}

# Keeps the rows that have a value in the column `measured`, and a status that lets them be shown, if they have one; false: not a table with that column.
function take_measured(path, measured,    all, names, rows, i, k) {
    rows = csv_read(path, all, names)
    if (rows < 0)
        return 0
    if (!csv_has(names, measured)) {
        csv_error = path ": has no column " measured
        return 0
    }
    for (i = 1; i <= rows; i++) {
        if ((all[i, "status"] != "ok" && all[i, "status"] != "unstable" && csv_has(names, "status")) || all[i, measured] == "")
            continue
        cells++
        for (k = 1; k <= names[0]; k++)
            cell[cells, names[k]] = all[i, names[k]]
        if (cell[cells, "base"] == "" && csv_has(names, "variant"))
            take_variant(cells)
        if (stands_as(cells) > most_stands[stand_key(cells)])
            most_stands[stand_key(cells)] = stands_as(cells)
    }
    return 1
}

# Of a row without base, params and streams, as runs from before these columns have them: what the name of its variant says of them.
function take_variant(i,    base, params) {
    base = cell[i, "variant"]
    params = word_of["op", op_rank(cell[i, "op"]), "params"]
    cell[i, "streams"] = sub(/_nt$/, "", base)
    if (sub(/_nobeta$/, "", base))
        sub(/ ?beta/, "", params)
    else if (sub(/_noaffine$/, "", base))
        gsub(/gamma ?|beta ?/, "", params)
    cell[i, "base"] = base
    cell[i, "params"] = params
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

# ---- The vocabulary: words[kind], how many; word[kind, rank], in the program's order; word_rank[kind, name]; word_of[kind, rank, column]

function take_vocabulary(path,    row, names, rows, i, k, kind) {
    rows = csv_read(path, row, names)
    if (rows >= 0 && !csv_has(names, "params"))
        csv_error = path ": is no vocabulary: is NORMBENCH an older program?"
    if (csv_error != "")
        return 0
    for (i = 1; i <= rows; i++) {
        kind = row[i, "kind"]
        if (kind == "variant") {
            variant_stands[row[i, "op"], row[i, "form"], row[i, "name"]] = row[i, "stands"]
            continue
        }
        add_word(kind, row[i, "name"])
        for (k = 1; k <= names[0]; k++)
            word_of[kind, words[kind], names[k]] = row[i, names[k]]
    }
    return 1
}

function add_word(kind, name) {
    word[kind, ++words[kind]] = name
    word_rank[kind, name] = words[kind]
}

# The place of a name among those of its kind. One that this program lacks is of a newer one: it comes last, and is named.
function rank(kind, name,    shown_name) {
    if (!((kind, name) in word_rank)) {
        shown_name = substr(name, 1, 40)
        gsub(/[^A-Za-z0-9_.-]/, "?", shown_name)
        printf "plots: %s %s is none of this program's, perhaps of a newer one: drawn last\n", kind, shown_name > "/dev/stderr"
        add_word(kind, name)
        word_of[kind, words[kind], "label"] = name
        word_of[kind, words[kind], "stands"] = name ~ /^auto_/ ? 0 : 1
    }
    return word_rank[kind, name]
}

# Position on an axis of levels, weakest first.
function level_rank(level) { return rank("level", level) }
# What a compiler or another library made.
function is_auto(level) { return word_of["level", level_rank(level), "stands"] != 1 }

# Whether a row's variant, with whichever parameters and stores, stands for its op in a figure with one line per op: of those that the op's
# name alone may stand for the first that the run has. Of an op that this program lacks, any does.
function stands(i) { return !is_known_op(i) || (stands_as(i) > 0 && stands_as(i) == most_stands[stand_key(i)]) }
function stands_as(i) { return variant_stands[cell[i, "op"], cell[i, "form"], cell[i, "base"]] + 0 }
function stand_key(i) { return cell[i, "op"] SUBSEP cell[i, "form"] SUBSEP cell[i, "dtype"] SUBSEP cell[i, "pass"] }
function is_known_op(i) { return word_of["op", op_rank(cell[i, "op"]), "order"] != "" }
# Whether it has every parameter that its op can have; of an op that this program lacks, whether none was left out.
function is_whole(i) {
    if (cell[i, "affine_dtype"] != "" && cell[i, "affine_dtype"] != cell[i, "dtype"])
        return 0
    return is_known_op(i) ? cell[i, "params"] == word_of["op", op_rank(cell[i, "op"]), "params"] : cell[i, "variant"] == cell[i, "base"]
}
function is_streamed(i) { return cell[i, "streams"] == 1 }

function is_main(i) { return stands(i) && is_whole(i) && !is_streamed(i) }

# Ops in the order of every legend.
function op_rank(op) { return rank("op", op) }
function op_name(s) { return word["op", s] }
function op_label(s) { return word_of["op", s, "label"] }
function op_count() { return words["op"] }
# A copy is what norms are held against.
function is_norm(op) { return op != "identity" }

# Where the k-th of the ops that are shown stands beside the place of them all, at most `gap` from the next, all of them within three gaps
# or so.
function beside(s, gap,    t, place, count) {
    for (t = 1; t <= op_count(); t++)
        if (t in shown) {
            count++
            place += t <= s
        }
    return (place - (count + 1) / 2) * (count > 3 && gap * count > 0.66 ? 0.66 / count : gap)
}

# Passes and dtypes in their order, as one number from 1: forward before backward, and within a pass f32 first.
function kind_rank(i) { return (rank("pass", cell[i, "pass"]) - 1) * 16 + rank("dtype", cell[i, "dtype"]) }
function kind_ranks() { return words["pass"] * 16 }
function dtype_bytes(dtype,    bytes) {
    bytes = word_of["dtype", rank("dtype", dtype), "bytes"]
    return bytes == "" ? 4 : bytes
}

# How each op looks, as functions of gnuplot; and what a layer does besides its norms.
function print_looks() {
    print_look("color", "op", "colour", "'#222222'")
    print_look("pale", "op", "pale", "'#A7A7A7'")
    print_look("mark", "op", "mark", 11)
    print_look("dash", "op", "dash", 1)
    print_look("kind_color", "step", "colour", "'#222222'")
    print_look("kind_mark", "step", "mark", 1)
}
function print_look(name, kind, column, other,    s, value, text) {
    for (s = 1; s <= words[kind]; s++) {
        value = word_of[kind, s, column]
        if (value != "")
            text = text "name eq " quoted(word[kind, s]) " ? " (column ~ /mark|dash/ ? as_number(value) : quoted(value)) " : "
    }
    print name "(name) = " text other
}

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
    print_looks()
    print "what = " quoted(what)
    print "fixed = " quoted(fixed) " . \"\\n\" . " quoted((meta("cpu_model") == "" ? meta("machine_id") : meta("cpu_model")) \
        (meta("compiler") == "" ? "" : ", " meta("compiler") " " meta("compiler_version")) \
        (meta("libc") meta("libc_name") == "" ? "" : ", " (meta("libc_name") == "" ? "libc" : meta("libc_name")) (meta("libc") == "" ? "" : " " meta("libc"))) \
        (unstable ? "      * unstable: the reason is in kernels.csv" : ""))
}

# One series for each op.
function print_op_series(    s, n) {
    n = op_count()
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
function print_pairs(    p, s, second, place) {
    sort(pair_list, place)
    for (p = 1; p <= panels; p++)
        for (s in place)
            for (second = 0; second <= 1; second++)
                if ((p, s, second) in pair_row)
                    add_point(p, 2 * s - 1 + second, place[s] + (second ? 0.19 : -0.19), pair_row[p, s, second], 0)
    print_points(2 * op_count())
    print_op_series()
    print "bars = " pair_list[0]
    print_op_axis(place)
}
# place[s]: where the op of rank s stands.
function print_op_axis(place,    s, axis) {
    for (s = 1; s <= op_count(); s++)
        if (s in place)
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
