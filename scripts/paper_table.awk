# SPDX-License-Identifier: MIT
# The paper's efficiency table with this run's values beside the published ones:
#     awk -f csv.awk -f quantities.awk -f paper_table.awk EFFICIENCY.csv LAYERS.csv COMPARISON.csv
# writes COMPARISON.csv and prints the table in Markdown, then what the authors never timed: DyT against each model's own norm.
BEGIN {
    if (!take_table("published", ARGV[1], "time_s")) {
        print "paper_table: " ARGV[1] " is not the published table, see results/README.md" > "/dev/stderr"
        exit 2
    }
    if (!take_table("layers", ARGV[2], "norm_share")) {
        print "paper_table: " ARGV[2] " is not a layers.csv, see results/README.md" > "/dev/stderr"
        exit 2
    }
    comparison = ARGV[3]
    print "schema_version,dtype,phase,form,op,quantity,time_s,time_s_lo95,time_s_hi95,change_pct,change_lo95,change_hi95,method,published_version," \
        "published_table,published_s,published_s_lo,published_s_hi,published_change_pct,published_change_lo,published_change_hi,layers,tokens," \
        "published_tokens,scaled,threads,reason,variant" > comparison
    model = data["published", 1, "model"]
    layers = data["published", 1, "layers"]
    norms = data["published", 1, "norms"]
    published_tokens = data["published", 1, "tokens"]
    coarse = "lp|lp_nobeta" # of bf16's accuracy, not the default
    dtypes = split("bf16 f32", dtype, " ")
    phases = split("prefill train", phase, " ")
    for (d = 1; d <= dtypes; d++)
        for (p = 1; p <= phases; p++)
            efficiency(dtype[d], phase[p])
    close(comparison)
    never_timed()
}

function phase_word(phase) { return phase == "prefill" ? "inference" : phase == "train" ? "training" : phase }

# ---- The efficiency table of one dtype and phase

function efficiency(dtype, phase,    where, forms, form, ops, op, f, o, i) {
    notes = 0
    where = "model=" model " phase=" phase " dtype=" dtype
    i = find_row("layers", where " part=layer")
    tokens = i ? data["layers", i, "tokens"] : ""
    scaled = i && tokens + 0 < published_tokens + 0
    printf "### LLaMA 7B, %s, %s%s\n\n", phase_word(phase), dtype, \
        scaled ? ": SCALED, " tokens " tokens instead of " published_tokens : i ? ", " tokens " tokens" : ""
    if (!i)
        print "Not measured: " why_not ".\n"
    else
        printf "Seconds per pass with 95 %% intervals; %s threads. Norms are all %d of the model, timed in place, and as the model less the model " \
            "without norms, which is how the paper has them. A model is its ends and %d times a layer. Published times are of the H100 in bf16. eager is ideal op by op, without what a framework adds; framework is op by op as PyTorch's eager mode runs it on a CPU.\n\n", \
            data["layers", i, "threads"], norms, layers
    print "| form | norm | norms, in place | norms, by identity | one layer | model | published norms | published model |"
    print "|---|---|---|---|---|---|---|---|"
    forms = split("eager framework fused", form, " ")
    ops = split("rmsnorm dyt", op, " ")
    for (f = 1; f <= forms; f++)
        for (o = 1; o <= ops; o++)
            table_row(where, phase, dtype, form[f], op[o], "")
    if (find_row("layers", where " part=layer form=fused op=dyt variant=" coarse))
        table_row(where, phase, dtype, "fused", "dyt", coarse)
    table_row(where, phase, dtype, "", "identity", "")
    print ""
    if (i)
        for (f = 1; f <= notes; f++)
            print "Not measured: " note_text[f] ".\n"
}

# variant: the one that is meant where it is not the default.
function table_row(where, phase, dtype, form, op, variant,    selector, arm, base, none, found, text) {
    selector = "op=" op (form == "" ? "" : " form=" form) (variant == "" ? "" : " variant=" variant)
    found = find_arm(arm, selector, where, "model", none)
    base["layer"] = 0
    missed = found ? "" : why_not
    if (!found)
        note_missing(why_not)
    if (op == "dyt" && arm["layer"])
        find_arm(base, "op=rmsnorm form=" form, where, arm["ends"] ? "model" : "layer", arm)
    text = "| " (form == "" ? "any" : form) " | " (op == "identity" ? "none" : op) (variant == "" ? "" : ", tanh for bf16 (lp)")
    text = text " | " cell_value(arm, base, phase, dtype, form, op, "norms_in_place", "norm_time_ns")
    text = text " | " cell_value(arm, base, phase, dtype, form, op, "norms_by_identity", "norm_by_identity_ns")
    text = text " | " cell_value(arm, base, phase, dtype, form, op, "layer", "time_ns")
    text = text " | " cell_value(arm, base, phase, dtype, form, op, "model", "time_ns")
    print text " | " published_text(phase, form, op, "norms") " | " published_text(phase, form, op, "model") " |"
}

function note_missing(why,    k) {
    for (k = 1; k <= notes; k++)
        if (note_text[k] == why)
            return
    note_text[++notes] = why
}

# One value of an arm as a row of comparison.csv and a cell of the table.
function cell_value(arm, base, phase, dtype, form, op, quantity, stem,    q, below, change, part, i, text, known_arm) {
    part = quantity == "layer" ? "layer" : "model"
    known_arm = arm["layer"] && (part == "layer" || arm["ends"])
    method = ""
    missing(change, "")
    if (known_arm)
        of_arm(q, arm, stem, part, layers)
    else
        missing(q, missed)
    if (op == "dyt" && base["layer"] && q["v"] != "") {
        if (quantity == "layer" || quantity == "model") {
            total_change(change, arm, base, part, layers)
        } else if (quantity == "norms_in_place") {
            norms_change(change, arm, base, part, layers)
        } else {
            method = "totals"
            of_arm(below, base, stem, part, layers)
            quotient(change, q, below, 100, 1)
        }
    }
    i = arm["layer"]
    printf "1,%s,%s,%s,%s,%s,", dtype, phase, form, op, quantity > comparison
    printf "%s,%s,%s,%s,%s,%s,%s,", seconds(q["v"]), seconds(q["lo"]), seconds(q["hi"]), real(change["v"]), real(change["lo"]), real(change["hi"]), \
        (change["v"] == "" ? "" : csv_field(method)) > comparison
    write_published(phase, form, op, quantity ~ /^norms/ ? "norms" : quantity)
    printf "%s,%s,%s,%s,%s,%s,%s\n", layers, known_arm ? data["layers", i, "tokens"] : "", published_tokens, \
        (known_arm ? scaled_row(i) : ""), (known_arm ? data["layers", i, "threads"] : ""), csv_field(q["why"]), (arm["layer"] ? data["layers", i, "variant"] : "") > comparison
    if (q["v"] == "")
        return "-"
    if (op == "identity" && quantity ~ /^norms/)
        return "0"
    text = in_seconds(q)
    if (change["v"] != "")
        text = text " (" (known(change) ? with_interval(change, "%") : "change unknown") ")"
    return text
}

function scaled_row(i) { return data["layers", i, "scaled"] == "1" || data["layers", i, "tokens"] + 0 < published_tokens + 0 ? 1 : 0 }

function in_seconds(q,    s) {
    set(s, q["v"] / 1e9, q["lo"] == "" ? "" : q["lo"] / 1e9, q["hi"] == "" ? "" : q["hi"] / 1e9)
    return with_interval(s, "s")
}
function seconds(ns) { return ns == "" ? "" : sprintf("%.6g", ns / 1e9) }
function real(value) { return value == "" ? "" : sprintf("%.6g", value) }

# ---- The published values

# The row of the published table that stands beside a form: the last version that has it, but for both forms op by op the first, which is the same.
function published_row(phase, form, op, quantity,    i) {
    form = form == "framework" ? "eager" : form
    for (i = 1; i <= rows["published"]; i++)
        if (matches("published", i, "phase=" phase " form=" form " op=" op " quantity=" quantity))
            return i
    return 0
}

function write_published(phase, form, op, quantity,    i, j, change) {
    i = form == "" ? 0 : published_row(phase, form, op, quantity)
    if (!i) {
        printf ",,,,,,,," > comparison
        return
    }
    missing(change, "")
    j = op == "dyt" ? published_row(phase, form, "rmsnorm", quantity) : 0
    if (j)
        published_change(change, i, j)
    printf "%s,%s,%s,%s,%s,%s,%s,%s,", data["published", i, "version"], data["published", i, "table"], per_pass(i, "time_s"), \
        per_pass(i, "time_s_lo"), per_pass(i, "time_s_hi"), real(change["v"]), real(change["lo"]), real(change["hi"]) > comparison
}
function per_pass(i, column) { return real(data["published", i, column] / data["published", i, "passes"]) }

function published_change(q, i, j,    above, below) {
    set(above, data["published", i, "time_s"], data["published", i, "time_s_lo"], data["published", i, "time_s_hi"])
    set(below, data["published", j, "time_s"], data["published", j, "time_s_lo"], data["published", j, "time_s_hi"])
    quotient(q, above, below, 100, 1)
}

function published_text(phase, form, op, quantity,    i, j, change, text) {
    i = form == "" ? 0 : published_row(phase, form, op, quantity)
    if (!i)
        return "-"
    text = per_pass(i, "time_s") " s"
    if (op == "dyt") {
        j = published_row(phase, form, "rmsnorm", quantity)
        published_change(change, i, j)
        text = text sprintf(" (%.1f %%)", change["v"])
    }
    return text
}

# ---- DyT against each model's own norm

function never_timed(    i, j, n, q, share, change, a, b) {
    print "### DyT against each model's own norm, one layer\n"
    print "Change of the norms' time and of the layer's time, in percent, with 95 % intervals; below zero DyT is faster. In form add_fused the residual add counts as part of the norm. The authors timed LLaMA 7B " \
        "alone.\n"
    print "| model | phase | dtype | form | own norm | its share of the layer | norms | layer |"
    print "|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= rows["layers"]; i++) {
        if (!matches("layers", i, "op=dyt part=layer status=ok|unstable") || !is_default_variant(data["layers", i, "variant"], data["layers", i, "form"]))
            continue
        j = native_row(i)
        if (!j)
            continue
        a["layer"] = i
        b["layer"] = j
        norm_share(share, b, "layer", 1)
        norms_change(q, a, b, "layer", 1)
        total_change(change, a, b, "layer", 1)
        printf "| %s | %s%s | %s | %s | %s | %s | %s | %s%s |\n", row_name(i), phase_word(data["layers", i, "phase"]), run_words(i), \
            data["layers", i, "dtype"], data["layers", i, "form"], data["layers", j, "op"], cell_of(share), cell_of(q), cell_of(change), \
            (data["layers", i, "rest_equivalent"] == "0" ? " (interaction)" : "")
        n++
    }
    if (!n)
        print "\nNot measured: layers.csv has no layer with both DyT and the model's own norm."
}
function cell_of(q) { return q["v"] == "" ? "-" : with_interval(q, "%") }
function row_name(i) {
    return data["layers", i, "model"] (data["layers", i, "model"] ~ /^convnext/ ? ", width " data["layers", i, "cols"] : "")
}
function run_words(i) {
    return ", " data["layers", i, "batch"] " x " data["layers", i, "tokens"] (data["layers", i, "phase"] == "decode" ? " after " \
        data["layers", i, "context"] : "") (data["layers", i, "scaled"] == "1" ? ", SCALED" : "")
}
