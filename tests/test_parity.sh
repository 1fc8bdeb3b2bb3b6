#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015 # fail never fails
# make parity: how a rate is chosen and seeds are summed up, from a grid that is written here; what is refused; the figure; and, where there
# is PyTorch, the norms against their formulas, and training that goes on where it was interrupted and gives the same numbers again.
# independent of the compiler
set -u
program=${NORMBENCH:?}
. tests/expect.sh
python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null; then
    echo "test_parity: SKIPPED: there is no $python"
    exit 77
fi
parity() { "$python" scripts/parity.py "$@"; }

# ---- A grid: layernorm is best at 0.003, dyt from 2 at 0.01, where one of three is better at 0.003; dyt from 0.5 diverges at 0.03 once.

grid=$work/grid
mkdir "$grid"
header=$(sed -n '/^RUNS = /,/\]/p' scripts/parity.py | tr -d '\n "[]' | sed 's/^RUNS=//')
# model NORM ALPHA0 RATE ROLE SEED VAL TEST ACCURACY [TARGET_STEPS DIVERGED]
model() { echo "1,digits,$1,$2,$3,$4,$5,600,$6,$7,$8,0.25,${9:-},${9:+1.5},5,${10:-0}"; }
{
    echo "$header"
    for rate in 0.001 0.003 0.01 0.03; do
        for seed in 1 2 3; do
            model layernorm '' $rate selection $seed "$(echo "$rate $seed" | awk '{ print ($1 == 0.003 ? 0.2 : 0.4) + $2 / 100 }')" 0.1 0.97
            model dyt 2 $rate selection $seed "$(echo "$rate $seed" | awk '{ print $1 == 0.01 ? ($2 == 1 ? 0.9 : 0.3) : $1 == 0.003 ? 0.35 : 0.6 }')" 0.1 0.9
            case $rate$seed in 0.032) model dyt 0.5 $rate selection $seed '' '' 0 '' 1 ;; *) model dyt 0.5 $rate selection $seed 0.5 0.5 0.8 ;; esac
        done
    done
    for seed in 101 102 103 104 105 106 107 108 109; do
        model layernorm '' 0.003 test $seed 0.2 "$(echo $seed | awk '{ print 0.10 + ($1 - 100) / 100 }')" 0.97 240
        model dyt 2 0.01 test $seed 0.3 "$(echo $seed | awk '{ print 0.15 + ($1 - 100) / 100 }')" 0.95 "$([ $seed -gt 105 ] || echo 300)"
    done
} >"$grid/parity_runs.csv"
check_end 0 '| layernorm | 0.003 | 0.15' parity "$grid" --sum-up
# value NORM ALPHA0 RATE ROLE COLUMN: of parity.csv
value() {
    awk -F, -v norm="$1" -v alpha0="$2" -v rate="$3" -v role="$4" -v column="$5" '
        NR == 1 { for (k = 1; k <= NF; k++) at[$k] = k; next }
        $at["norm"] == norm && $at["alpha0"] == alpha0 && $at["rate"] == rate && $at["role"] == role { print $at[column] }' "$grid/parity.csv"
}
# is WANTED NORM ALPHA0 RATE ROLE COLUMN
is() {
    wanted=$1
    shift
    [ "$(value "$@")" = "$wanted" ] || fail "$*: $(value "$@") in place of $wanted"
}
is 1 layernorm '' 0.003 selection chosen
is 0 layernorm '' 0.001 selection chosen
is 1 dyt 2 0.01 selection chosen # by the median 0.3; the mean is less at 0.003
is 0 dyt 2 0.003 selection chosen
is 1 dyt 0.5 0.001 selection chosen # the first of equals; a loss that is infinite is the largest
is 1 dyt 0.5 0.03 selection diverged
is 0.5 dyt 0.5 0.03 selection val_loss
# Nine seeds: the second and the eighth hold the median with 96 %. Losses by seed are 0.05 apart throughout.
is 0.15 layernorm '' 0.003 test test_loss
is 0.12 layernorm '' 0.003 test test_loss_lo95
is 0.18 layernorm '' 0.003 test test_loss_hi95
is 0.05 dyt 2 0.01 test loss_change
is 0.05 dyt 2 0.01 test loss_change_hi95
is '' layernorm '' 0.003 test loss_change
is 5 dyt 2 0.01 test reached
is 300 dyt 2 0.01 test target_steps # five of nine reach it
is '' dyt 2 0.01 selection test_loss # nothing is said of test data before a rate is chosen
check_end 0 'tables as normbench writes them' "$program" check "$grid"
NORMBENCH=$program sh scripts/plots.sh "$grid" >/dev/null 2>&1 || fail 'no figure was drawn'
for text in 'digits: loss on validation data' 'digits: loss on test data' 'dyt from 0.5' layernorm; do
    grep -q "$text" "$grid/plots/parity.svg" || fail "no \"$text\" in the figure"
done

# Without one of its seeds to choose by, an arm has no chosen rate; others keep theirs.
mv "$grid" "$work/whole" && mkdir "$grid"
grep -v '^1,digits,layernorm,,0.03,selection,3,' "$work/whole/parity_runs.csv" >"$grid/parity_runs.csv"
check_end 0 '| layernorm | 0.003 | 0.15' parity "$grid" --sum-up
is 0 layernorm '' 0.003 selection chosen
is 2 layernorm '' 0.03 selection seeds
is 1 dyt 2 0.01 selection chosen
rm -r "$grid" && mv "$work/whole" "$grid"

# ---- What is refused, with nothing lost

check_end 2 'holds no parity_runs.csv' parity "$work/none" --sum-up
check_end 2 'no task digit: give digits or text' parity "$work/none" --task digit
[ ! -e "$work/none" ] || fail 'a folder was made for a task that there is not'
# refused STATUS TEXT SED: a grid that was changed so
refused() {
    mkdir -p "$work/bad"
    sed "$3" "$grid/parity_runs.csv" >"$work/bad/parity_runs.csv"
    cp "$work/bad/parity_runs.csv" "$work/bad.before"
    check_end "$1" "$2" parity "$work/bad" --sum-up
    cmp -s "$work/bad.before" "$work/bad/parity_runs.csv" || fail "$3: the grid was changed"
}
refused 4 'other columns' '1s/seed/sead/'
refused 3 'line 3, is no row' '3s/,600,.*//'
refused 3 'line 3, is no row' '3s/0\.[0-9]*,0\.25/x,0.25/'
refused 3 'line 3, is no row' '3s/dyt,2/dyt,3/'
refused 3 'line 3, is no row' '3s/dyt,2/dyn,2/'
refused 3 'line 6, is no row' '5{p;}'
check_end 2 'neither 0 nor 1' env QUICK=2 sh scripts/parity.sh "$program" "$work/none"
check_end 3 'there is no /nowhere/python3' env PYTHON=/nowhere/python3 sh scripts/parity.sh "$program" "$work/none"

# ---- Training

if ! "$python" -c 'import torch, sklearn' 2>/dev/null; then
    check_end 3 'nothing was trained' env PYTHON="$python" QUICK=1 TASK=digits sh scripts/parity.sh "$program" "$work/none"
    [ "$failures" -eq 0 ] || finish
    echo 'test_parity: SKIPPED: training, for this Python has no PyTorch with scikit-learn; all else passed'
    exit 77
fi
check_end 0 'the same' "$python" - <<'PYTHON'
import math, sys
sys.path.insert(0, "scripts")
import torch
from parity_models import EPS, NORMS
torch.manual_seed(1)
x = torch.randn(5, 24, dtype=torch.float64)
for name, make in NORMS.items():
    norm = make(24, 1.5).double()
    for parameter in norm.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    p = dict(norm.named_parameters())
    mean, square = x.mean(1, keepdim=True), (x * x).mean(1, keepdim=True)
    wanted = {
        "layernorm": lambda: p["weight"] * (x - mean) / (square - mean * mean + EPS).sqrt() + p["bias"],
        "rmsnorm": lambda: p["weight"] * x / (square + EPS).sqrt(),
        "dyt": lambda: p["gamma"] * torch.tensor([[math.tanh(p["alpha"].item() * v) for v in row] for row in x.tolist()], dtype=torch.float64) + p["beta"],
        "derf": lambda: p["gamma"] * torch.tensor([[math.erf(p["alpha"].item() * v + p["shift"].item()) for v in row] for row in x.tolist()], dtype=torch.float64) + p["beta"],
        "identity": lambda: x,
    }[name]()
    assert (norm(x) - wanted).abs().max() < 1e-12, name
print("the same")
PYTHON
trained=$work/trained
check_end 0 'Figure: ' env PYTHON="$python" QUICK=1 TASK=digits sh scripts/parity.sh "$program" "$trained"
cut -d, -f1-13 "$trained/quick/parity_runs.csv" >"$work/first"
sed -i '2d;7d' "$trained/quick/parity_runs.csv"
check_end 0 'Figure: ' env PYTHON="$python" QUICK=1 TASK=digits sh scripts/parity.sh "$program" "$trained"
grep -q '1 of 2: digits' "$work/err" || fail "more was trained again than what was missing: $(cat "$work/err")"
cut -d, -f1-13 "$trained/quick/parity_runs.csv" | cmp -s - "$work/first" || fail 'models that were trained again differ'
check_end 0 'as it should' "$python" - "$work/interrupted" <<'PYTHON'
import os, signal, subprocess, sys, time
folder = sys.argv[1]
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
began = subprocess.Popen([sys.executable, "scripts/parity.py", folder, "--quick", "--task", "digits"], stderr=subprocess.PIPE, text=True, start_new_session=True)
until = time.monotonic() + 60
while not os.path.exists(folder + "/parity_runs.csv") and began.poll() is None and time.monotonic() < until:
    time.sleep(0.01)
os.killpg(began.pid, signal.SIGINT)
said = began.communicate(timeout=60)[1]
assert began.returncode == 130 and "the same command goes on" in said and "Traceback" not in said, (began.returncode, said)
print("as it should")
PYTHON
finish
