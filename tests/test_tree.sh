#!/bin/sh
# SPDX-License-Identifier: MIT
# The checks of `make lint` on lengths and on names of files find what they are for, and nothing in what is as it should be.
# independent of the compiler
set -u
. tests/expect.sh

# lines N: as many lines of a function's body.
lines() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) print "    f();" }'; }

root=$PWD
mkdir "$work/tree" && cd "$work/tree" || exit 1
{ echo 'static void fits(int a,' && echo '                 int b) {' && lines 57 && echo '}'; } >fits.c
{ echo 'static void too_long(void) {' && lines 59 && echo '}'; } >long.c
{ echo 'static const int table[] = {ROW(a),' && echo '    ROW(b), {' && lines 80 && echo '};' && echo 'int declared(void);' && echo 'WORDS(status)' && echo 'static const int t = {1};' && echo 'void one(void) { f(); }' && lines 90; } >no_function.c
lines 400 >full.sh
lines 401 >over.awk
{ echo '// Made by a script.' && lines 500; } >made.h
awk -f "$root/scripts/lengths.awk" ./* >findings && fail 'lengths.awk exits with 0 in spite of findings'
grep -q '^./long.c:1: too_long has 61 lines' findings || fail "no function of 61 lines in: $(cat findings)"
grep -q '^./over.awk:401: has 401 lines' findings || fail "no file of 401 lines in: $(cat findings)"
[ "$(wc -l <findings)" -eq 2 ] || fail "lengths.awk has more findings than there are: $(cat findings)"
awk -f "$root/scripts/lengths.awk" fits.c full.sh made.h no_function.c || fail 'lengths.awk finds what is short enough'

rm ./*
mkdir -p room
cat >room/good.h <<'EOT'
// good.h: what bad.c and room/good.h have, <math.h> aside, and every fig_NAME.awk and simd_*.h.
#ifndef ROOM_GOOD_H
#define ROOM_GOOD_H
static const char *text = "// gone.c in a string";
#endif
EOT
{ echo '#ifndef OLD_H' && echo '#endif'; } >room/new.h
{ echo 'int a; // see gone.c' && echo '// attic/good.h, which is in room/' && echo 'int b = a.c;'; } >bad.c
printf '%s bad.c by gone.awk\ncat gone.awk; %s a gone.sh\n' '#' '#' >here.sh
{ echo "echo >\"\$work/made.awk\"" && echo '# made.awk: what this makes'; } >maker.sh
echo 'See "bad.c" and "room/gone.gp".' | tr '"' '`' >page.md
awk -f "$root/scripts/names.awk" room/good.h room/new.h bad.c here.sh page.md >findings && fail 'names.awk exits with 0 in spite of findings'
for text in 'room/new.h:1: the guard OLD_H should be NEW_H' 'bad.c:1: names gone.c,' 'bad.c:2: names attic/good.h,' 'here.sh:1: names gone.awk,' \
    'here.sh:2: names gone.sh,' 'page.md:1: names room/gone.gp,'; do
    grep -q "^$text" findings || fail "no finding '$text' in: $(cat findings)"
done
[ "$(wc -l <findings)" -eq 6 ] || fail "names.awk has more findings than there are: $(cat findings)"
awk -f "$root/scripts/names.awk" room/good.h bad.c maker.sh | grep -v '^bad.c' && fail 'names.awk finds what is there'

cd "$root" || exit 1
finish
