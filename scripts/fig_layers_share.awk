# SPDX-License-Identifier: MIT
# The share of a layer's time that its norms take, timed in place, by model and phase.
function figure(    group, list, n, i, s, f, y) {
    group = largest_group()
    rows_of_group(group, list)
    if (!list[0]) {
        print "no layer has a norm_share"
        return
    }
    panel_of("all norms of one layer, timed in place; filled: fused, open: eager, cross: add_fused, which includes the residual add")
    for (n = 1; n <= list[0]; n++) {
        i = list[n]
        y = row_in(1, layer_label(i))
        s = op_rank(cell[i, "op"])
        shown[s] = 1
        f = cell[i, "form"] == "fused" ? 1 : cell[i, "form"] == "eager" ? 2 : 3
        # Ops side by side within a row, forms on one line.
        block[s, f] = block[s, f] sprintf("%.3f %.6g %.6g %.6g\n", y + (s - 2) * 0.22, 100 * cell[i, "norm_share"], \
            100 * bound(i, "lo"), 100 * bound(i, "hi"))
    }
    print "$data << END_OF_DATA"
    for (s = 1; s <= op_rank("identity"); s++)
        for (f = 1; f <= 3; f++)
            print (block[s, f] == "" ? "NaN NaN NaN NaN\n" : block[s, f]) "\n"
    print "END_OF_DATA"
    print_panels()
    print_rows()
    print_op_series()
    print_title("Share of a layer's time that its norms take, with 95 % intervals", group row_words())
}

function in_figure(i) {
    return cell[i, "part"] == "layer" && cell[i, "norm_share"] + 0 > 0 && is_layer_main(i) && op_rank(cell[i, "op"]) && cell[i, "op"] != "identity"
}
function bound(i, end) { return cell[i, "norm_share_" end "95"] == "" ? cell[i, "norm_share"] : cell[i, "norm_share_" end "95"] }
