# SPDX-License-Identifier: MIT
# An SVG of gnuplot's without what it says again and again: groups of like attributes that follow one another are one, a mark of one size and
# colour is described once, colours are hexadecimal, and nothing stands behind a number that is whole. Every pixel stays.
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
    $0 = "\t<use xlink:href='#" made[key] "' x='" part[5] "' y='" part[6] "'/>"
}
