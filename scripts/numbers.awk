# SPDX-License-Identifier: MIT
# Numbers with intervals: arithmetic, and how they are written. A quantity is a triple in an array: q["v"], q["lo"], q["hi"]; lo and hi are
# empty where the interval is missing, and q["v"] is empty, with the reason in q["why"], where the quantity itself is. The interval of a result
# takes the interval of each operand at its worst end: wider than needed where operands are independent, never too narrow.

# Numbers, so that comparisons are of numbers: a field of a file is text.
function set(q, v, lo, hi) {
    q["v"] = v == "" ? "" : v + 0
    q["lo"] = v == "" || lo == "" ? "" : lo + 0
    q["hi"] = v == "" || hi == "" ? "" : hi + 0
    q["why"] = ""
}
function missing(q, why) {
    set(q, "", "", "")
    q["why"] = why
}
function copy(q, other) {
    set(q, other["v"], other["lo"], other["hi"])
    q["why"] = other["why"]
}
function known(q) { return q["lo"] != "" && q["hi"] != "" }

# q += factor * other
function add_times(q, factor, other) {
    if (q["v"] == "" || other["v"] == "") {
        missing(q, q["v"] == "" ? q["why"] : other["why"])
        return
    }
    if (known(q) && known(other))
        set(q, q["v"] + factor * other["v"], q["lo"] + factor * other["lo"], q["hi"] + factor * other["hi"])
    else
        set(q, q["v"] + factor * other["v"], "", "")
}

# q = scale * (above / below - offset), of positive quantities.
function quotient(q, above, below, scale, offset) {
    if (above["v"] == "" || below["v"] == "")
        missing(q, above["v"] == "" ? above["why"] : below["why"])
    else if (below["v"] + 0 <= 0)
        missing(q, "the time it would be held against is not above zero")
    else if (!known(above) || !known(below) || below["lo"] <= 0)
        set(q, scale * (above["v"] / below["v"] - offset), "", "")
    else
        set(q, scale * (above["v"] / below["v"] - offset), scale * (above["lo"] / (above["lo"] < 0 ? below["lo"] : below["hi"]) - offset), \
            scale * (above["hi"] / (above["hi"] < 0 ? below["hi"] : below["lo"]) - offset))
}

# ---- Words

# Decimals that an interval supports: the last digit is worth no more than half its width; four at most.
function decimals(q,    width, n) {
    width = known(q) ? (q["hi"] - q["lo"]) / 2 : (q["v"] < 0 ? -q["v"] : q["v"]) / 50
    for (n = 0; n < 4 && width < 1; n++)
        width *= 10
    return n
}
function rounded(value, n,    text) {
    text = value == "" ? "" : sprintf("%." n "f", value)
    return text ~ /^-[0.]*$/ ? substr(text, 2) : text # no minus zero
}
function with_interval(q, unit, n) {
    n = n == "" ? decimals(q) : n
    unit = unit == "1" ? "" : " " unit
    return rounded(q["v"], n) unit (known(q) ? " [" rounded(q["lo"], n) ", " rounded(q["hi"], n) "]" : " [no interval]")
}
