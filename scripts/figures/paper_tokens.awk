# SPDX-License-Identifier: MIT
# Figure 2 of the paper on synthetic activations, from tokens.csv: LayerNorm's output against its input. Each token's points lie on a straight
# line; lines of tokens with different deviations add up to an S, which the mean over slices of x shows.
function figure(    names, count, i, p) {
    count = csv_read(run "/paper/tokens.csv", table, names)
    if (count < 0) {
        print "there is no paper/tokens.csv"
        return
    }
    for (i = 1; i <= count; i++) {
        p = panel_of(panel_words(i))
        size = table[i, "x"] < 0 ? -table[i, "x"] : table[i, "x"] + 0
        if (size > widest[p] + 0)
            widest[p] = size
    }
    for (i = 1; i <= count; i++) {
        p = panel_of(panel_words(i))
        points[p] = points[p] point(i) "\n"
        token_ends(p, table[i, "token"], i)
        slice = slice_of(table[i, "x"] / widest[p])
        sum_x[p, slice] += table[i, "x"]
        sum_y[p, slice] += table[i, "y"]
        number[p, slice]++
    }
    print "$data << END_OF_DATA"
    for (p = 1; p <= panels; p++) {
        print points[p] "\n"
        # Of a straight line, two points say all.
        for (i = 0; (p, i) in first; i++) {
            print point(first[p, i])
            print point(last[p, i]) "\n"
        }
        print "\n"
        for (slice = -slices; slice <= slices; slice++)
            if (number[p, slice] >= 3)
                print sum_x[p, slice] / number[p, slice], sum_y[p, slice] / number[p, slice]
        print "\n"
    }
    print "END_OF_DATA"
    print_panels()
    print_title("SYNTHETIC activations: LayerNorm's output against its input (after the paper's figure 2)", \
        "48 tokens of 768 channels, a sample of the channels shown; the fused f32 kernel without affine parameters; thin: each token's line; thick: mean of slices of x")
}

function point(i) { return as_number(table[i, "x"]) " " as_number(table[i, "y"]) }
# first[p, token], last[p, token]: the rows with its smallest and its largest x.
function token_ends(p, token, i) {
    if (!((p, token) in first))
        first[p, token] = last[p, token] = i
    if (table[i, "x"] + 0 < table[first[p, token], "x"] + 0)
        first[p, token] = i
    if (table[i, "x"] + 0 > table[last[p, token], "x"] + 0)
        last[p, token] = i
}

# Slices grow away from zero, where points are few.
function slice_of(part,    root) {
    slices = 7
    root = sqrt(part < 0 ? -part : part) * slices
    root = int(root + 0.5)
    return part < 0 ? -root : root
}
function panel_words(i) {
    if (table[i, "input"] == "normal")
        return table[i, "spread"] == 0 ? "channels and tokens alike" : "channels alike, token deviations exp(" table[i, "spread"] " normal)"
    return "1 % outlier channels, token deviations 0.5 to 2" (table[i, "spread"] == 0 ? "" : ", times exp(" table[i, "spread"] " normal)")
}
