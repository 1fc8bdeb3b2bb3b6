# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Made-up runs of one machine, sourced by tests of what is done with the tables of many. Their numbers are a function of the day.

# made_run FOLDER DAY [SETTING=VALUE]...: a run of 2026-03-DAY with kernels.csv, layers.csv, samples.csv and meta.json. Settings: dyt=1.1, what
# fused dyt takes of its usual time; slow=1.2, how slow the machine is that day; noise=0.004, how far times scatter; commit; cpu, a CPU; rows,
# of them, less the last; drop, a pattern of rows that are left out.
made_run() {
    made_folder=$1 made_day=$2
    shift 2
    mkdir -p "$made_folder"
    awk -v folder="$made_folder" -v day="$made_day" -v settings="$*" '
    # Normal enough, and a function of the text alone: the sum of twelve draws of Park and Miller.
    function scatter(text,    i, h, sum) {
        h = 7
        for (i = 1; i <= length(text); i++)
            h = (h * 131 + index("abcdefghijklmnopqrstuvwxyz0123456789_/", substr(text, i, 1)) + 11) % 2147483647
        for (i = sum = 0; i < 17; i++) {
            h = h * 16807 % 2147483647
            sum += i < 5 ? 0 : h / 2147483647
        }
        return sum - 6
    }
    function setting(name, otherwise,    n, i, part, words) {
        n = split(settings, words, " ")
        for (i = 1; i <= n; i++)
            if (split(words[i], part, "=") == 2 && part[1] == name)
                return part[2]
        return otherwise
    }
    function time_of(name, ns, op, form,    t) {
        t = ns * setting("slow", 1) * exp(setting("noise", 0.004) * scatter(name "/" day))
        return op == "dyt" && form == "fused" ? t * setting("dyt", 1) : t
    }
    function kernel(op, variant, pass, form, level, dtype, rows, cols, ns,    name, t, launch, v) {
        name = op "/" variant "/" pass "/" form "/" level "/" dtype "/" rows "x" cols
        if (setting("drop", "") != "" && name ~ setting("drop", ""))
            return
        t = time_of(name, ns, op, form)
        print begin op, variant, pass, form, level, dtype, rows, cols, 1, "cores", "warm", 8, 16, 100, num(t * 0.98), num(t), num(t * 0.995),
            num(t * 1.006), "ok,"  > (folder "/kernels.csv")
        for (launch = 0; launch < 8; launch++)
            for (v = 0; v < 2; v++)
                print 1, run_id, op, variant, pass, form, level, dtype, rows, cols, 1, "cores", "warm", launch, v, 2 * launch + v, 100,
                    num(t * (1 + (launch - 3.5) / 1000 + (v ? 1e-4 : -1e-4))), 0 > (folder "/samples.csv")
    }
    function layer(op, variant, ns, norm) {
        print begin op, variant, "forward", "fused", "avx2", "f32", 196, 384, 1, "cores", "", 8, 16, 1, "vit_s16", "prefill", 1, 196, "",
            num3(time_of(op "/layer", ns * 0.98)), num3(time_of(op "/layer", ns)), num3(time_of(op "/layer", ns * 0.99)),
            num3(time_of(op "/layer", ns * 1.01)), norm == "" ? ",," : num3(time_of(op "/norm", norm, op, "fused")) "," \
            num3(time_of(op "/norm", norm, op, "fused") * 0.99) "," num3(time_of(op "/norm", norm, op, "fused") * 1.01), "ok,,layer,1,,0,1" > (folder "/layers.csv")
    }
    function num(x) { return sprintf("%.4g", x) }
    function num3(x) { return sprintf("%.3g", x) }
    BEGIN {
        OFS = ","
        commit = setting("commit", sprintf("c0ffee%06d", day))
        run_id = sprintf("2026-03-%02dT100000Z-%s", day, commit)
        begin = "1," run_id "," commit ",made-up-1c,"
        print "schema_version,run_id,git_commit,machine_id,op,variant,pass,form,level,dtype,rows,cols,threads,placement,cache,launches,samples,calls_per_sample,time_ns_min,time_ns_median,time_ns_lo95,time_ns_hi95,status,reason" > (folder "/kernels.csv")
        print "schema_version,run_id,op,variant,pass,form,level,dtype,rows,cols,threads,placement,cache,launch,sample,order,calls,time_ns,preempted" > (folder "/samples.csv")
        print "schema_version,run_id,git_commit,machine_id,op,variant,pass,form,level,dtype,rows,cols,threads,placement,cache,launches,samples,calls_per_sample,model,phase,batch,tokens,context,time_ns_min,time_ns_median,time_ns_lo95,time_ns_hi95,norm_time_ns_median,norm_time_ns_lo95,norm_time_ns_hi95,status,reason,part,depth,stage,scaled,repeats" > (folder "/layers.csv")
        split("64 512", rows, " "); split("768 4096", cols, " ")
        for (s = 1; s <= 2; s++)
            for (p = 1; p <= 2; p++) {
                pass = p == 1 ? "forward" : "backward"
                ns = rows[s] * cols[s] / 10 * p
                kernel("rmsnorm", "std", pass, "fused", "avx2", "f32", rows[s], cols[s], ns * 1.2)
                kernel("layernorm", "onepass", pass, "fused", "avx2", "f32", rows[s], cols[s], ns * 1.4)
                kernel("dyt", "u2", pass, "fused", "avx2", "f32", rows[s], cols[s], ns * 1.6)
                kernel("dyt", "u2", pass, "eager", "avx2", "f32", rows[s], cols[s], ns * 4)
                kernel("identity", "std", pass, "fused", "avx2", "f32", rows[s], cols[s], ns)
            }
        layer("rmsnorm", "std", 5e7, 8e5)
        layer("dyt", "u2", 5.1e7, 9e5)
        layer("identity", "std", 4.9e7, "")
        printf "{\"run_id\": \"%s\", \"machine_id\": \"made-up-1c\", \"git_commit\": \"%s\", \"cpu_model\": \"%s\", \"complete\": true,\n", run_id, commit,
            setting("cpu", "Made_up_CPU") > (folder "/meta.json")
        printf "\"cache_bytes\": {\"l1d\": 32768, \"l2\": 1048576, \"l3\": 33554432}, \"clock\": {\"source\": \"CLOCK_MONOTONIC\"},\n" > (folder "/meta.json")
        printf "\"machine\": {\"cpu\": {\"CPUModel\": \"%s\", \"CPUStepping\": %s, \"flags\": \"fpu avx2 %s\"},\n", setting("cpu", "Made_up_CPU"),
            setting("stepping", 1), setting("flag", "fma") > (folder "/meta.json")
        printf "\"topology\": {\"pus\": 1, \"cores\": 1, \"l1d_bytes\": 32768, \"l2_bytes\": 1048576, \"llc_bytes\": 33554432,\n" > (folder "/meta.json")
        printf "\"synthetic\": \"Package:1 [NUMANode(memory=%d)] Core:1 PU:1\"},\n", 1000000 + day > (folder "/meta.json")
        printf "\"system\": {\"kernel\": \"Linux %s\"}, \"load\": {\"average\": [%s, 0.2, 0.3]},\n", setting("kernel", "6.1.12-made"),
            setting("load", 0.1) > (folder "/meta.json")
        printf "\"clock\": {\"governor\": {\"value\": null, \"reason\": \"of day %d\"}}, \"build\": {\"compiler\": \"gcc\", \"flags\": \"%s\", \"libc\": \"2.36\"}}}\n",
            day, setting("flags", "-O2") > (folder "/meta.json")
    }'
}

# made_runs FOLDER FIRST LAST [SETTING=VALUE]...: FOLDER/01 and so on.
made_runs() {
    made_in=$1 made_at=$2 made_last=$3
    shift 3
    while [ "$made_at" -le "$made_last" ]; do
        made_run "$made_in/$(printf '%02d' "$made_at")" "$made_at" "$@"
        made_at=$((made_at + 1))
    done
}
