#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/peers.sh without PyTorch, and with one that exists only here: what it refuses, and that samples of known times come out of
# normbench as the table, ratios and figure that they should.
set -eu
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}"
. tests/expect.sh
python=$(command -v python3 || true)
if [ -z "$python" ]; then
    echo 'test_make_peers: SKIPPED: no python3'
    exit 77
fi

# Ours: a run that needs no time.
run=$work/run
"$NORMBENCH" kernels --op dyt --shape 8x64 --threads 1 --launches 1 --budget 1s --out "$run" >"$work/log" 2>&1 || {
    cat "$work/log"
    fail 'cannot make a run'
}

# Without PyTorch, wherever this Python may have one: nothing is written, and the way out is said.
mkdir "$work/none"
printf 'raise ImportError("No module named torch")\n' >"$work/none/torch.py"
check_end 3 'pip install torch' env PYTHONPATH="$work/none" sh scripts/peers.sh "$NORMBENCH" "$run"
[ ! -e "$run/peers" ] || fail 'something was written without PyTorch'
check_end 3 'there is no /nowhere/python' env PYTHON=/nowhere/python sh scripts/peers.sh "$NORMBENCH" "$run"
check_end 2 'cannot read' sh scripts/peers.sh "$NORMBENCH" "$work/nowhere"
check_end 2 'is not a number of processes' env LAUNCHES=0 sh scripts/peers.sh "$NORMBENCH" "$run"
check_end 2 'usage' sh scripts/peers.sh

# A PyTorch that can be asked for its version and compiles; its launches are samples of known times: a rmsnorm takes 100 ns times the
# launch's own pace, a layernorm 1.5 as long, dyt 3 times, a copy half.
mkdir "$work/fake"
printf '__version__ = "0.fake"\ndef compile(f): return f\ndef ones(n): return n\n' >"$work/fake/torch.py"
cat >"$work/launch.py" <<'EOT'
import csv, json, sys
folder, launch = sys.argv[1], int(sys.argv[2])
run_id = json.load(open(folder + "/meta.json"))["run_id"]
factor = {"layernorm": 1.5, "rmsnorm": 1, "dyt": 3, "identity": 0.5}
cells = list(csv.DictReader(open(folder + "/plan.csv", newline="")))
columns = next(csv.reader(open(folder + "/samples.csv", newline="")))
with open(folder + "/samples.csv", "a", newline="") as file:
    out = csv.DictWriter(file, columns, lineterminator="\n")
    for order, (sample, cell) in enumerate((s, c) for s in range(2 * int(cells[0]["rounds"])) for c in cells):
        row = {k: v for k, v in cell.items() if k in columns}
        row.update(schema_version=1, run_id=run_id, launch=launch, sample=sample, order=order, calls=1, preempted=0, bound="",
                   time_ns=100 * (1 + 0.01 * launch) * factor[cell["op"]])
        out.writerow(row)
EOT
cat >"$work/python" <<EOT
#!/bin/sh
case \$2 in
launch) exec "$python" "$work/launch.py" "\$3" "\$4" ;;
*) exec "$python" "\$@" ;;
esac
EOT
chmod +x "$work/python"
check_end 0 'plots/libraries.png' env PYTHONPATH="$work/fake" PYTHON="$work/python" LAUNCHES=6 sh scripts/peers.sh "$NORMBENCH" "$run"
[ ! -e "$run/peers/plan.csv" ] || fail 'the run in peers/ is not complete'
[ -s "$run/plots/libraries.svg" ] || fail 'figure libraries was not drawn'
# op, variant, form, level, shape, launches, least and median time, fraction of the copy, ratio and its interval, status
LC_ALL=C awk -f scripts/csv.awk -f /dev/stdin "$run/peers/kernels.csv" >"$work/got" <<'EOT'
BEGIN {
    rows = csv_read(ARGV[1], cell, names)
    split("op variant form level rows cols launches time_ns_min time_ns_median bytes_per_element ratio_to_rmsnorm ratio_lo95 ratio_hi95 status", want, " ")
    for (i = 1; i <= rows; i++) {
        line = ""
        for (k = 1; k in want; k++)
            line = line (k > 1 ? "," : "") cell[i, want[k]]
        print line
    }
}
EOT
cat >"$work/want" <<'EOT'
layernorm,torch_compile,fused,library,8,64,6,150,154,8,1.5,1.5,1.5,ok
rmsnorm,torch_compile,fused,library,8,64,6,100,102,8,1,1,1,ok
dyt,torch_compile,fused,library,8,64,6,300,308,8,3,3,3,ok
identity,torch_eager,fused,library,8,64,6,50,51.2,8,0.5,0.5,0.5,ok
layernorm,torch_eager,eager,library,8,64,6,150,154,8,1.5,1.5,1.5,ok
rmsnorm,torch_eager,eager,library,8,64,6,100,102,28,1,1,1,ok
dyt,torch_eager,eager,library,8,64,6,300,308,32,3,3,3,ok
EOT
diff "$work/want" "$work/got" >&2 || fail 'another table than the samples make'
# A second time there is nothing to do, and what there is stays.
check_end 2 'is complete' env PYTHONPATH="$work/fake" PYTHON="$work/python" sh scripts/peers.sh "$NORMBENCH" "$run"

finish
