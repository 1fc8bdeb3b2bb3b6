# SPDX-License-Identifier: MIT
# Holds every #include "..." of the tree against scripts/rooms.txt: awk -f scripts/rooms.awk scripts/rooms.txt FILE... A finding is a
# file of no room, a header that is nowhere, or an arrow upwards; exit 1 if there is one.

function directory(path) { return path ~ "/" ? substr(path, 1, match(path, "/[^/]*$") - 1) : "." }
function finding(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; found = 1 }

FILENAME == ARGV[1] {
    if ($1 !~ /^#/ && NF)
        rank[$1] = ++rooms
    next
}

FNR == 1 {
    room = directory(FILENAME)
    sub("^tests/.*", "tests", room)
    if (!(room in rank))
        finding("is in no room: see scripts/rooms.txt")
    known[FILENAME] = 1
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    includes[++count] = FILENAME SUBSEP FNR SUBSEP room SUBSEP part[2]
}

END {
    roots = split(". kernels models bench tests", root, " ")
    for (i = 1; i <= count; i++) {
        split(includes[i], at, SUBSEP)
        target = ""
        root[1] = directory(at[1])
        for (r = 1; r <= roots && target == ""; r++)
            if ((root[r] "/" at[4]) in known)
                target = root[r] "/" at[4]
        FILENAME = at[1]
        FNR = at[2]
        if (target == "")
            finding("includes \"" at[4] "\", which is in no room")
        else if (rank[directory(target)] > rank[at[3]])
            finding("includes " target ", which stands above " at[3])
    }
    exit found
}
