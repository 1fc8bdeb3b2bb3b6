# SPDX-License-Identifier: MIT
# Figure 4 of the paper on synthetic activations, from the last panel of tokens.csv: the same points coloured by token, whose lines have the
# slope 1 / deviation, and by channel, of which a few hold the extremes.
function figure(    names, count, i, last, group) {
    count = csv_read(run "/paper/tokens.csv", table, names)
    if (count < 0) {
        print "there is no paper/tokens.csv"
        return
    }
    for (i = 1; i <= count; i++)
        last = table[i, "panel"]
    for (i = 1; i <= count; i++) {
        if (table[i, "panel"] != last)
            continue
        spread = table[i, "spread"]
        group = table[i, "outlier"] == "1" ? "outliers" : "plain"
        if (group == "outliers" && !(table[i, "channel"] in outlier)) {
            outlier[table[i, "channel"]] = ++outliers
            name[outliers] = "channel " table[i, "channel"]
        }
        if (!(table[i, "token"] in first))
            first[table[i, "token"]] = last_of[table[i, "token"]] = i
        if (table[i, "x"] + 0 < table[first[table[i, "token"]], "x"] + 0)
            first[table[i, "token"]] = i
        if (table[i, "x"] + 0 > table[last_of[table[i, "token"]], "x"] + 0)
            last_of[table[i, "token"]] = i
        all = all end_of(i) "\n"
        block[group == "plain" ? 0 : outlier[table[i, "channel"]]] = block[group == "plain" ? 0 : outlier[table[i, "channel"]]] \
            as_number(table[i, "x"]) " " as_number(table[i, "y"]) "\n"
    }
    print "$data << END_OF_DATA"
    print all "\n"
    for (i = 0; i in first; i++)
        print end_of(first[i]) "\n" end_of(last_of[i]) "\n"
    print "\n"
    for (i = 0; i <= outliers; i++)
        print block[i] "\n"
    print "END_OF_DATA"
    print "outliers = " outliers + 0 "\narray channel[" outliers + 1 "]"
    for (i = 1; i <= outliers; i++)
        print "channel[" i "] = " quoted(name[i])
    panel_of("by token: colour is its deviation, from small (dark) to large (bright)")
    panel_of("by channel: grey are all but the outliers")
    print_panels()
    print_title("SYNTHETIC activations: the lines of LayerNorm, by token and by channel (after the paper's figure 4)", \
        "48 tokens of 768 channels, 1 % of them outliers; token deviations 0.5 to 2 times exp(" spread " normal); the fused f32 kernel without affine " \
        "parameters")
}

function end_of(i) { return as_number(table[i, "x"]) " " as_number(table[i, "y"]) " " log(table[i, "deviation"]) / log(10) }
