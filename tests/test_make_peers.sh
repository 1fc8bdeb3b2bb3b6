#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/peers.sh without PyTorch, and with one that exists only here: what it refuses, and that samples of known times come out of
# normbench as the table, ratios and figure that they should.
# independent of the compiler
set -eu
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}"
. tests/expect.sh
python=$(command -v python3 || true)
if [ -z "$python" ]; then
    echo 'test_make_peers: SKIPPED: no python3'
    exit 77
fi

LIBNORM=${LIBNORM:-${OBJ:-build/gcc}/libnorm_peers.so}
export LIBNORM
if ! "$python" -c 'import ctypes, os; ctypes.CDLL(os.path.abspath(os.environ["LIBNORM"]))' 2>"$work/err"; then
    [ -n "${SANITIZE:-}" ] || fail "$LIBNORM cannot be loaded: $(tail -n 1 "$work/err")"
    echo "test_make_peers: SKIPPED: $python cannot load a libnorm that was built with -fsanitize=${SANITIZE:-}"
    [ "$failures" -ne 0 ] || exit 77
    exit 1
fi

if ! ldd "$LIBNORM" | grep -q libgomp; then # built by clang: make peers refuses it, for PyTorch runs on libgomp
    echo "test_make_peers: SKIPPED: $LIBNORM does not run on libgomp"
    [ "$failures" -ne 0 ] || exit 77
    exit 1
fi

# What needs no PyTorch: order, pairs, threads, libnorm through ctypes.
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
"$python" tests/peers_check.py "$LIBNORM" "$work" || fail 'see above'

# Ours: a run that needs no time.
run=$work/run
"$NORMBENCH" kernels --op rmsnorm,dyt --variant std,u2_nobeta --form fused,eager,framework --shape 8x64 --threads 1 --launches 1 --budget 1s --out "$run" >"$work/log" 2>&1 || {
    cat "$work/log"
    fail 'cannot make a run'
}

cp -r "$run" "$work/real"

# Without PyTorch, wherever this Python may have one: nothing is written, and the way out is said.
mkdir "$work/none"
printf 'raise ImportError("No module named torch")\n' >"$work/none/torch.py"
check_end 3 'pip install torch' env PYTHONPATH="$work/none" sh scripts/peers.sh "$NORMBENCH" "$run"
[ ! -e "$run/peers" ] || fail 'something was written without PyTorch'
check_end 3 'there is no /nowhere/python' env PYTHON=/nowhere/python sh scripts/peers.sh "$NORMBENCH" "$run"
check_end 2 'cannot read' sh scripts/peers.sh "$NORMBENCH" "$work/nowhere"
check_end 2 'is not a number of processes' env LAUNCHES=0 sh scripts/peers.sh "$NORMBENCH" "$run"
check_end 2 'is neither 1' env FAULTS=2 sh scripts/peers.sh "$NORMBENCH" "$run"
check_end 2 'is neither 0 nor 1' env LAYERS=2 sh scripts/peers.sh "$NORMBENCH" "$run"
check_end 2 'is not forward, backward' env PASS=train sh scripts/peers.sh "$NORMBENCH" "$run"
check_end 3 'there is no /nowhere/libnorm.so' env LIBNORM=/nowhere/libnorm.so sh scripts/peers.sh "$NORMBENCH" "$run"
check_end 2 'usage' sh scripts/peers.sh

# A PyTorch that can be asked for its version and compiles; its launches are samples of known times: a rmsnorm takes 100 ns times the
# launch's own pace and the round's, a layernorm 1.5 as long, dyt 3 times, without beta twice, a copy half; all of it op by op 10 times as
# long, in PyTorch twice as long again, where dyt op by op takes 4 times as long as rmsnorm.
mkdir "$work/fake"
printf 'import ctypes\nctypes.CDLL("libgomp.so.1")\n__version__ = "0.fake"\ndef compile(f): return f\ndef ones(n): return n\n' >"$work/fake/torch.py"
cat >"$work/launch.py" <<'EOT'
import csv, json, os, sys
link = os.environ["LD_LIBRARY_PATH"].split(":")[0] + "/libgomp.so.1"  # by which libnorm finds the libgomp that this PyTorch has
assert os.path.islink(link) and os.path.basename(os.path.realpath(link)).startswith("libgomp"), link
folder, launch = sys.argv[1], int(sys.argv[2])
run_id = json.load(open(folder + "/meta.json"))["run_id"]
factor = {"layernorm": 1.5, "rmsnorm": 1, "dyt": 3, "identity": 0.5}
cells = list(csv.DictReader(open(folder + "/plan.csv", newline="")))
columns = next(csv.reader(open(folder + "/samples.csv", newline="")))
with open(folder + "/samples.csv", "a", newline="") as file:
    out = csv.DictWriter(file, columns, lineterminator="\n")
    for order, (sample, cell) in enumerate((s, c) for s in range(2 * int(cells[0]["rounds"])) for c in cells):
        row = {k: v for k, v in cell.items() if k in columns}
        torch, by_op = cell["variant"].startswith("torch"), cell["form"] == "eager"
        ns = 100 * (1 + 0.01 * launch) * (1 + 0.1 * (sample // 2)) * factor[cell["op"]]
        ns *= (2 / 3 if cell["variant"].endswith("_nobeta") else 1) * (10 if by_op else 1) * (2 if torch else 1)
        ns *= 4 / 3 if torch and by_op and cell["op"] == "dyt" else 1
        row.update(schema_version=1, run_id=run_id, launch=launch, sample=sample, order=order, calls=1, preempted=0, bound="",
                   time_ns=ns, page_faults=12 if torch and by_op else 0)
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
cp "$work/out" "$work/peers"
[ ! -e "$run/peers/plan.csv" ] || fail 'the run in peers/ is not complete'
grep -q 'PyTorch and ours in one process' "$run/plots/libraries.svg" || fail 'figure libraries does not say that its times are paired'
# op, variant, pass, form, level, shape, launches, least and median time, fraction of the copy, ratio and its interval, status
LC_ALL=C awk -f scripts/figures/csv.awk -f /dev/stdin "$run/peers/kernels.csv" >"$work/got" <<'EOT'
BEGIN {
    rows = csv_read(ARGV[1], cell, names)
    split("op variant pass form level rows cols launches time_ns_min time_ns_median bytes_per_element ratio_to_rmsnorm ratio_lo95 ratio_hi95 status", want, " ")
    for (i = 1; i <= rows; i++) {
        line = ""
        for (k = 1; k in want; k++)
            line = line (k > 1 ? "," : "") cell[i, want[k]]
        print line
    }
}
EOT
sed -n '/torch_/p' "$work/got" | LC_ALL=C sort >"$work/theirs"
cat >"$work/want" <<'EOT'
dyt,torch_compile,backward,fused,library,8,64,6,600,738,12,6,6,6,ok
dyt,torch_compile,forward,fused,library,8,64,6,600,738,8,6,6,6,ok
dyt,torch_compile_nobeta,backward,fused,library,8,64,6,400,492,12,4,4,4,ok
dyt,torch_compile_nobeta,forward,fused,library,8,64,6,400,492,8,4,4,4,ok
dyt,torch_eager,backward,eager,library,8,64,6,8e+03,9.84e+03,64,8,8,8,ok
dyt,torch_eager,forward,eager,library,8,64,6,8e+03,9.84e+03,32,8,8,8,ok
dyt,torch_eager_nobeta,backward,eager,library,8,64,6,5.33e+03,6.56e+03,60,5.33333,5.33333,5.33333,ok
dyt,torch_eager_nobeta,forward,eager,library,8,64,6,5.33e+03,6.56e+03,24,5.33333,5.33333,5.33333,ok
identity,torch_eager,forward,fused,library,8,64,6,100,123,8,1,1,1,ok
layernorm,torch_compile,backward,fused,library,8,64,6,300,369,12,3,3,3,ok
layernorm,torch_compile,forward,fused,library,8,64,6,300,369,8,3,3,3,ok
layernorm,torch_eager,backward,fused,library,8,64,6,300,369,12,3,3,3,ok
layernorm,torch_eager,forward,fused,library,8,64,6,300,369,8,3,3,3,ok
rmsnorm,torch_compile,backward,fused,library,8,64,6,200,246,12,2,2,2,ok
rmsnorm,torch_compile,forward,fused,library,8,64,6,200,246,8,2,2,2,ok
rmsnorm,torch_eager,backward,eager,library,8,64,6,2e+03,2.46e+03,92,2,2,2,ok
rmsnorm,torch_eager,forward,eager,library,8,64,6,2e+03,2.46e+03,28,2,2,2,ok
EOT
diff "$work/want" "$work/theirs" >&2 || fail 'another table than the samples make'
# Each system's own ratios, paired, as the last of what make peers prints. A PyTorch without modules has no time of dispatch.
columns='| ours eager | ours framework | PyTorch eager | ours fused | torch.compile |'
for which in forward backward; do
    cat <<EOT

DyT without beta over RMSNorm, $which, 1 thread

| $columns
| --- | --- | --- | --- | --- | --- |
| f32 8x64 | 2.00 | 2.00 | 2.67 | 2.00 | 2.00 |

DyT over LayerNorm, $which, 1 thread

| $columns
| --- | --- | --- | --- | --- | --- |
| f32 8x64 | 2.00 | 2.00 | 26.67 | 2.00 | 2.00 |

Page faults of a call of rmsnorm, $which, 1 thread

| $columns
| --- | --- | --- | --- | --- | --- |
| f32 8x64 | 0 | 0 | 12 | 0 | 0 |

Page faults of a call of dyt without beta, $which, 1 thread

| $columns
| --- | --- | --- | --- | --- | --- |
| f32 8x64 | 0 | 0 | 12 | 0 | 0 |
EOT
done | sed 1d >"$work/want"
sed '/^Op by op/,$d' "$work/peers" >"$work/got"
diff "$work/want" "$work/got" >&2 || fail 'another report than the samples make'
# The same as a table, a row for each system and norm, and one line of it.
grep -qxF 'Op by op, DyT over RMSNorm, forward, f32 8x64, 1 thread: PyTorch 2.667; form framework 2; ideal op by op 2' "$work/peers" ||
    fail "what PyTorch's ratio is: $(grep 'Op by op' "$work/peers")"
# How near form framework comes to PyTorch, by that table alone: here in none of four; 1.2 is within, 1.21 is not.
sed -n '/^DyT over its norm in form framework/,/^Where DyT wins\|^nothing that is asked/p' "$work/peers" | sed '/^[0-9]* of/q' >"$work/got"
cat >"$work/want" <<'EOT'
DyT over its norm in form framework and in PyTorch, heap settled

| | framework | dispatched | PyTorch | over PyTorch's | within 20 % |
| --- | --- | --- | --- | --- | --- |
| forward rmsnorm f32 8x64, 1 thread | 2 | - | 2.667 | 0.75 [0.75, 0.75] | no |
| forward layernorm f32 8x64, 1 thread | 2 | - | 26.67 | 0.075 [0.075, 0.075] | no |
| backward rmsnorm f32 8x64, 1 thread | 2 | - | 2.667 | 0.75 [0.75, 0.75] | no |
| backward layernorm f32 8x64, 1 thread | 2 | - | 26.67 | 0.075 [0.075, 0.075] | no |

0 of 4 within 20 %, form framework
EOT
diff "$work/want" "$work/got" >&2 || fail 'another comparison than peers.csv makes'
mkdir "$work/near"
sed -e 's/,0\.75,0\.75,0\.75$/,1.2,1.1,1.3/' -e 's/,0\.075,0\.075,0\.075$/,1.21,1.1,1.3/' "$run/peers.csv" >"$work/near/peers.csv"
"$python" scripts/peers.py compare "$work/near" >"$work/got"
grep -qxF '| forward rmsnorm f32 8x64, 1 thread | 2 | - | 2.667 | 1.2 [1.1, 1.3] | yes |' "$work/got" || fail "1.2 is within: $(cat "$work/got")"
[ "$(tail -n 1 "$work/got")" = '2 of 4 within 20 %, form framework' ] || fail "the count: $(tail -n 1 "$work/got")"
"$NORMBENCH" check "$run" >&2 || fail 'peers.csv is not what its columns say'
LC_ALL=C awk -f scripts/figures/csv.awk -f /dev/stdin "$run/peers.csv" >"$work/got" <<'EOT'
BEGIN {
    rows = csv_read(ARGV[1], cell, names)
    for (i = 1; i <= rows; i++)
        if (cell[i, "pass"] == "forward" && (cell[i, "system"] ~ /torch/ || cell[i, "op"] == "rmsnorm"))
            print cell[i, "pytorch"], cell[i, "heap"], cell[i, "op"], cell[i, "beta"], cell[i, "against"], cell[i, "dtype"], cell[i, "rows"], cell[i, "threads"], cell[i, "system"], cell[i, "against_system"], cell[i, "launches"], cell[i, "ratio"], cell[i, "ratio_lo95"], cell[i, "page_faults"]
}
EOT
cat >"$work/want" <<'EOT'
0.fake settled dyt 0 rmsnorm f32 8 1 pytorch_eager pytorch_eager 6 2.667 2.667 12
0.fake settled dyt 0 rmsnorm f32 8 1 torch_compile torch_compile 6 2 2 0
0.fake settled dyt 1 rmsnorm f32 8 1 pytorch_eager pytorch_eager 6 4 4 12
0.fake settled dyt 1 rmsnorm f32 8 1 torch_compile torch_compile 6 3 3 0
0.fake settled dyt 1 layernorm f32 8 1 pytorch_eager pytorch_eager 6 26.67 26.67 12
0.fake settled dyt 1 layernorm f32 8 1 torch_compile torch_compile 6 2 2 0
0.fake settled dyt 0 layernorm f32 8 1 pytorch_eager pytorch_eager 6 17.78 17.78 12
0.fake settled dyt 0 layernorm f32 8 1 torch_compile torch_compile 6 1.333 1.333 0
0.fake settled rmsnorm 0 layernorm f32 8 1 eager eager 6 0.6667 0.6667 0
0.fake settled rmsnorm 0 layernorm f32 8 1 framework framework 6 0.6667 0.6667 0
0.fake settled rmsnorm 0 layernorm f32 8 1 pytorch_eager pytorch_eager 6 6.667 6.667 12
0.fake settled rmsnorm 0 layernorm f32 8 1 fused fused 6 0.6667 0.6667 0
0.fake settled rmsnorm 0 layernorm f32 8 1 torch_compile torch_compile 6 0.6667 0.6667 0
0.fake settled rmsnorm 0 rmsnorm f32 8 1 eager fused 6 10 10 0
0.fake settled rmsnorm 0 rmsnorm f32 8 1 framework fused 6 1 1 0
0.fake settled rmsnorm 0 rmsnorm f32 8 1 pytorch_eager torch_compile 6 10 10 12
EOT
diff "$work/want" "$work/got" >&2 || fail 'another peers.csv than the samples make'
# It lies where the judge of the run finds it, whose words come last.
grep -qE '^(Where DyT wins|nothing that is asked was measured)' "$work/peers" || fail 'no verdicts at the end'
printf '%s\n' 'id,question,unit,table,quantity,subject,baseline,where,holds_lo,holds_hi' \
    'x,op by op,1,kernels,time_ratio,op=dyt variant=u2_nobeta form=eager,op=rmsnorm form=eager,pass=forward,,1' >"$work/asked.csv"
"$NORMBENCH" judge questions --by "$work/asked.csv" "$run" >"$work/out"
grep -q '^  PyTorch 0.fake .* op by op  8x64 .* DyT loses: *2.66.* times the time of rmsnorm \[' "$work/out" || fail "no PyTorch among: $(cat "$work/out")"

# The same with PyTorch itself, where a Python has it; uncompiled, for a compiler takes a minute.
torch=
for candidate in "${TORCH_PYTHON:-}" python3 build/torch/bin/python3; do
    [ -z "$torch" ] && [ -n "$candidate" ] && "$candidate" -c 'import torch' 2>/dev/null && torch=$candidate
done
if [ -n "$torch" ]; then
    for faults in 1 0; do
        check_end 0 'DyT over LayerNorm, backward, 1 thread' env TORCHDYNAMO_DISABLE=1 PYTHON="$torch" FAULTS=$faults LAUNCHES=1 ROUNDS=1 \
            sh scripts/peers.sh "$NORMBENCH" "$work/real"
        grep -q 'is left out' "$work/err" && fail "$(grep 'is left out' "$work/err")"
        grep -q 'cannot be measured' "$work/err" && fail "$(grep 'cannot be measured' "$work/err")"
        grep -q 'ours framework, dispatched' "$work/out" || fail 'no row waits for a dispatcher'
    done
    "$NORMBENCH" check "$work/real" >&2 || fail 'what PyTorch gave is not what its columns say'
    for heap in settled kept; do
        grep -q ",$heap,.*,framework_dispatched," "$work/real/peers.csv" || fail "peers.csv has nothing of a $heap heap"
    done
    for folder in peers peers_kept; do
        [ -e "$work/real/$folder/kernels.csv" ] || fail "there is no $folder/kernels.csv"
        grep -E ',(wrong|missing|skipped),' "$work/real/$folder/kernels.csv" >&2 && fail 'a row was not measured'
    done
else
    echo 'test_make_peers: no Python has PyTorch (TORCH_PYTHON names one): SKIPPED the part that times it'
fi

# A second time there is nothing to do, and what there is stays.
check_end 2 'is complete' env PYTHONPATH="$work/fake" PYTHON="$work/python" sh scripts/peers.sh "$NORMBENCH" "$run"

finish
