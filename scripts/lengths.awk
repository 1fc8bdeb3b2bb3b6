# SPDX-License-Identifier: MIT
# Finds files of more than 400 lines and C functions of more than 60: awk -f scripts/lengths.awk FILE... Exit 1 if there is one. A file is
# read whole before it is put away and a function before it is believed, and those are about what a reader holds. What a program made, which
# says so in a line "Made by ...", nobody reads.
#
# A function is what begins at the margin, outside comments and preprocessor lines, and holds an opening brace at the end of its head; it ends
# with the brace at the margin. Lines are counted from its head to that brace.

function finding(line, text) { printf "%s:%d: %s\n", file, line, text; found = 1 }
function end_file() {
    if (lines > MOST_LINES && !made)
        finding(lines, "has " lines " lines, more than " MOST_LINES ": give a part of it a file of its own")
}

BEGIN { MOST_LINES = 400; MOST_FUNCTION = 60 }

FNR == 1 {
    end_file()
    file = FILENAME
    is_c = file ~ /\.[ch]$/
    made = lines = begin = 0
}
{ lines = FNR }
/^[^A-Za-z]*Made by / { made = 1 }

# A head may take several lines; a statement or a declaration ends with a semicolon, and a table has an equals sign.
is_c && !begin && /^[A-Za-z_].*\(/ && !/=/ && !/;[ \t]*(\/\/.*)?$/ { begin = FNR; name = $0 }
is_c && begin && !opened && /;[ \t]*(\/\/.*)?$/ { begin = 0 }
is_c && begin && /\{[ \t]*(\/\/.*)?$/ { opened = 1 }
is_c && begin && /\}[ \t]*(\/\/.*)?$/ && FNR == begin { begin = opened = 0 }
is_c && /^\}/ {
    if (begin && opened && FNR - begin + 1 > MOST_FUNCTION && !made) {
        sub(/\(.*/, "", name)
        sub(/.*[ *]/, "", name)
        finding(begin, name " has " FNR - begin + 1 " lines, more than " MOST_FUNCTION ": divide it")
    }
    begin = opened = 0
}

END {
    end_file()
    exit found
}
