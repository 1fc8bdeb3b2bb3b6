# SPDX-License-Identifier: MIT
# Figures 3 and 7 of the paper from squash.csv: tanh(alpha x) for several alphas, as the DyT kernel computes it; and three squashing functions.
function figure(    names, count, i, k) {
    count = csv_read(run "/paper/squash.csv", table, names)
    if (count < 0) {
        print "there is no paper/squash.csv"
        return
    }
    panel_of("tanh(alpha x), by the DyT kernel (paper, figure 3)")
    panel_of("squashing functions, alpha = 1 (paper, figure 7)")
    for (i = 1; i <= count; i++) {
        if (table[i, "function"] == "tanh")
            add_curve(1, "alpha = " table[i, "alpha"], i)
        if (table[i, "alpha"] == 1)
            add_curve(2, table[i, "function"], i)
    }
    print "$data << END_OF_DATA"
    for (k = 1; k <= curves; k++)
        print block[k] "\n"
    print "END_OF_DATA"
    print "curves = " curves "\narray curve_panel[" curves "]\narray curve[" curves "]"
    for (k = 1; k <= curves; k++)
        print "curve_panel[" k "] = " panel_number_of[k] "; curve[" k "] = " quoted(curve[k])
    print_panels()
    print_title("The squashing functions of DyT", "tanh: the fused f32 kernel at this CPU's best level; hardtanh(x) = min(1, max(-1, x)); " \
        "sigmoid(x) = 1 / (1 + exp(-x))")
}

function add_curve(p, text, i) {
    if (!((p, text) in number)) {
        number[p, text] = ++curves
        panel_number_of[curves] = p
        curve[curves] = text
    }
    block[number[p, text]] = block[number[p, text]] as_number(table[i, "x"]) " " as_number(table[i, "y"]) "\n"
}
