# SPDX-License-Identifier: MIT
# DyT against RMSNorm in LLaMA 7B as comparison.csv has it: published in the first and the second version of the paper, and here. For each
# dtype that was measured a panel for the norms and one for the model, with a group of bars for inference and one for training.
function figure(    names, count, i, p, x, dtypes, dtype, d, place, what, form, scaled, tokens, threads, published_tokens) {
    count = csv_read(run "/paper/comparison.csv", table, names)
    if (count < 0) {
        print "there is no paper/comparison.csv"
        return
    }
    place["prefill"] = 1
    place["train"] = 2
    what["norms_in_place"] = "the norms"
    what["model"] = "the model"
    dtypes = split("bf16 f32", dtype, " ")
    for (d = 1; d <= dtypes; d++)
        for (i = 1; i <= count; i++) {
            x = place[table[i, "phase"]]
            if (table[i, "dtype"] != dtype[d] || table[i, "op"] != "dyt" || table[i, "variant"] ~ /^lp/ || table[i, "form"] == "framework" || !(table[i, "quantity"] in what) || !has_change(dtype[d], count))
                continue
            form = table[i, "form"] == "eager" ? 1 : 2
            p = panel_of(what[table[i, "quantity"]] ", " dtype[d] " here" (dtype[d] == "bf16" ? "" : ", bf16 in the paper"))
            block[p, form, 1] = block[p, form, 1] bar(x + (form == 1 ? -0.3 : 0.1), "published_change", i)
            block[p, form, 2] = block[p, form, 2] bar(x + (form == 1 ? -0.1 : 0.3), "change", i)
            if (table[i, "scaled"] == "1")
                scaled = 1
            if (table[i, "tokens"] != "")
                tokens = table[i, "tokens"]
            threads = table[i, "threads"] == "" ? threads : table[i, "threads"]
            published_tokens = table[i, "published_tokens"]
        }
    if (!panels) {
        print "neither DyT nor RMSNorm was measured in LLaMA 7B"
        return
    }
    print "$data << END_OF_DATA"
    for (p = 1; p <= panels; p++)
        for (form = 1; form <= 2; form++)
            for (i = 1; i <= 2; i++)
                print (block[p, form, i] == "" ? "NaN NaN NaN NaN none\n" : block[p, form, i]) "\n"
    print "END_OF_DATA"
    print_panels()
    print_title("LLaMA 7B: change of time with DyT instead of RMSNorm" (scaled ? " (SCALED: " tokens " tokens of " published_tokens ")" : ""), \
        tokens " tokens, " plural(threads, "thread") " here, norms timed in place; below 0 DyT is faster; published: intervals by rounding; here: 95 %; ?: not measured")
}

function has_change(dtype, count,    i) {
    for (i = 1; i <= count; i++)
        if (table[i, "dtype"] == dtype && table[i, "change_pct"] != "")
            return 1
    return 0
}
# A bar without a value is a question mark. In runs from before there were texts, three digits will do.
function bar(x, stem, i,    value, lo, hi, text) {
    value = table[i, stem "_pct"]
    lo = table[i, stem == "change" ? "change_lo95" : "published_change_lo"]
    hi = table[i, stem == "change" ? "change_hi95" : "published_change_hi"]
    if (value == "")
        return sprintf("%.2f 0 0 0 \"?\"\n", x)
    text = (i, stem "_text") in table ? table[i, stem "_text"] : sprintf("%.3g", value)
    return sprintf("%.2f %.6g %.6g %.6g %s\n", x, value, lo == "" ? value : lo, hi == "" ? value : hi, in_data(text))
}
