#!/bin/sh
# SPDX-License-Identifier: MIT
# Holds README.md and docs/ against what the program and the Makefile say of themselves: they name no command, option, make target, script
# or file that is not there, README shows every command, and no option of a command is without a line in its --help. That wraps at 80 columns,
# brackets what is optional alone, and ends with two examples, which are run.
#
# It looks at code alone: fenced lines and `spans`. Prose and layout are free, but that README stays short enough to be read.
# independent of the compiler
set -eu
cd "$(dirname "$0")/.."
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}" "${OBJ:=build/gcc}"

. tests/expect.sh

[ -f README.md ] || {
    echo "FAIL README.md is missing"
    exit 1
}

# Every piece of code on a line of its own, without a prompt; a command that a backslash continues is one line.
awk '
    /^ *```/ { fence = !fence; next }
    fence && /\\$/ { sub(/\\$/, ""); held = held $0; next }
    fence { line = held $0; held = ""; sub(/^ *\$ /, "", line); print line; next }
    { n = split($0, part, "`"); for (i = 2; i <= n; i += 2) print part[i] }' README.md docs/*.md >"$work/code"
[ "$(wc -w <README.md)" -le 1200 ] || fail "README.md has more than 1200 words: move detail to docs/"

# Words that look like options: --name, as the program spells them.
options() { grep -oE -- '(^|[^A-Za-z0-9_-])--[a-z][a-z0-9-]*' | grep -oE -- '--[a-z][a-z0-9-]*' | sort -u; }

# ---- The commands and their help. A command is a cmd_*.c. ----

commands=$(for file in bench/commands/cmd_*.c; do basename "$file" .c; done | sed 's/^cmd_//')
"$NORMBENCH" --help </dev/null >"$work/help" 2>"$work/err" || fail "normbench --help exits with $?"
options <"$work/help" >"$work/all"
for command in $commands; do
    "$NORMBENCH" "$command" --help </dev/null >"$work/help.$command" 2>"$work/err" ||
        fail "normbench $command --help exits with $?"
    [ -s "$work/help.$command" ] || fail "normbench $command --help prints nothing to standard output"
    grep -qw -- "$command" "$work/help" || fail "normbench --help does not name the command $command"
    grep -qE "normbench $command([^a-z_]|$)" README.md || fail "README.md does not show \`normbench $command\`"
    options <"$work/help.$command" >"$work/options.$command"
    # README leaves options to --help: each must have a line of its own there that says what it does.
    sed -n '/^usage:/,/^[^ u]/p' "$work/help.$command" | options >"$work/usage.$command"
    while read -r option; do
        grep -qE -- "^  $option +[^ ]" "$work/help.$command" || fail "normbench $command --help does not explain $option"
    done <"$work/usage.$command"
done
{ echo --help && cat "$work/all" "$work"/options.*; } | sort -u >"$work/known"

# ---- Its examples. What takes longer than a blink says what it would do. ----

mkdir "$work/here"
ln -s "$PWD/results" "$work/here/results"
ln -s "$PWD/build" "$work/here/build"
case $NORMBENCH in
/*) ;;
*) NORMBENCH=$PWD/$NORMBENCH ;;
esac
normbench() { "$NORMBENCH" "$@"; }
refusal=$(normbench list implementations | sed -n '/ onednn .*DNNL_CPU_RUNTIME/{s/.*lacks //p;q;}')
for command in '' $commands; do
    page=$work/help${command:+.$command}
    awk 'length > 80 { exit 1 }' "$page" || fail "normbench $command --help has a line of more than 80 columns"
    # Nothing stands without brackets but what is asked for.
    sed -n '/^usage:/,/^[^ u]/p' "$page" | sed 's/\[[^]]*\]//g' | options >"$work/needed"
    while read -r option; do
        got=0
        normbench "$command" </dev/null >"$work/out" 2>"$work/err" || got=$?
        if [ "$got" -ne 2 ] || ! grep -q 'is needed' "$work/err"; then
            fail "normbench $command does not need $option, which its usage has not in brackets"
        fi
    done <"$work/needed"
    sed '1,/^Examples:$/d' "$page" >"$work/examples"
    if [ "$(grep -cE "^  normbench ${command:-[a-z]+}( |$)" "$work/examples")" -ne 2 ] || [ "$(wc -l <"$work/examples")" -ne 2 ]; then
        fail "normbench $command --help does not end with two examples of it"
    fi
    # An example names the libraries of gcc, which another compiler's are beside.
    sed -i "s|build/gcc/|$OBJ/|g" "$work/examples"
    while read -r example; do
        case $example in
        *' tune'*) example="$example --dry-run" ;;
        *' kernels '*) example="$example --dry-run" ;;
        *' layers '*) example="$example --dry-run" ;;
        *' sharded '*) example="$example --dry-run" ;;
        *' ab '*) example="$example --dry-run" ;;
        *' dump '*) [ -z "$refusal" ] || continue ;; # products need another oneDNN
        esac
        got=0
        (cd "$work/here" && eval "$example") </dev/null >"$work/out" 2>"$work/err" || got=$?
        # What compares ends with a verdict, whatever the results here are.
        case "$command $got" in
        *' 0' | 'compare '[456]) ;;
        *) fail "$example: exit $got: $(cat "$work/err")" ;;
        esac
    done <"$work/examples"
done

# ---- The README's own pieces of code. ----

# named TEXT OPTIONS WHERE: every option in the text is in the file of options
named() {
    printf '%s\n' "$1" | options | while read -r option; do
        grep -qxe "$option" "$2" || printf '%s\n' "README.md or docs/ name $option, unknown to $3: $1"
    done
}

# A line may hold several commands, each of which is looked at alone, without what may stand before it.
sed -E 's/(&&|[;|]( |$))/\n/g' "$work/code" | sed -E 's/^ *((sudo|sh|bash|[A-Z_]+=[^ ]*) +)*//' >"$work/pieces"

while read -r piece; do
    program=${piece%% *}
    case $program in
    *normbench)
        command=$(printf '%s\n' "$piece" | sed -nE 's/^(.* )?[^ ]*normbench +([a-z]+).*/\2/p')
        if [ -z "$command" ]; then
            named "$piece" "$work/known" "normbench"
        elif [ -f "$work/options.$command" ]; then
            named "$piece" "$work/options.$command" "normbench $command"
        else
            echo "README.md or docs/ name a command that is not there: $piece"
        fi
        ;;
    scripts/* | .ci/* | tests/*)
        if [ -f "$program" ]; then
            options <"$program" >"$work/script"
            named "$piece" "$work/script" "$program"
        elif [ ! -d "$program" ]; then
            case $program in
            *[*\<]*) ;; # a pattern or a placeholder
            *) echo "README.md or docs/ name $program, which is not there" ;;
            esac
        fi
        ;;
    # Options of programs that are not ours.
    make | git | cc | gcc | clang | pkg-config | apt-get | dnf | python3 | perf | numactl | lstopo | cmake | docker | cpupower | *reframe | sbatch | '#SBATCH') ;;
    *) named "$piece" "$work/known" "every command" ;;
    esac
done <"$work/pieces" >"$work/findings"

# `make X Y VAR=value`: targets are in the help, variables in the Makefile or its help. Words end at whatever no target can be.
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s help >"$work/make" </dev/null || fail "make help exits with $?"
sed -nE 's/^[^A-Za-z]*(make +)?([a-z][a-z_-]*).*/\2/p' "$work/make" >"$work/targets"
sed -n 's/^make  *//p' "$work/pieces" | while read -r line; do
    for word in $line; do
        case $word in
        -*) ;;
        [A-Z]*=*)
            variable=${word%%=*}
            case $variable in
            CC | CFLAGS | LDFLAGS | DESTDIR) continue ;;
            esac
            grep -qwe "$variable" Makefile "$work/make" || echo "README.md or docs/ name the variable $variable, which no Makefile reads"
            ;;
        *[!a-z_-]*) break ;;
        *) grep -qxe "$word" "$work/targets" || echo "README.md or docs/ name \`make $word\`, which make help does not list" ;;
        esac
    done
done >>"$work/findings"

# Links and pictures that point into the project.
for page in README.md docs/*.md; do
    grep -oE '\]\([^)]+\)' "$page" | sed -E 's/^\]\(//; s/[ #].*//; s/\)$//' | while read -r target; do
        case $target in
        '' | http://* | https://* | mailto:*) ;;
        *) [ -e "$(dirname "$page")/$target" ] || echo "$page links to $target, which is not there" ;;
        esac
    done
done >>"$work/findings"

# The two commands that the first screen promises; .ci/run takes the second from there.
for target in bench check; do
    grep -qxE "sh scripts/setup.sh && make $target" "$work/code" ||
        fail "README.md does not show \`sh scripts/setup.sh && make $target\` on a line of its own"
done

sort -u "$work/findings" >"$work/unique"
while read -r line; do fail "$line"; done <"$work/unique"

finish
