# SPDX-License-Identifier: MIT
# What DyT in place of a model's own norm does to the time of a layer, by model and phase: one panel for each form.
function figure(    group, list, n, i, form, f, p, y) {
    group = largest_group()
    rows_of_group(group, list)
    if (!list[0]) {
        print "no layer has dyt beside the model's own norm"
        return
    }
    split("fused eager add_fused", form, " ")
    for (f = 1; f <= 3; f++)
        for (n = 1; n <= list[0]; n++) {
            i = list[n]
            if (cell[i, "form"] != form[f])
                continue
            p = panel_of(form[f])
            y = row_in(p, layer_label(i))
            widen(p, bound(i, "lo"))
            widen(p, bound(i, "hi"))
            total[p] = total[p] sprintf("%.3f %.6g %.6g %.6g\n", y + 0.16, cell[i, "delta_to_native_pct"], bound(i, "lo"), bound(i, "hi"))
            if (cell[i, "rest_equivalent"] == "1" && cell[i, "norm_delta_lo95"] != "")
                inside[p] = inside[p] point(y - 0.16, cell[i, "norm_delta_pct"], cell[i, "norm_delta_lo95"], cell[i, "norm_delta_hi95"])
        }
    print "$data << END_OF_DATA"
    for (p = 1; p <= panels; p++) {
        print total[p] "\n"
        print (inside[p] == "" ? "NaN NaN NaN NaN none\n" : inside[p]) "\n"
    }
    print "END_OF_DATA"
    print "array lowest[" panels "]\narray highest[" panels "]"
    for (p = 1; p <= panels; p++)
        print "lowest[" p "] = " lowest[p] "; highest[" p "] = " highest[p]
    print_panels()
    print_rows()
    print_title("DyT instead of the model's own norm: change of a layer's time, with 95 % intervals", \
        group "; below 0 DyT is faster" row_words())
}

function in_figure(i) {
    return cell[i, "part"] == "layer" && cell[i, "op"] == "dyt" && is_layer_main(i) && cell[i, "delta_to_native_pct"] != ""
}
function point(y, v, lo, hi,    q) {
    set(q, v, lo, hi)
    return sprintf("%.3f %.6g %.6g %.6g \"%s\"\n", y, v, lo, hi, with_interval(q, "1"))
}
# The range of a panel's axis, which holds 0.
function widen(p, x) {
    lowest[p] = x + 0 < lowest[p] + 0 ? x + 0 : lowest[p] + 0
    highest[p] = x + 0 > highest[p] + 0 ? x + 0 : highest[p] + 0
}
function bound(i, end) {
    return cell[i, "delta_to_native_" end "95"] == "" ? cell[i, "delta_to_native_pct"] : cell[i, "delta_to_native_" end "95"]
}
