# SPDX-License-Identifier: MIT
# What the figures drawn from layers.csv and steps.csv share, beside plot.awk. A figure says which rows of layers.csv are in it by its own
# in_figure(i).

# The row of the model's own norm; of a model that the program lacks, the one that nothing is held against.
function is_native(i) {
    if (("model", cell[i, "model"]) in word_rank)
        return cell[i, "op"] == word_of["model", word_rank["model", cell[i, "model"]], "op"]
    return is_norm(cell[i, "op"]) && cell[i, "op"] != "dyt" && cell[i, "delta_to_native_pct"] + 0 == 0
}
# What a row of a figure of layers says of the layer: its model, phase, sequences and tokens.
function layer_label(i) {
    return cell[i, "model"] (cell[i, "stage"] + 0 > 0 ? "/" cell[i, "cols"] : "") " " cell[i, "phase"] " " cell[i, "batch"] "x" \
        cell[i, "tokens"] (cell[i, "phase"] == "decode" ? "+" cell[i, "context"] : "") (cell[i, "scaled"] == "1" ? " (s)" : "")
}
# The layers that a figure shows in the order of its rows: by phase, then as the file has them; an arm that several runs of one file have
# measured, once. in_figure() is the figure's own.
function rows_of_group(group, list,    k, i, seen) {
    list[0] = 0
    for (i = 1; i <= cells; i++)
        rank("phase", cell[i, "phase"])
    for (k = 1; k <= words["phase"]; k++)
        for (i = 1; i <= cells; i++)
            if (in_figure(i) && held(i) == group && cell[i, "phase"] == word["phase", k] && !seen[arm_key(i, cell, 1)]++) {
                list[++list[0]] = i
                any_scaled = any_scaled || cell[i, "scaled"] == "1"
            }
}
# The dtype, threads and placement under which most layers were measured.
function largest_group(    i) {
    for (i = 1; i <= cells; i++)
        if (in_figure(i))
            vote(held(i), 1)
    return winner()
}
function held(i) { return cell[i, "dtype"] ", " layer_conditions(i) }
function layer_conditions(i) { return plural(cell[i, "threads"], "thread") ", placement " cell[i, "placement"] }
function row_words() {
    return "; rows: model, phase, sequences x tokens (decode: + before)" (any_scaled ? "; (s): SCALED, fewer tokens than published" : "")
}

# What one arm of a layer has in common with its steps; in any run: with the same arm of other runs.
function arm_key(i, table_cell, any_run) {
    return (any_run ? "" : table_cell[i, "run_id"]) SUBSEP table_cell[i, "op"] SUBSEP table_cell[i, "variant"] SUBSEP table_cell[i, "form"] SUBSEP table_cell[i, "level"] SUBSEP \
        layer_key(i, table_cell, any_run)
}
# What all arms of a layer have in common.
function layer_key(i, table_cell, any_run) {
    return (any_run ? "" : table_cell[i, "run_id"]) SUBSEP table_cell[i, "dtype"] SUBSEP table_cell[i, "threads"] SUBSEP table_cell[i, "placement"] SUBSEP table_cell[i, "model"] SUBSEP \
        table_cell[i, "phase"] SUBSEP table_cell[i, "batch"] SUBSEP table_cell[i, "tokens"] SUBSEP table_cell[i, "context"] SUBSEP \
        table_cell[i, "part"] SUBSEP table_cell[i, "stage"] SUBSEP table_cell[i, "cols"]
}

# The row of a label in a panel of rows, in the order they were met.
function row_in(p, text) {
    if (!((p, text) in row_number)) {
        row_number[p, text] = ++panel_rows[p]
        panel_tics[p] = panel_tics[p] (panel_rows[p] > 1 ? ", " : "") tic(text, panel_rows[p])
        if (panel_rows[p] > most_rows)
            most_rows = panel_rows[p]
    }
    return row_number[p, text]
}
function print_rows(    p) {
    print "array panel_tics[" panels "]\nmost_rows = " most_rows
    for (p = 1; p <= panels; p++)
        print "panel_tics[" p "] = " quoted("set ytics (" panel_tics[p] ")")
}
