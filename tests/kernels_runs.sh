# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the tests of `normbench kernels` from the outside share: how the program is called, and how what a run leaves is read.
: "${NORMBENCH:=build/normbench}" "${OBJ:=build/gcc}" "${CC:=cc}"
case $NORMBENCH in /*) ;; *) NORMBENCH=$PWD/$NORMBENCH ;; esac
. tests/expect.sh
mkdir "$work/empty" "$work/tmp"
export TMPDIR="$work/tmp"
program=$NORMBENCH

# In an empty folder, so that a stray results folder shows.
kernels() { (cd "$work/empty" && "$program" kernels "$@"); }

# expect CODE TEXT ARGUMENTS...: as `check_end`, of `kernels ARGUMENTS`.
expect() {
    code=$1 text=$2
    shift 2
    check_end "$code" "$text" kernels "$@"
}

nothing_left() {
    [ -z "$(ls -A "$work/empty")$(ls -A "$work/tmp")" ] ||
        fail "$*: left behind: $(find "$work/empty" "$work/tmp")"
    rm -rf "$work/empty" "$work/tmp"
    mkdir "$work/empty" "$work/tmp"
}

# columns FILE 'NAME NAME': these columns of a CSV, without its header. No column asked for here ever holds a comma, nor
# does one to the left of it.
columns() {
    awk -F, -v names="$2" 'NR == 1 { count = split(names, name, " "); for (i = 1; i <= NF; i++) at[$i] = i; next }
        { for (i = 1; i <= count; i++) printf "%s%s", $at[name[i]], i < count ? " " : "\n" }' "$1"
}

lines() { awk 'END { print NR }' "$1"; }

# json FILE KEY...: the value there, or the names of an array's items; an item is called by its name.
cat >"$work/json.c" <<'EOC'
#include <jansson.h>
#include <string.h>
static const char *name(const json_t *item) {
    const char *const text = json_string_value(json_object_get(item, "name"));
    return text != NULL ? text : "";
}
int main(int argc, char **argv) {
    json_error_t error;
    const json_t *at = json_load_file(argv[1], 0, &error);
    for (int i = 2; at != NULL && i < argc; i++) {
        const json_t *const from = at;
        at = json_object_get(from, argv[i]);
        for (size_t k = 0; at == NULL && k < json_array_size(from); k++)
            if (strcmp(name(json_array_get(from, k)), argv[i]) == 0)
                at = json_array_get(from, k);
    }
    for (size_t k = 0; k < json_array_size(at); k++)
        puts(name(json_array_get(at, k)));
    return json_is_array(at) ? 0 : at == NULL || json_dumpf(at, stdout, JSON_ENCODE_ANY) != 0;
}
EOC
$CC -o "$work/json" "$work/json.c" -ljansson || fail "cannot build the JSON reader"
# shellcheck disable=SC2086 # several words, or none
json() { ${NORMBENCH_EMULATOR:-} "$work/json" "$@"; }

# has FILE VALUE KEY...
has() {
    file=$1 value=$2
    shift 2
    [ "$(json "$file" "$@")" = "$value" ] || fail "$file: $* is $(json "$file" "$@"), expected $value"
}

cell='op variant pass form level dtype rows cols threads placement cache'
# check_samples DIR: every sample once, and whole.
check_samples() {
    for key in "$cell launch sample" 'launch order'; do
        twice=$(columns "$1/samples.csv" "$key" | sort | uniq -d)
        [ -z "$twice" ] || fail "$1: not unique by $key: $twice"
    done
    columns "$1/samples.csv" 'time_ns calls bound' | awk '!($1 > 0 && $2 >= 1 && $3 != "") { exit 1 }' ||
        fail "$1: a sample without time, calls or PU"
}
