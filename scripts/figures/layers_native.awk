# SPDX-License-Identifier: MIT
# What DyT in place of a model's own norm does to the time of a layer, by model, phase and form: in one panel by the norms' own times, in the
# other by the totals, which neighbours move by more than most norms take. From natives.csv, which the program makes of layers.csv.
function figure(    group, list, n, i, f, y, label) {
    group = largest_group()
    rows_of_group(group, list)
    if (!list[0]) {
        print "no layer has dyt beside the model's own norm"
        return
    }
    in_place = panel_of("by the norms, timed in place; filled: the rest of the layer is the same within 0.25 %")
    totals = panel_of("by the totals, paired")
    for (i = 1; i <= list[0]; i++)
        rank("form", cell[list[i], "form"])
    for (f = 1; f <= words["form"]; f++)
        for (n = 1; n <= list[0]; n++) {
            i = list[n]
            if (cell[i, "form"] != word["form", f])
                continue
            label = layer_label(i) (f == 1 ? "" : ", " word["form", f])
            y = row_in(in_place, label)
            row_in(totals, label)
            mark(totals, 1, y, i, "total")
            if (cell[i, "in_place_lo95"] != "")
                mark(in_place, cell[i, "rest_equivalent"] == "1" ? 1 : 2, y, i, "in_place")
        }
    print "$data << END_OF_DATA"
    for (p = 1; p <= panels; p++)
        for (f = 1; f <= 2; f++)
            print (block[p, f] == "" ? "NaN NaN NaN NaN none\n" : block[p, f]) "\n"
    print "END_OF_DATA"
    print "array lowest[" panels "]\narray highest[" panels "]"
    for (p = 1; p <= panels; p++)
        print "lowest[" p "] = " lowest[p] + 0 "; highest[" p "] = " highest[p] + 0
    print_panels()
    print_rows()
    print_title("DyT instead of the model's own norm: change of a layer's time, with 95 % intervals", \
        group "; fused unless said; below 0 DyT is faster" row_words())
}

function mark(p, slot, y, i, stem,    lo, hi) {
    lo = bound(i, stem, "lo")
    hi = bound(i, stem, "hi")
    widen(p, lo)
    widen(p, hi)
    block[p, slot] = block[p, slot] sprintf("%.3f %.6g %.6g %.6g %s\n", y, cell[i, stem "_pct"], lo, hi, in_data(cell[i, stem "_text"]))
}
function in_figure(i) { return cell[i, "total_pct"] != "" }
# The range of a panel's axis, which holds 0.
function widen(p, x) {
    lowest[p] = x + 0 < lowest[p] + 0 ? x + 0 : lowest[p] + 0
    highest[p] = x + 0 > highest[p] + 0 ? x + 0 : highest[p] + 0
}
function bound(i, stem, end) { return cell[i, stem "_" end "95"] == "" ? cell[i, stem "_pct"] : cell[i, stem "_" end "95"] }
