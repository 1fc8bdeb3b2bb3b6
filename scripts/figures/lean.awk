# SPDX-License-Identifier: MIT
# An SVG of gnuplot's without what it says again and again: groups of like attributes that follow one another are one, a mark of one size and
# colour is described once, colours are hexadecimal, places are known to a tenth of a pixel, and nothing stands behind a number that is whole.
/^<g fill="none"/ {
    if (ended && $0 == group) {
        ended = 0
        next
    }
    settle()
    group = $0
    print
    inside = 1
    next
}
$0 == "</g>" && inside {
    ended = 1
    inside = 0
    next
}
{ settle() }
/<text|<desc|<title/ {
    print
    next
}
{
    while (match($0, /rgb\( *[0-9]+, *[0-9]+, *[0-9]+\)/)) {
        split(substr($0, RSTART + 4, RLENGTH - 5), part, ",")
        $0 = substr($0, 1, RSTART - 1) sprintf("#%02X%02X%02X", part[1], part[2], part[3]) substr($0, RSTART + RLENGTH)
    }
    gsub(/\.00 /, " ")
    gsub(/\.00,/, ",")
    gsub(/\.00\)/, ")")
    sub(/ +'\/>/, "'/>")
    if (!/ id='gpPt/ && ($0 !~ /<[a-z]/ || /<path|<poly|<use[^>]* y=/))
        $0 = tenths($0)
    if (match($0, /^\t<use xlink:href='#gpPt[0-9]+' transform='translate\([^)]*\) scale\([^)]*\)' color='[^']*'\/>$/))
        shorten_mark()
    print
}
END { settle() }
# Ends a group that is not gone on with.
function settle() {
    if (ended)
        print "</g>"
    ended = 0
}
# Mark, place, size and colour stand between quotes and brackets.
function shorten_mark(    part, at, key) {
    split($0, part, /['(),]/)
    key = part[2] SUBSEP part[8] SUBSEP part[11]
    if (!(key in made)) {
        made[key] = "m" ++marks
        print "\t<defs><g id='" made[key] "' transform='scale(" part[8] ")' color='" part[11] "'><use xlink:href='" part[2] "'/></g></defs>"
    }
    $0 = tenths("\t<use xlink:href='#" made[key] "' x='" part[5] "' y='" part[6] "'/>")
}
# A text with its numbers of two decimals rounded to one, or to none where that is nothing.
function tenths(text,    done, number) {
    done = ""
    while (match(text, /[0-9]+\.[0-9]+/)) {
        number = substr(text, RSTART, RLENGTH)
        if (number ~ /\.[0-9][0-9]$/) {
            number = sprintf("%.1f", number)
            sub(/\.0$/, "", number)
        }
        done = done substr(text, 1, RSTART - 1) number
        text = substr(text, RSTART + RLENGTH)
    }
    return done text
}
