# SPDX-License-Identifier: MIT
# What it is worth to do a residual add and the norm behind it in one sweep: time of all norms and residual adds of a layer in form add_fused
# over that in form fused, where the add is a step of its own: from paired samples, in runs from before one_sweep_ratio from medians, at their
# worst ends. One panel for each dtype.
function figure(    i, names, count, key, s, p, y, other, seen) {
    count = csv_read(run "/steps.csv", step, names)
    if (count < 0) {
        print "there is no steps.csv"
        return
    }
    for (i = 1; i <= count; i++) {
        if ((step[i, "kind"] != "norm" && step[i, "kind"] != "residual") || step[i, "time_ns_median"] == "")
            continue
        key = arm_key(i, step)
        sum[key, "median"] += step[i, "time_ns_median"]
        sum[key, "lo95"] += step[i, "time_ns_lo95"] == "" ? step[i, "time_ns_median"] : step[i, "time_ns_lo95"]
        sum[key, "hi95"] += step[i, "time_ns_hi95"] == "" ? step[i, "time_ns_median"] : step[i, "time_ns_hi95"]
    }
    for (i = 1; i <= cells; i++)
        if (is_form(i, "fused"))
            fused[cell[i, "op"], cell[i, "level"], layer_key(i, cell)] = arm_key(i, cell)
    for (i = 1; i <= cells; i++)
        if (in_figure(i))
            shown[op_rank(cell[i, "op"])] = 1
    for (i = 1; i <= cells; i++) {
        key = arm_key(i, cell)
        other = fused[cell[i, "op"], cell[i, "level"], layer_key(i, cell)]
        if (!in_figure(i) || seen[arm_key(i, cell, 1)]++ || other == "" || !sum[key, "median"] || !sum[other, "median"])
            continue
        p = panel_of(cell[i, "dtype"])
        y = row_in(p, layer_label(i))
        s = op_rank(cell[i, "op"])
        any_scaled = any_scaled || cell[i, "scaled"] == "1"
        held_fixed = layer_conditions(i)
        y += beside(s, 0.22)
        block[p, s] = block[p, s] (cell[i, "one_sweep_ratio"] == "" ? sprintf("%.3f %.6g %.6g %.6g\n", y, sum[key, "median"] / sum[other, "median"], \
            sum[key, "lo95"] / sum[other, "hi95"], sum[key, "hi95"] / sum[other, "lo95"]) : \
            sprintf("%.3f %.6g %.6g %.6g\n", y, cell[i, "one_sweep_ratio"], paired(i, "lo"), paired(i, "hi")))
    }
    if (!panels) {
        print "no layer was measured in form add_fused and in form fused with its steps"
        return
    }
    print "$data << END_OF_DATA"
    for (p = 1; p <= panels; p++)
        for (s = 1; s <= op_count(); s++)
            print (block[p, s] == "" ? "NaN NaN NaN NaN\n" : block[p, s]) "\n"
    print "END_OF_DATA"
    print_panels()
    print_rows()
    print_op_series()
    print_title("Residual add and norm in one sweep (add_fused) over add, then norm, with 95 % intervals", \
        held_fixed "; below 1 one sweep is faster" row_words())
}

function in_figure(i) { return is_form(i, "add_fused") }
function paired(i, end) { return cell[i, "one_sweep_" end "95"] == "" ? cell[i, "one_sweep_ratio"] : cell[i, "one_sweep_" end "95"] }
function is_form(i, form) {
    return cell[i, "part"] == "layer" && cell[i, "form"] == form && stands(i) && is_norm(cell[i, "op"])
}
