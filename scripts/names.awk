# SPDX-License-Identifier: MIT
# Finds comments and pages that name a file which is not there, and headers whose guard is not their own name: awk -f scripts/names.awk FILE...
# A name with folders has to be the end of a file's path. Headers of others stand in <>, a word in capitals in a name stands for any, and what
# a test makes in $work is there as well, and what a page tells its reader to make: a new file `NAME`. Exit 1 if there is a finding. Every FILE is known; C, shell, awk, Python, gnuplot and Markdown are read.

function finding(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; found = 1 }

# What of a line is for people.
function comment(line) {
    if (FILENAME ~ /\.md$/)
        return line
    if (FILENAME ~ /\.[ch]$/) {
        gsub(/"([^"\\]|\\.)*"/, "", line)
        return match(line, "//") ? substr(line, RSTART + 2) : ""
    }
    return match(line, /(^|[ \t])#[ \t]/) ? substr(line, RSTART + RLENGTH) : ""
}

BEGIN {
    name = "[A-Za-z0-9_./-]*[A-Za-z0-9_]\\.(c|h|awk|gp|sh)"
    for (i = 1; i < ARGC; i++)
        for (path = ARGV[i]; path != ""; path = match(path, "/") ? substr(path, RSTART + 1) : "")
            known[path] = 1
}

FNR == 1 { guarded = 0 }
FILENAME !~ /\.(c|h|sh|awk|py|gp|md)$/ { next }

FILENAME ~ /\.h$/ && !guarded && /^#ifndef / {
    guarded = 1
    guard = FILENAME
    sub(".*/", "", guard)
    guard = toupper(guard)
    gsub("[.]", "_", guard)
    if ($2 ~ /_H$/ && $2 !~ "(^|_)" guard "$")
        finding("the guard " $2 " should be " guard)
}

match($0, /A new file `[^`]*`/) {
    for (path = substr($0, RSTART + 12, RLENGTH - 13); path != ""; path = match(path, "/") ? substr(path, RSTART + 1) : "")
        known[path] = 1
}

match($0, /\$work\/[a-z_]+\.[a-z]+/) { known[substr($0, RSTART + 6, RLENGTH - 6)] = 1 }

{
    for (rest = comment($0); match(rest, name); rest = substr(rest, RSTART + RLENGTH)) {
        file = substr(rest, RSTART, RLENGTH)
        before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : " "
        after = substr(rest, RSTART + RLENGTH, 1)
        sub("^([.]*/)+", "", file)
        if (before !~ /[<>*"$})]/ && after !~ /[A-Za-z0-9_(>*-]/ && file !~ /[A-Z][A-Z]/ && !(file in known))
            finding("names " file ", which is not there")
    }
}

END { exit found }
