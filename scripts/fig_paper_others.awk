# SPDX-License-Identifier: MIT
# DyT over RMSNorm or LayerNorm as others published it, for 4096 columns, with the kernels here beside: one panel for each pass. A published
# pair has one source, machine and shape; its norm is of the same make, or the framework's own kernel where DyT is the framework's work.
function figure(    names, path, count, ours, i, j, p, s) {
    count = csv_read(ARGV[3] "/others.csv", other, names)
    path = run "/parts/kernels/kernels.csv"
    ours = csv_read(path, kernel, names)
    if (ours < 0)
        ours = csv_read(run "/kernels.csv", kernel, names)
    if (count < 0 || ours < 0) {
        print (count < 0 ? "there is no others.csv of what was published" : "there is no kernels.csv")
        return
    }
    find_top(ours)
    for (p = 1; p <= 2; p++) {
        panel_of(p == 1 ? "forward" : "backward")
        for (i = 1; i <= ours; i++)
            for (j = 1; j <= ours; j++)
                if (kernel[i, "pass"] == panel_title[p] && here_pair(i, j))
                    here(p, i, j)
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
        for (s = 1; s <= op_rank("identity"); s++)
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

# The arms that were published: fused against fused of both norms, op by op against op by op, and op by op against a fused LayerNorm.
function here_pair(i, j) {
    return kernel[i, "op"] == "dyt" && kernel[i, "variant"] ~ /^u2/ && (kernel[j, "op"] == "rmsnorm" || kernel[j, "op"] == "layernorm") && \
        is_main_variant(kernel[j, "op"], kernel[j, "variant"]) && is_measured(i) && is_measured(j) && kernel[i, "dtype"] == "bf16" && \
        kernel[j, "dtype"] == "bf16" && kernel[i, "rows"] == 4096 && kernel[i, "cols"] == 4096 && kernel[j, "rows"] == 4096 && \
        kernel[j, "cols"] == 4096 && kernel[i, "pass"] == kernel[j, "pass"] && kernel[i, "threads"] == kernel[j, "threads"] && \
        kernel[i, "level"] == kernel[j, "level"] && kernel[i, "threads"] == top_threads && level_rank(kernel[i, "level"]) == top_level && \
        (kernel[j, "op"] == "rmsnorm" ? kernel[i, "form"] == kernel[j, "form"] : kernel[j, "form"] == "fused")
}
# The strongest level and the most threads that DyT was measured with.
function find_top(count,    i) {
    for (i = 1; i <= count; i++) {
        if (kernel[i, "op"] != "dyt" || kernel[i, "dtype"] != "bf16" || kernel[i, "rows"] != 4096 || kernel[i, "cols"] != 4096 || !is_measured(i))
            continue
        if (!is_auto(kernel[i, "level"]) && level_rank(kernel[i, "level"]) > top_level)
            top_level = level_rank(kernel[i, "level"])
        if (kernel[i, "threads"] + 0 > top_threads + 0)
            top_threads = kernel[i, "threads"] + 0
    }
}
function is_measured(i) { return kernel[i, "time_ns_median"] != "" && (kernel[i, "status"] == "ok" || kernel[i, "status"] == "unstable") }

function here(p, i, j,    above, below, q) {
    drawn = 1
    threads = kernel[i, "threads"]
    if (kernel[j, "op"] == "rmsnorm" && kernel[i, "ratio_to_rmsnorm"] != "")
        set(q, kernel[i, "ratio_to_rmsnorm"], kernel[i, "ratio_lo95"], kernel[i, "ratio_hi95"])
    else {
        set(above, kernel[i, "time_ns_median"], kernel[i, "time_ns_lo95"], kernel[i, "time_ns_hi95"])
        set(below, kernel[j, "time_ns_median"], kernel[j, "time_ns_lo95"], kernel[j, "time_ns_hi95"])
        quotient(q, above, below, 1, 0)
    }
    add(p, kernel[j, "op"], 0, "here: " kernel[i, "form"] (kernel[i, "variant"] ~ /nobeta/ ? ", no beta" : "") " / " \
        (kernel[j, "op"] == "layernorm" ? "fused " : "") kernel[j, "op"], q["v"], q["lo"], q["hi"])
}
