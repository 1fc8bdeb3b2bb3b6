#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015,SC2016,SC2089,SC2090 # fail never fails; payloads are no code of this script
# Folders from strangers: fields, names and links that would run a command or write somewhere else. `normbench check` refuses them, and what
# it let through would still be but text to gnuplot.
# run by one compiler and by sanitizers
set -eu
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}"
. tests/expect.sh
figures=$PWD/scripts/figures
. scripts/figures/figures.sh
. tests/made_runs.sh
. tests/made_gates.sh
vocabulary=$work/vocabulary
"$NORMBENCH" list vocabulary >"$vocabulary"

# What each payload tries to make; the first ends the data block that it stands in.
touch="touch $work/TOUCHED"
lines=$(printf '1\nEND_OF_DATA\nsystem("%s")\n!%s\n$z << END_OF_DATA\n1' "$touch" "$touch")
calls="1''.system('$touch').'''.system('$touch').'\`$touch\`); system(\"$touch\"); set xtics (2"
macro="1\"'@what \$($touch) \`$touch\` %s %n\\"
not_run() { [ ! -e "$work/TOUCHED" ] || { fail "$*: a command was run" && rm -f "$work/TOUCHED"; }; }

# A run with every table that a script reads, and its meta.json.
whole=$work/whole
mkdir -p "$whole/paper" "$whole/peers" "$whole/parts/kernels"
cp tests/data/plots/kernels.csv tests/data/plots/meta.json "$whole"
for table in layers steps; do # few rows, for they are read many times
    grep -E '^schema|,vit_b16,prefill,|,bf16,.*,llama_7b,prefill,|,llama_7b,decode,' tests/data/paper/$table.csv >"$whole/$table.csv"
done
cp tests/data/paper/kernels.csv "$whole/parts/kernels"
sed 's/,onednn,/,torch_eager,/' tests/data/plots/kernels.csv >"$whole/peers/kernels.csv"
{
    echo schema_version,function,alpha,x,y
    for x in -1 0 1; do printf '1,tanh,1,%s,0.5\n1,hardtanh,1,%s,0.7\n' "$x" "$x"; done
} >"$whole/paper/squash.csv"
{
    echo schema_version,panel,input,spread,token,channel,outlier,deviation,x,y
    for x in -1 0 1; do printf '1,1,normal,0.5,0,1,0,1.1,%s,0.5\n1,2,activations,0.2,0,2,1,1.2,%s,0.7\n' "$x" "$x"; done
} >"$whole/paper/tokens.csv"
"$NORMBENCH" judge efficiency --csv "$whole/paper/comparison.csv" "$whole" >"$whole/paper/efficiency.md"
"$NORMBENCH" judge claims --csv "$whole/paper/verdicts.csv" "$whole" >"$whole/paper/verdicts.txt"
"$NORMBENCH" judge questions --by results/published/pairs.csv --csv "$whole/paper/answers.csv" "$whole" >/dev/null
made_runs "$work/days" 1 3
"$NORMBENCH" history --csv "$whole/history.csv" "$work"/days/* >/dev/null
"$NORMBENCH" predict --csv "$whole/law.csv" "$whole" >/dev/null
gate gates same 001 0
row 2 same 0 -0.1 0.1 1 1 0
gate gates power 001 1
row 2 slower 5 4.9 5.1 1e-6 1e-4 5
"$NORMBENCH" validation --csv "$whole/validation.csv" --rows "$whole/validation_rows.csv" "$work/gates" >/dev/null
mkdir "$whole/plots"
"$NORMBENCH" judge natives --csv "$whole/plots/natives.csv" "$whole" >/dev/null
check_end 0 'tables as normbench writes them' "$NORMBENCH" check "$whole"

# ---- Each column of each table with each payload: refused, but for what is plain text where text is free.

cat >"$work/mutate.awk" <<'AWK'
# mutate.awk TABLE FOLDER ROWS PAYLOAD...: FOLDER/<column>.<payload>/<name of the table>, with as many rows, that column's values followed by
# the payload.
BEGIN {
    rows = csv_read(ARGV[1], cell, names)
    rows = rows > ARGV[3] ? ARGV[3] : rows
    base = ARGV[1]
    sub(/.*\//, "", base)
    for (p = 4; p < ARGC; p++)
        payload[p - 3] = ARGV[p]
    for (k = 1; k <= names[0]; k++)
        for (p = 1; p in payload; p++) {
            folder = ARGV[2] "/" names[k] "." payload[p]
            made = made " '" folder "'"
            # One that is free is not told from one that is not by what follows a fault.
            if (payload[p] != "lines" && index(" reason claim source why method question ", " " names[k] " "))
                free[folder] = 1
        }
    system("mkdir -p" made)
    for (k = 1; k <= names[0]; k++)
        for (p = 1; p in payload; p++) {
            folder = ARGV[2] "/" names[k] "." payload[p]
            file = folder "/" base
            for (i = 0; i <= rows; i++)
                for (j = 1; j <= names[0]; j++)
                    printf "%s%s", csv_field((i == 0 ? names[j] : cell[i, names[j]]) (i > 0 && j == k ? ENVIRON[payload[p]] : "")), \
                        j < names[0] ? "," : "\n" > file
            close(file)
            print folder (folder in free ? " free" : "")
        }
    exit
}
AWK
both=$lines$calls$macro
export lines calls macro both
for table in kernels layers steps history law validation validation_rows plots/natives paper/comparison paper/tokens paper/squash paper/verdicts paper/answers; do
    LC_ALL=C awk -f scripts/figures/csv.awk -f "$work/mutate.awk" "$whole/$table.csv" "$work/gate/$table" 1 lines calls macro >>"$work/folders"
done
got=0
awk '{ print $1 }' "$work/folders" | xargs "$NORMBENCH" check >"$work/out" 2>"$work/err" || got=$?
[ "$got" -ne 0 ] && [ ! -s "$work/out" ] || fail 'hostile tables were let through'
[ "$(wc -l <"$work/folders")" -gt 400 ] || fail 'few tables were tried'
LC_ALL=C awk '
    FNR == NR { kind[$1] = $2 == "" ? "refused" : "free"; next }
    { path = $3; sub(/\/[^\/]*$/, "", path); column = path; sub(/.*\//, "", column); sub(/\..*/, "", column)
      said[path]++
      if (!($0 ~ (": line [12]: .*" column ".* \".*\" is ") || $0 ~ "cut off|TOUCHED")) print "no line, column and value: " $0
      if ($0 ~ /[^ -~]/) print "not printable: " $0 }
    END { for (path in kind) if (said[path] + 0 != (kind[path] == "refused")) print path ": " kind[path] ", said " said[path] + 0 }
' "$work/folders" "$work/err" >"$work/wrong"
[ ! -s "$work/wrong" ] || fail "check: $(head -n 5 "$work/wrong")"

# expect_refused FOLDER TEXT: by the program; by_scripts FOLDER: by every script that reads a folder. Nothing is run or written.
expect_refused() {
    check_end 2 "$2" "$NORMBENCH" check "$1"
    not_run "$2"
}
by_scripts() {
    before=$(ls -lR "$1")
    for script in plots.sh paper_report.sh; do
        check_end 2 'holds what normbench does not write' sh "scripts/$script" "$1"
    done
    for script in limits.sh peers.sh; do
        check_end 2 'holds what normbench does not write' env PYTHON="$work/python" sh "scripts/$script" "$NORMBENCH" "$1"
    done
    check_end 2 'holds what normbench does not write' sh scripts/paper.sh "$NORMBENCH" true "$1"
    [ "$before" = "$(ls -lR "$1")" ] || fail 'something was written'
    not_run 'a script'
}
printf '#!/bin/sh\necho 0\n' >"$work/python" && chmod +x "$work/python"

# again: a fresh copy of the run, to be spoilt.
again() {
    rm -rf "$work/run"
    cp -r "$whole" "$work/run"
    run=$work/run
}

# ---- What is no field: meta.json, names of columns and files, links and pipes.

# meta_with KEY VALUE: the run with that value in its meta.json, and what the program must say.
meta_with() {
    again
    sed "s|\"$1\": [^,}]*|\"$1\": $2|" "$whole/meta.json" >"$run/meta.json"
    cmp -s "$run/meta.json" "$whole/meta.json" && fail "meta.json has no $1"
    expect_refused "$run" "$3"
}
meta_with l1d "\"49152; system('$touch'); y=1\"" 'l1d "49152; system('
by_scripts "$run"
meta_with l2 "\"\`$touch\`1\"" 'is not a number of bytes'
meta_with l3 -1 'is not a number of bytes'
meta_with cpu_model "\"a \`$touch\`\"" 'is no name of a CPU'
meta_with cpu_model '"a\\nb"' "is not one line of plain text"
meta_with machine_id "\"\$($touch)\"" 'is not spelt as such a name is'
meta_with machine_id '"a", "other": "two\\u0007"' 'is not one line of plain text'
meta_with machine_id '"a", "machine_id": "b"' 'duplicate'
meta_with machine_id '{' 'meta.json: line 3: '

again
sed "1s|,variant,|,var\`$touch\`iant,|" "$whole/kernels.csv" >"$run/kernels.csv"
expect_refused "$run" 'line 1: "var'
sed '1s/,variant,/,op,/' "$whole/kernels.csv" >"$run/kernels.csv"
expect_refused "$run" 'line 1: two columns are called op'
sed 's/,dyt,/,dyte,/' "$whole/kernels.csv" >"$run/kernels.csv"
expect_refused "$run" 'line 4: "dyte" is no op; did you mean dyt?'
printf 'a,b\n1"2,"3\n' >"$run/kernels.csv"
expect_refused "$run" 'kernels.csv: line 2: a quote inside a field'
head -c 5000 "$whole/kernels.csv" >"$run/kernels.csv"
expect_refused "$run" 'kernels.csv: the last line has no end'
printf 'precious\n' >"$work/precious"
count=0
for entry in kernels.csv meta.json plots plots/map.svg paper/efficiency.md paper/efficiency.md.part new.part parts/kernels/samples.csv log; do
    for kind in file folder nothing pipe; do
        count=$((count + 1))
        path=$work/links/$count/$entry
        mkdir -p "${path%/*}"
        case $kind in
        file) ln -s "$work/precious" "$path" ;;
        folder) ln -s "$whole/paper" "$path" ;;
        nothing) ln -s "$work/nothing" "$path" ;;
        pipe) mkfifo "$path" ;;
        esac
    done
done
check_end 2 'is a pipe: a run holds files and folders alone; remove it' timeout 10 "$NORMBENCH" check "$work"/links/*
[ "$(grep -c 'is a symbolic link\|is a pipe' "$work/err")" -eq "$count" ] || fail "not every link and pipe is refused: $(cat "$work/err")"
again
mkdir -p "$run/plots"
ln -s "$work/precious" "$run/plots/map.svg"
by_scripts "$run"
[ "$(cat "$work/precious")" = precious ] || fail 'written through a link'
again
mkdir "$run/$(printf 'a\033[2Jb')"
expect_refused "$run" 'run/a\x1b[2Jb: is not one line'
check_end 2 'No such file' "$NORMBENCH" check "$work/nowhere"
check_end 2 'which folder' "$NORMBENCH" check

# ---- Without that check nothing runs or is written elsewhere either: what a figure's selection holds of a field is in quotes. No matter of
# sanitizers.

if [ -n "${SANITIZE:-}" ]; then
    finish
    exit
fi

again
cat >"$work/grammar.awk" <<'AWK'
# Strings are taken out, of data blocks those in double quotes, elsewhere those in single ones; what is left may have no letter of a payload.
/^\$[a-z]+ << END_OF_DATA$/ && !inside { inside = 1; next }
inside && $0 == "END_OF_DATA" { inside = 0; next }
{ tried += /TOUCHED/
  if (!inside)
      gsub(/"(\\n|')"/, "")
  gsub(inside ? "\"[^\"]*\"" : "'[^']*'", "")
  if (/[`@!"'\\]|system|touch|TOUCHED/ || inside && /[^-+*.0-9eEnNaif ?]/ && !/ none$/) print FILENAME ": " $0 }
END { print "tried " tried + 0 }
AWK
# columns FILE...: what they may name.
columns() { cat "$@" | grep -oE '"[a-z_][a-z0-9_]*"' | tr -d '"' | sort -u | tr '\n' ' '; }
mkdir "$work/selected"
for table in kernels layers steps history law validation validation_rows plots/natives paper/comparison paper/tokens paper/squash paper/answers; do
    LC_ALL=C awk -f scripts/figures/csv.awk -f "$work/mutate.awk" "$whole/$table.csv" "$work/all/$table" 1000 both >"$work/folders"
    for figure in $(figure_names); do
        own=$figures/$figure.awk
        # Whose rows it reads: the table that it is drawn from, and what its file names.
        case $(figure_table "$figure") in
        "$table") ;;
        *) grep -q "/$table\\.csv" "$own" || continue ;;
        esac
        columns=" $(columns "$own" "$figures"/plot*.awk) "
        while read -r folder _; do
            name=${folder##*/}
            case $columns in *" ${name%.both} "*) ;; *) continue ;; esac
            cp "$folder/${table##*/}.csv" "$run/$table.csv"
            figure_select "$figure" "$run" >"$work/selected/$figure.${table##*/}.$name" || fail "$figure with hostile $name failed"
        done <"$work/folders"
    done
    cp "$whole/$table.csv" "$run/$table.csv"
done
# What has no data block is a message.
grep -l '<<' "$work"/selected/* | LC_ALL=C xargs awk -f "$work/grammar.awk" >"$work/wrong"
[ "$(grep -c . "$work/wrong")" -eq 1 ] || fail "outside quotes: $(head -n 5 "$work/wrong")"
[ "$(sed -n 's/^tried //p' "$work/wrong")" -gt 50 ] || fail "the payloads hardly reached a figure: $(cat "$work/wrong")"

# gnuplot itself, where fields are shown: it draws them, and does nothing else.
for shown in levels.kernels.placement map.kernels.placement forms.kernels.placement tanh.kernels.variant layers_share.layers.model \
    layers_native.natives.model paper_squash.squash.alpha paper_tokens.tokens.spread paper_efficiency.comparison.threads; do
    (cd "$work" && figure_draw "${shown%%.*}" svg picture.svg "selected/$shown.both") >"$work/out" 2>&1 ||
        fail "gnuplot does not draw $shown: $(tail -n 1 "$work/out")"
    grep -q 'touch' "$work/picture.svg" || fail "$shown does not show the field"
    not_run "$shown"
done
for selected in "$work"/selected/threads.kernels.threads.both "$work"/selected/sizes.kernels.rows.both "$work"/selected/map.kernels.cols.both; do
    figure=$(basename "$selected" | cut -d. -f1)
    figure_draw "$figure" svg "$work/picture.svg" "$selected" >"$work/out" 2>&1 || true # without numbers, no figure
    not_run "$selected"
done

finish
