# SPDX-License-Identifier: MIT
# The share of a layer's time that its norms take, timed in place, by model and phase. Where a row's launches are of two kinds, with the cores
# near each other and far, it has a mark for each: the median of both is of neither.
function figure(    group, list, n, i, s, f, y, looks) {
    group = largest_group()
    rows_of_group(group, list)
    if (!list[0]) {
        print "no layer has a norm_share"
        return
    }
    for (n = 1; n <= list[0]; n++) {
        shown[op_rank(cell[list[n], "op"])] = 1
        rank("form", cell[list[n], "form"])
    }
    for (f = 1; f <= words["form"]; f++)
        looks = looks (f > 1 ? ", " : "") word_of["form", f, "label"] ": " word["form", f] (word["form", f] == "add_fused" ? ", which includes the residual add" : "")
    panel_of("all norms of one layer, timed in place; " looks)
    for (n = 1; n <= list[0]; n++) {
        i = list[n]
        y = row_in(1, layer_label(i))
        s = op_rank(cell[i, "op"])
        f = rank("form", cell[i, "form"])
        # Ops side by side within a row, forms on one line.
        if (cell[i, "near_launches"] == "") {
            block[s, f] = block[s, f] point(i, y + beside(s, 0.22), "norm_share")
        } else {
            two_places = 1
            block[s, f] = block[s, f] point(i, y + beside(s, 0.22), "near_norm_share")
            far[s, f] = far[s, f] point(i, y + beside(s, 0.22), "far_norm_share")
        }
    }
    print_blocks("$data", block)
    print_blocks("$far", far)
    print_panels()
    print_rows()
    print_op_series()
    print "forms = " words["form"] "\narray form_look[" words["form"] "]"
    for (f = 1; f <= words["form"]; f++)
        print "form_look[" f "] = " as_number(word_of["form", f, "mark"] == "" ? (f == 1 ? 0 : -1) : word_of["form", f, "mark"])
    print_title("Share of a layer's time that its norms take, with 95 % intervals", group row_words())
    print "two_places = " two_places + 0
}
function print_blocks(name, block,    s, f) {
    print name " << END_OF_DATA"
    for (s = 1; s <= op_count(); s++)
        for (f = 1; f <= words["form"]; f++)
            print (block[s, f] == "" ? "NaN NaN NaN NaN\n" : block[s, f]) "\n"
    print "END_OF_DATA"
}
function point(i, y, stem) {
    return sprintf("%.3f %.6g %.6g %.6g\n", y, 100 * cell[i, stem], 100 * bound(i, stem, "lo"), 100 * bound(i, stem, "hi"))
}

function in_figure(i) {
    return cell[i, "part"] == "layer" && cell[i, "norm_share"] + 0 > 0 && stands(i) && is_norm(cell[i, "op"])
}
function bound(i, stem, end) { return cell[i, stem "_" end "95"] == "" ? cell[i, stem] : cell[i, stem "_" end "95"] }
