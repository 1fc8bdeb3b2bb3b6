# SPDX-License-Identifier: MIT
# DyT over RMSNorm or LayerNorm as others published it, for 4096 columns, with what the kernels here answer to pairs.csv beside: one panel for
# each pass. A published pair has one source, machine and shape; its norm is of the same make, or the framework's own kernel where DyT is the
# framework's work.
function figure(    names, count, ours, i, j, p, s) {
    count = csv_read(published "/others.csv", other, names)
    ours = csv_read(run "/paper/answers.csv", answer, names)
    if (count < 0 || ours < 0) {
        print (count < 0 ? "there is no others.csv of what was published" : "there is no kernels.csv")
        return
    }
    for (p = 1; p <= 2; p++) {
        panel_of(p == 1 ? "forward" : "backward")
        for (i = 1; i <= ours; i++)
            if (answer[i, "pass"] == panel_title[p] && answer[i, "here"] != "")
                here(p, i)
        for (i = 1; i <= count; i++)
            for (j = 1; j <= count; j++)
                if (other[i, "pass"] == panel_title[p] && published_pair(i, j))
                    add(p, other[j, "op"], 1, other[i, "hardware"] ": " other[i, "implementation"] \
                        (other[i, "variant"] == "nobeta" ? ", no beta" : "") " / " other[j, "op"], other[i, "time_ms"] / other[j, "time_ms"], "", "")
    }
    if (!drawn) {
        print "kernels.csv has no dyt and norm in bf16 at 4096x4096"
        return
    }
    print "$data << END_OF_DATA"
    for (p = 1; p <= panels; p++)
        for (s = 1; s <= op_count(); s++)
            for (i = 1; i <= 2; i++)
                print (block[p, s, i] == "" ? "NaN NaN NaN NaN\n" : block[p, s, i]) "\n"
    print "END_OF_DATA"
    print_panels()
    print "array panel_tics[" panels "]\nmost_rows = " most_rows
    for (p = 1; p <= panels; p++)
        print "panel_tics[" p "] = " quoted("set ytics (" tics[p] ")")
    print_op_series()
    print_title("Time of DyT over that of a norm: published kernels, and here", \
        "bf16, 4096 columns (B200: 8192 rows, else 4096), above 1 DyT is slower; here: " plural(threads, "thread") ", best level, 95 % intervals")
}

function add(p, op, published, text, v, lo, hi,    s) {
    s = op_rank(op)
    shown[s] = 1
    rows[p]++
    if (rows[p] > most_rows)
        most_rows = rows[p]
    tics[p] = tics[p] (rows[p] > 1 ? ", " : "") tic(text, rows[p])
    block[p, s, 1 + published] = block[p, s, 1 + published] sprintf("%d %.6g %.6g %.6g\n", rows[p], v, lo == "" ? v : lo, hi == "" ? v : hi)
}

function published_pair(i, j) {
    return other[i, "op"] == "dyt" && other[j, "op"] != "dyt" && other[i, "cols"] == 4096 && other[j, "cols"] == 4096 && \
        other[i, "rows"] == other[j, "rows"] && other[i, "hardware"] == other[j, "hardware"] && other[i, "pass"] == other[j, "pass"] && \
        (other[i, "implementation"] == other[j, "implementation"] || \
         (other[i, "implementation"] ~ /^(PyTorch|torch)/ && other[j, "implementation"] == "PyTorch native"))
}

function here(p, i) {
    drawn = 1
    threads = answer[i, "threads"]
    add(p, answer[i, "against"], 0, "here: " answer[i, "question"], answer[i, "here"], answer[i, "here_lo"], answer[i, "here_hi"])
}
