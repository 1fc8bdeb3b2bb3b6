#!/bin/sh
# SPDX-License-Identifier: MIT
# The CSV reader of the scripts beside the program's, on files that are whole, cut or malformed, with every awk that is here: the same
# number of rows or a refusal with the line, and always an end.
# run by one compiler and by sanitizers
set -eu
: "${OBJ:?must name the folder of test_csv, e.g. OBJ=build/gcc}"
. tests/expect.sh

# file of the case, rows by the program, rows by the scripts (-1: refused; any: whatever it is, it ends), text with escapes
cat >"$work/cases" <<'EOT'
header_only        0   0 a,b\n
rows               2   2 a,b\n1,2\n3,4\n
crlf               2   2 a,b\r\n1,"2"\r\n3,4\r\n
empty_fields       2   2 a,b\n,\n"",""\n
quoted             2   2 a,b\n"1,2","say ""hi"""\n3,4\n
quoted_newline     2   2 a,b\n1,"two\nlines"\n3,4\n
quoted_blank_line  1   1 a,b\n1,"two\n\nlines\n"\n
other_script       1   1 a,b\n\0303\0244,\0342\0202\0254\n
one_column         3   3 a\n1\n\n3\n
no_final_newline   1   2 a,b\n1,2\n3,4
empty             -1  -1 
one_line_feed      0   0 \n
cut_header        -1   0 a,b
cut_in_quotation   1  -1 a,b\n1,2\n3,"4
too_few           -1  -1 a,b\n1\n
too_many          -1  -1 a,b\n1,2,3\n
blank_line        -1  -1 a,b\n1,2\n\n
the_issues_row    -1  -1 a,b,c\n1,11,1a","\n
stray_quotes      -1  -1 a,b\n1"2,"3\n
quote_inside      -1  -1 a,b\n1,2"\n
two_inside        -1  -1 a,b\n1"",2\n
quote_then_text   -1  -1 a,b\n"1"2,3\n
quote_then_space  -1  -1 a,b\n"1" ,3\n
space_then_quote  -1  -1 a,b\n1, "3"\n
three_quotes      -1  -1 a,b\n""",3\n
never_closed      -1  -1 a,b\n1,2\n"3,4\n5,6\n
quote_alone       -1  -1 a,b\n"\n1,2\n
stray_in_header   -1  -1 a"b,c\n1,2\n
carriage_returns  -1  -1 a,b\r1,2\r\n
one_return        -1  -1 a,b\n1\r,2\n
two_returns       -1  -1 a,b\n1,2\r\r\n
nul               -1 any a,b\n1,2\0000\n3,4\n
only_nul          -1 any \0000
EOT

cat >"$work/read.awk" <<'EOT'
BEGIN {
    rows = csv_read(ARGV[1], cell, names)
    print rows
    if (rows < 0 && csv_error !~ /^[^ ]*: (line [1-9][0-9]*: ([0-9]+ fields, the header has|a quot)|cannot be read, or is empty)/)
        print "says: " csv_error
    exit
}
EOT
awks=''
for awk in awk mawk gawk original-awk bwk; do ! command -v "$awk" >/dev/null || awks="$awks $awk"; done
! busybox awk 'BEGIN { exit }' 2>/dev/null || awks="$awks busybox:awk"

# read_with AWK FILE: what it prints; at most 10 s and 512 MiB, which a reader that loops would take.
read_with() {
    # shellcheck disable=SC2046,SC3045 # `busybox awk` is two words; every sh here has ulimit -v
    (ulimit -v 524288 && LC_ALL=C timeout 10 $(echo "$1" | tr : ' ') -f scripts/figures/csv.awk -f "$work/read.awk" "$2" 2>&1) || echo "ends with $?"
}

# check NAME PROGRAM SCRIPTS
check() {
    file=$work/$1.csv
    got=$("$OBJ/test_csv" "$file")
    [ "$got" = "$2" ] || fail "$1: the program reads $got rows instead of $2"
    for awk in $awks; do
        got=$(read_with "$awk" "$file")
        case $3:$got in
        any:'ends with 124' | any:*[!0-9-]*) fail "$1: $awk: $got" ;;
        any:* | "$got:$got") ;;
        *) fail "$1: $awk reads $got instead of $3" ;;
        esac
    done
}
count=0
while read -r name program scripts text; do
    printf '%b' "$text" >"$work/$name.csv"
    check "$name" "$program" "$scripts"
    count=$((count + 1))
done <"$work/cases"
[ "$count" -eq 33 ] || fail "only $count cases were read"

# A field of a megabyte, quoted and not, and a quotation that swallows the rest of a long file: refused at once, or read.
awk 'BEGIN { printf "a,b\n1,"; for (i = 0; i < 100000; i++) printf "0123456789"; print "" }' >"$work/wide.csv"
check wide 1 1
awk 'BEGIN { printf "a,b\n1,\""; for (i = 0; i < 100000; i++) printf "0123456789"; print "\"" }' >"$work/wide_quoted.csv"
check wide_quoted 1 1
awk 'BEGIN { print "a,b\n1,\"2"; for (i = 0; i < 200000; i++) print "some,row" }' >"$work/swallowed.csv"
check swallowed -1 -1

# What gzip made of a table is read in its place, in a folder whose name needs quoting; cut off, damaged or beside its plain form it is not.
folder="$work/it's"
mkdir "$folder"
awk 'BEGIN { print "a,b"; for (i = 0; i < 20000; i++) print i "," i * i }' >"$folder/t.csv"
gzip "$folder/t.csv"
cp "$folder/t.csv.gz" "$work/t.csv.gz"
for awk in $awks; do
    [ "$(read_with "$awk" "$folder/t.csv")" = 20000 ] || fail "$awk reads $(read_with "$awk" "$folder/t.csv") rows of a .gz"
    head -c 20000 "$work/t.csv.gz" >"$folder/t.csv.gz"
    case $(read_with "$awk" "$folder/t.csv") in
    '-1'*'its .gz is cut off or damaged: copy it anew'*) ;;
    *) fail "$awk reads a .gz that is cut off: $(read_with "$awk" "$folder/t.csv")" ;;
    esac
    echo no gzip >"$folder/t.csv.gz"
    case $(read_with "$awk" "$folder/t.csv") in
    '-1'*'its .gz is cut off or damaged'*) ;;
    *) fail "$awk reads what is no gzip file: $(read_with "$awk" "$folder/t.csv")" ;;
    esac
    cp "$work/t.csv.gz" "$folder"
    echo a,b >"$folder/t.csv"
    case $(read_with "$awk" "$folder/t.csv") in
    '-1'*'beside it: remove one of the two'*) ;;
    *) fail "$awk reads one of two forms" ;;
    esac
    rm "$folder/t.csv"
done
[ "$(read_with awk "$work/nowhere.csv")" = -1 ] || fail 'a file that is not there'

finish
