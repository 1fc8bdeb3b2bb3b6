# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # work is set by whoever sources this
# Made-up gates of a validation, sourced by tests, below $work.
header='schema_version,run_id,git_commit,machine_id,op,variant,pass,form,level,dtype,rows,cols,threads,placement,cache,role,verdict,reason,launches,confirming,change_pct,change_lo95,change_hi95,p_value,p_adjusted,inject_pct,waived'

layers_header='schema_version,run_id,git_commit,machine_id,op,model,phase,batch,tokens,threads,placement,role,verdict,reason,launches,confirming,change_pct,change_lo95,change_hi95,p_value,p_adjusted,inject_pct,waived,norm_share,layer_pct,added_pct,added_layer_pct'

# gate FOLDER KIND NUMBER EXIT GROUPS: one without rows.
gate() {
    made=$work/$1/$2-$3
    mkdir -p "$made"
    made_op=dyt
    case $2 in
    layers_*) echo "$layers_header" >"$made/ab_layers.csv" ;;
    *) echo "$header" >"$made/ab.csv" ;;
    esac
    printf '{ "exit": %s, "disturbed": "", "groups": [%s] }\n\nResults: somewhere\n' "$4" "${5:-}" >"$made.json"
}
# row COUNT VERDICT CHANGE LO HI P ADJUSTED PCT [ROLE]: so many rows of the gate that was made last.
made_lines=0
row() {
    for _ in $(seq "$1"); do
        made_lines=$((made_lines + 1))
        echo "1,r,c,made-up-1c,$made_op,u2,forward,fused,avx2,f32,$made_lines,64,1,cores,warm,${9:-row},$2,,20,0,$3,$4,$5,$6,$7,$8,0" >>"$made/ab.csv"
    done
}
# norm COUNT VERDICT CHANGE LO HI PCT ADDED LAYER ADDED_TO_LAYER: so many rows in a layer, likewise.
norm() {
    for _ in $(seq "$1"); do
        made_lines=$((made_lines + 1))
        echo "1,r,c,made-up-1c,dyt,gpt2,prefill,1,$made_lines,2,cores,row,$2,,20,0,$3,$4,$5,1e-6,1e-4,$6,0,0.01,$8,$7,$9" >>"$made/ab_layers.csv"
    done
}
