# SPDX-License-Identifier: MIT
# Where a layer's time goes, with the model's own norm, fused, by model and phase: one panel with bars, and one with a log axis, on which
# slivers can be read.
function figure(    group, list, n, i, k, kinds, kind_name, names, count, key, y, sum, share, norms) {
    count = csv_read(run "/steps.csv", step, names)
    group = largest_group()
    rows_of_group(group, list)
    if (count < 0 || !list[0]) {
        print (count < 0 ? "there is no steps.csv" : "no layer was measured with its own norm, fused")
        return
    }
    for (n = 1; n <= list[0]; n++)
        chosen[arm_key(list[n], cell)] = list[n]
    for (i = 1; i <= count; i++) {
        key = arm_key(i, step)
        if (key in chosen)
            spent[chosen[key], step[i, "kind"] == "norm" ? step[i, "op"] : step[i, "kind"]] += step[i, "time_ns_median"]
    }
    # The norm stands first, where bars of different layers can be compared.
    for (n = 1; n <= list[0]; n++)
        op_rank(cell[list[n], "op"])
    for (i = 1; i <= count; i++)
        if (step[i, "kind"] != "norm" && arm_key(i, step) in chosen)
            rank("step", step[i, "kind"])
    norms = op_count()
    kinds = norms + words["step"]
    for (k = 1; k <= kinds; k++)
        kind_name[k] = k <= norms ? word["op", k] : word["step", k - norms]
    panel_of("stacked; the number is the share of the norms")
    for (n = 1; n <= list[0]; n++) {
        i = list[n]
        y = row_in(1, layer_label(i))
        sum = 0
        for (k = 1; k <= kinds; k++) {
            share = 100 * spent[i, kind_name[k]] / cell[i, "time_ns_median"]
            if (share <= 0)
                continue
            used[k] = 1
            block[k] = block[k] sprintf("%d %.6g %.6g %.4g\n", y, sum, sum + share, share)
            sum += share
        }
    }
    if (!length_of(used)) {
        print "steps.csv has no step of a layer with its own norm, fused"
        return
    }
    print "$data << END_OF_DATA"
    for (k = 1; k <= kinds; k++)
        print (block[k] == "" ? "NaN NaN NaN NaN\n" : block[k]) "\n"
    print "END_OF_DATA"
    print "norms = " norms
    print "kinds = " kinds "\narray kind[" kinds "]\narray kind_title[" kinds "]"
    for (k = 1; k <= kinds; k++)
        print "kind[" k "] = " quoted(kind_name[k]) "; kind_title[" k "] = " quoted(used[k] ? (k <= norms ? "norm: " : "") kind_name[k] : "")
    print_rows()
    panel_of("the same on a log axis")
    print_panels()
    print_title("Where a layer's time goes, with the model's own norm", "fused, " group row_words())
}

function length_of(list,    key, n) {
    for (key in list)
        n++
    return n
}
function in_figure(i) { return cell[i, "part"] == "layer" && cell[i, "form"] == "fused" && is_native(i) && stands(i) }
