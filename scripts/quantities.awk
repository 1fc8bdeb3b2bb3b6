# SPDX-License-Identifier: MIT
# What tables and verdicts are computed from: rows of layers.csv and kernels.csv by selector, and from them times, changes and shares of a
# layer or a model, each with an interval. Needs csv.awk and numbers.awk. A selector is words column=value, where value may be several, a|b.

# Reads a table into data[table, i, column] and rows[table]; false: the file is no table with these columns.
function take_table(table, path, must_have,    all, names, i, k) {
    rows[table] = csv_read(path, all, names)
    if (rows[table] < 0 || !csv_has(names, must_have)) {
        rows[table] = 0
        return 0
    }
    for (i = 1; i <= rows[table]; i++)
        for (k = 1; k <= names[0]; k++)
            data[table, i, names[k]] = all[i, names[k]]
    return 1
}

# ---- Rows

function one_of(value, list,    part, n) {
    if (value == list)
        return 1
    for (n = split(list, part, "|"); n > 0; n--)
        if (part[n] == value)
            return 1
    return 0
}

function matches(table, i, selector,    word, n, equals) {
    for (n = split(selector, word, " "); n > 0; n--) {
        equals = index(word[n], "=")
        if (!one_of(data[table, i, substr(word[n], 1, equals - 1)], substr(word[n], equals + 1)))
            return 0
    }
    return 1
}

# Strength of a hand-written level; weaker than all: what a compiler or a library made.
function strength(level,    i, n, order) {
    n = split("scalar sse2 neon avx2 avx512 avx512bf16 sve", order, " ")
    for (i = 1; i <= n; i++)
        if (order[i] == level)
            return i
    return 0
}

# The variants that an op's name alone stands for, with or without affine parameters: layernorm is onepass fused, twopass op by op (and fused
# in runs from before there was onepass), welford in form framework, where dyt is sleef.
function is_default_variant(variant, form) {
    return form == "framework" ? variant ~ /^(std|welford|sleef)(_|$)/ : variant ~ /^(std|onepass|twopass|u2)(_|$)/
}

# The measured row that a selector means: of several, in this order, the default variant, most tokens, most threads, the strongest level. 0
# if there is none, and then `why_not` says why.
function find_row(table, selector,    i, best, score, top, status, reason) {
    why_not = ""
    for (i = 1; i <= rows[table]; i++) {
        if (!matches(table, i, selector))
            continue
        status = data[table, i, "status"]
        if ((status != "ok" && status != "unstable") || data[table, i, "time_ns_median"] == "") {
            reason = status (data[table, i, "reason"] == "" ? "" : ", " data[table, i, "reason"])
            continue
        }
        score = is_default_variant(data[table, i, "variant"], data[table, i, "form"]) * 1e15 + data[table, i, "rows"] * 1e7 \
            + data[table, i, "threads"] * 100 + strength(data[table, i, "level"])
        if (!best || score > top) {
            best = i
            top = score
        }
    }
    if (!best)
        why_not = !rows[table] ? "there is no " table ".csv" \
            : reason != "" ? "the row of " table ".csv with " selector " is " reason : "no row of " table ".csv has " selector
    return best
}

# What two rows must share for one to be held against the other.
function conditions_of(table, i,    n, k, name, text, columns) {
    columns = table == "layers" ? "run_id model phase dtype threads placement cache batch tokens context depth stage part rows cols" \
                                : "run_id pass dtype threads placement cache rows cols"
    n = split(columns, name, " ")
    for (k = 1; k <= n; k++)
        text = text (k > 1 ? " " : "") name[k] "=" data[table, i, name[k]]
    return text
}

# ---- Quantities

function take(q, table, i, stem, suffix) {
    set(q, data[table, i, stem suffix], data[table, i, stem "_lo95"], data[table, i, stem "_hi95"])
    if (q["v"] == "")
        q["why"] = table ".csv has no " stem " for " data[table, i, "op"] " " data[table, i, "form"]
}
# The rows of an arm: arm["layer"], and for part model arm["ends"] too; false with why_not. `like` is an arm whose conditions it must share,
# or empty.
function find_arm(arm, selector, where, part, like,    here) {
    here = selector " " where
    arm["ends"] = 0
    arm["layer"] = find_row("layers", "layer" in like ? selector " " conditions_of("layers", like["layer"]) : here " part=layer")
    if (arm["layer"] && part == "model")
        arm["ends"] = find_row("layers", "ends" in like ? selector " " conditions_of("layers", like["ends"]) : here " part=ends " \
            same_run(arm["layer"]))
    return arm["layer"] && (part != "model" || arm["ends"])
}
function same_run(i) {
    return "run_id=" data["layers", i, "run_id"] " threads=" data["layers", i, "threads"] " placement=" data["layers", i, "placement"] " tokens=" data["layers", i, "tokens"] \
        " batch=" data["layers", i, "batch"]
}

# A column of an arm, of one layer or of `layers` of them and the ends. No norm at all takes no time.
function of_arm(q, arm, stem, part, layers,    ends) {
    if (data["layers", arm["layer"], "op"] == "identity" && stem ~ /^norm_/) {
        set(q, 0, 0, 0)
        return
    }
    take(q, "layers", arm["layer"], stem, stem == "norm_share" ? "" : "_median")
    if (part != "model")
        return
    take(ends, "layers", arm["ends"], stem, "_median")
    add_times(ends, layers, q)
    copy(q, ends)
}

# The change of the total in percent. Where the rest of the layer was found the same in both arms, it is that of the norms, timed in place,
# relative to the total; else that of the totals, from the paired samples if the baseline is the model's own norm. `method` says which.
function total_change(q, subject, baseline, part, layers,    above, below, total, a, i, j) {
    i = subject["layer"]
    j = baseline["layer"]
    of_arm(total, baseline, "time_ns", part, layers)
    if (rest_same(i) && rest_same_or_reference(j)) {
        method = "in place"
        if (is_paired(i, j, "norm_delta")) {
            paired_change(q, subject, baseline, part, layers, "norm_delta", "time_ns")
            return
        }
        of_arm(above, subject, "norm_time_ns", part, layers)
        of_arm(below, baseline, "norm_time_ns", part, layers)
        if (above["v"] == "" || below["v"] == "" || total["v"] == "") {
            missing(q, above["v"] == "" ? above["why"] : below["v"] == "" ? below["why"] : total["why"])
            return
        }
        if (known(above) && known(below))
            set(a, above["v"] - below["v"], above["lo"] - below["hi"], above["hi"] - below["lo"])
        else
            set(a, above["v"] - below["v"], "", "")
        quotient(q, a, total, 100, 0)
        return
    }
    method = "totals"
    if (!is_paired(i, j, "delta_to_native")) {
        of_arm(above, subject, "time_ns", part, layers)
        quotient(q, above, total, 100, 1)
        return
    }
    method = "totals, paired"
    paired_change(q, subject, baseline, part, layers, "delta_to_native", "time_ns")
}
# Whether row i has a change, from paired samples, against row j: the model's own norm in the same form.
function is_paired(i, j, change) {
    return data["layers", i, change "_pct"] != "" && data["layers", j, "delta_to_native_pct"] + 0 == 0 && \
        data["layers", i, "form"] == data["layers", j, "form"]
}
# Such a change, in percent of the baseline's `stem`; of a model: of its ends and of `layers` layers, by what each has of that time.
function paired_change(q, subject, baseline, part, layers, change, stem,    of_layer, of_ends, whole, share) {
    paired_of(of_layer, subject["layer"], change)
    if (part != "model") {
        copy(q, of_layer)
        return
    }
    paired_of(of_ends, subject["ends"], change)
    of_arm(whole, baseline, stem, part, layers)
    share = layers * data["layers", baseline["layer"], stem "_median"] / whole["v"]
    set(q, 0, 0, 0)
    add_times(q, share, of_layer)
    add_times(q, 1 - share, of_ends)
}
function paired_of(q, i, change) {
    set(q, data["layers", i, change "_pct"], data["layers", i, change "_lo95"], data["layers", i, change "_hi95"])
    if (q["v"] == "")
        q["why"] = "layers.csv has no " change " for part " data["layers", i, "part"]
}
# The change of the norms' own time in percent: from paired samples where the table has them.
function norms_change(q, subject, baseline, part, layers,    above, below) {
    method = "in place"
    if (is_paired(subject["layer"], baseline["layer"], "norm_change")) {
        paired_change(q, subject, baseline, part, layers, "norm_change", "norm_time_ns")
        return
    }
    of_arm(above, subject, "norm_time_ns", part, layers)
    of_arm(below, baseline, "norm_time_ns", part, layers)
    quotient(q, above, below, 100, 1)
}
# The row of the model's own norm beside row i of layers.csv: the one that nothing is held against. 0 if there is none.
function native_row(i,    j, here) {
    here = conditions_of("layers", i) " form=" data["layers", i, "form"]
    for (j = 1; j <= rows["layers"]; j++)
        if (data["layers", j, "op"] != "identity" && data["layers", j, "op"] != "dyt" && data["layers", j, "delta_to_native_pct"] + 0 == 0 && \
            matches("layers", j, here) && data["layers", j, "time_ns_median"] != "" && is_default_variant(data["layers", j, "variant"], data["layers", j, "form"]))
            return j
    return 0
}
function rest_same(i) { return data["layers", i, "rest_equivalent"] == "1" }
# The reference of the comparison has nothing to be equivalent to.
function rest_same_or_reference(i) { return rest_same(i) || data["layers", i, "rest_equivalent"] == "" }

function norm_share(q, arm, part, layers,    norms, total) {
    if (part != "model") {
        of_arm(norms, arm, "norm_share", part, layers)
        set(total, 1, 1, 1)
    } else {
        of_arm(norms, arm, "norm_time_ns", part, layers)
        of_arm(total, arm, "time_ns", part, layers)
    }
    quotient(q, norms, total, 100, 0)
}

# Time over time of two rows of kernels.csv: from paired samples where the table has them, for rmsnorm of the same form and level.
function time_ratio(q, i, j,    above, below) {
    if (data["kernels", j, "op"] == "rmsnorm" && data["kernels", i, "ratio_to_rmsnorm"] != "" && \
        data["kernels", i, "form"] == data["kernels", j, "form"] && data["kernels", i, "level"] == data["kernels", j, "level"]) {
        method = "paired"
        set(q, data["kernels", i, "ratio_to_rmsnorm"], data["kernels", i, "ratio_lo95"], data["kernels", i, "ratio_hi95"])
        return
    }
    method = "times"
    take(above, "kernels", i, "time_ns", "_median")
    take(below, "kernels", j, "time_ns", "_median")
    quotient(q, above, below, 1, 0)
}
