# SPDX-License-Identifier: MIT
# Judges every row of results/published/claims.csv by the rows of one run:
#     awk -f csv.awk -f quantities.awk -f claims.awk CLAIMS.csv LAYERS.csv KERNELS.csv VERDICTS.csv
# prints the list for people and writes VERDICTS.csv. A table that is not there makes its claims `cannot tell`. Which rows a claim is about and
# when it holds is data, in claims.csv; what is here is how: a claim holds if the whole interval lies in [holds_lo, holds_hi], does not if all
# of it lies outside, and else nobody can tell.
BEGIN {
    if (!take_table("claims", ARGV[1], "holds_lo")) {
        print "claims: " ARGV[1] " is not a table of claims, see results/README.md" > "/dev/stderr"
        exit 2
    }
    take_table("layers", ARGV[2], "norm_share")
    take_table("kernels", ARGV[3], "ratio_to_rmsnorm")
    verdicts = ARGV[4]
    print "schema_version,id,claim,source,confidence,published,published_lo,published_hi,unit,here,here_lo,here_hi,holds_lo,holds_hi,verdict," \
        "method,dtype,threads,tokens,published_tokens,scaled,why" > verdicts
    for (c = 1; c <= rows["claims"]; c++)
        judge(c)
    close(verdicts)
    if (any_scaled)
        print "SCALED: lines so marked were measured with fewer tokens or rows than published."
    printf "%d of %d claims hold here, %d do not, %d cannot be told.\n", count["holds"], rows["claims"], count["does not hold"], \
        count["cannot tell"]
}

function claim(column) { return data["claims", c, column] }

function judge(c,    q, row, verdict, why) {
    scaled = 0
    method = tokens = ""
    row = evaluate(c, q)
    verdict = q["v"] == "" || !known(q) ? "cannot tell" : place(q, claim("holds_lo"), claim("holds_hi"))
    why = sentence(q, verdict, row)
    count[verdict]++
    any_scaled = any_scaled || scaled
    write_row(q, verdict, why, row)
    print_claim(q, verdict, why, row)
}

# Sets q; returns the row of the subject, 0 if there is none.
function evaluate(c, q,    table, subject, baseline, none, i, j, need) {
    table = claim("table")
    if (table == "kernels") {
        i = find_row(table, claim("subject") " " claim("where"))
        if (i)
            j = find_row(table, claim("baseline") " " conditions_of(table, i))
        if (!i || !j) {
            missing(q, why_not)
            return i
        }
        mark_scaled(table, i, "rows")
        time_ratio(q, i, j)
        return note_unstable(table, i, j)
    }
    need = claim("baseline") != ""
    if (!find_arm(subject, claim("subject"), claim("where"), claim("part"), none)) {
        missing(q, why_not)
        return subject["layer"]
    }
    i = subject["layer"]
    mark_scaled(table, i, "tokens")
    if (need && !find_arm(baseline, claim("baseline"), claim("where"), claim("part"), subject)) {
        missing(q, why_not)
        return i
    }
    if (claim("quantity") == "norm_change") {
        norms_change(q, subject, baseline, claim("part"), claim("layers"))
    } else if (claim("quantity") == "total_change") {
        total_change(q, subject, baseline, claim("part"), claim("layers"))
    } else if (claim("quantity") == "norm_share") {
        method = "in place"
        norm_share(q, subject, claim("part"), claim("layers"))
    } else {
        missing(q, "nothing computes the quantity " claim("quantity"))
    }
    return note_unstable(table, i, need ? baseline["layer"] : i)
}

function mark_scaled(table, i, column) {
    tokens = data[table, i, column]
    scaled = data[table, i, "scaled"] == "1" || (claim("tokens") != "" && tokens + 0 < claim("tokens") + 0)
}
function note_unstable(table, i, j) {
    unstable = data[table, i, "status"] == "unstable" || data[table, j, "status"] == "unstable"
    return i
}

# Where an interval lies with respect to [lo, hi], either of which may be open.
function place(q, lo, hi) {
    if ((lo == "" || q["lo"] >= lo + 0) && (hi == "" || q["hi"] <= hi + 0))
        return "holds"
    if ((lo != "" && q["hi"] < lo + 0) || (hi != "" && q["lo"] > hi + 0))
        return "does not hold"
    return "cannot tell"
}

# Decimals with which the printed interval lies where the interval lies: 1.0 for 1.04 would seem to touch a bound of 1.
function digits(q,    n, shown) {
    n = decimals(q)
    if (!known(q))
        return n
    for (; n < 6; n++) {
        set(shown, q["v"], rounded(q["lo"], n), rounded(q["hi"], n))
        if (side(shown["lo"]) == side(q["lo"]) && side(shown["hi"]) == side(q["hi"]))
            break
    }
    return n
}
function side(x) {
    return (claim("holds_lo") == "" ? "" : x + 0 < claim("holds_lo") + 0 ? "<" : x + 0 > claim("holds_lo") + 0 ? ">" : "=") \
        (claim("holds_hi") == "" ? "" : x + 0 < claim("holds_hi") + 0 ? "<" : x + 0 > claim("holds_hi") + 0 ? ">" : "=")
}

function arm_name(selector) {
    gsub(/[a-z]+=/, "", selector)
    return selector
}

# ---- One sentence, from the numbers

function sentence(q, verdict, row,    text, unit) {
    if (q["v"] == "")
        return "Nothing to judge by: " q["why"] "."
    unit = claim("unit") == "1" ? "" : " " claim("unit")
    text = measured(q)
    if (!known(q))
        return text ", without an interval: it takes at least six launches."
    text = text ", which " (verdict == "holds" ? "lies wholly " region(0) : verdict == "does not hold" ? "lies wholly outside what the claim allows, " \
        region(1) : "reaches across the edge of what the claim allows, " region(1)) unit "."
    if (row && unstable)
        text = text " The row is marked unstable."
    if (method ~ /^totals/)
        text = text " From the totals: the rest of the layer was not shown to be the same in both arms."
    return text
}

function measured(q,    size, subject, baseline) {
    subject = arm_name(claim("subject"))
    baseline = arm_name(claim("baseline"))
    if (claim("quantity") == "norm_share")
        return "With " subject " the norms take " with_interval(q, "%", digits(q)) " of the time of the " claim("part")
    if (claim("quantity") == "time_ratio")
        return "The time of " subject " over that of " baseline " is " with_interval(q, "1", digits(q))
    return "With " subject " instead of " baseline " the time of the " (claim("quantity") == "norm_change" ? "norms" : claim("part")) \
        " changes by " with_interval(q, "%", digits(q))
}

function region(bare,    lo, hi) {
    lo = claim("holds_lo")
    hi = claim("holds_hi")
    if (lo != "" && hi != "")
        return (bare ? "" : "in ") lo " to " hi
    return lo != "" ? (bare ? "at least " : "at or above ") lo : (bare ? "at most " : "at or below ") hi
}

# ---- Output

function print_claim(q, verdict, why, row,    published, unit, here) {
    unit = claim("unit") == "1" ? "" : " " claim("unit")
    published = claim("published") == "" ? "no value" : claim("published") unit
    if (claim("published_lo") != "")
        published = published " (" claim("published_lo") " to " claim("published_hi") " by rounding)"
    printf "%-14s %s\n", toupper(verdict), claim("claim")
    printf "  source       %s\n  published    %s\n", claim("source"), published
    here = q["v"] == "" ? "not measured" : with_interval(q, claim("unit"), digits(q)) run_words(row)
    printf "  here         %s\n", here
    printf "  because      %s\n\n", why
}

function run_words(row,    table) {
    table = claim("table")
    return ", " data[table, row, "dtype"] ", " tokens (table == "kernels" ? " rows" : " tokens") ", " data[table, row, "threads"] " threads" \
        (scaled ? "; SCALED: " tokens " of " (claim("tokens") == "" ? "more" : claim("tokens")) : "")
}

function write_row(q, verdict, why, row,    table) {
    table = claim("table")
    printf "1,%s,%s,%s,%s,%s,%s,%s,%s,", claim("id"), csv_field(claim("claim")), csv_field(claim("source")), claim("confidence"), \
        claim("published"), claim("published_lo"), claim("published_hi"), claim("unit") > verdicts
    printf "%s,%s,%s,%s,%s,%s,%s,", real(q["v"]), real(q["lo"]), real(q["hi"]), claim("holds_lo"), claim("holds_hi"), verdict, \
        (q["v"] == "" ? "" : csv_field(method)) > verdicts
    printf "%s,%s,%s,%s,%s,%s\n", row ? data[table, row, "dtype"] : "", row ? data[table, row, "threads"] : "", row ? tokens : "", \
        claim("tokens"), row ? (scaled ? 1 : 0) : "", csv_field(why) > verdicts
}
function real(value) { return value == "" ? "" : sprintf("%.6g", value) }
