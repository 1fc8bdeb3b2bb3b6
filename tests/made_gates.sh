# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # work is set by whoever sources this
# Made-up gates of a validation, sourced by tests, below $work.
header='schema_version,run_id,git_commit,machine_id,op,variant,pass,form,level,dtype,rows,cols,threads,placement,cache,role,verdict,reason,launches,confirming,change_pct,change_lo95,change_hi95,p_value,p_adjusted,inject_pct,waived'

# gate FOLDER KIND NUMBER EXIT GROUPS: one without rows.
gate() {
    made=$work/$1/$2-$3
    mkdir -p "$made"
    echo "$header" >"$made/ab.csv"
    printf '{ "exit": %s, "disturbed": "", "groups": [%s] }\n\nResults: somewhere\n' "$4" "${5:-}" >"$made.json"
}
# row COUNT VERDICT CHANGE LO HI P ADJUSTED PCT [ROLE]: so many rows of the gate that was made last.
made_lines=0
row() {
    for _ in $(seq "$1"); do
        made_lines=$((made_lines + 1))
        echo "1,r,c,made-up-1c,dyt,u2,forward,fused,avx2,f32,$made_lines,64,1,cores,warm,${9:-row},$2,,20,0,$3,$4,$5,$6,$7,$8,0" >>"$made/ab.csv"
    done
}
