# SPDX-License-Identifier: MIT
# The look of every figure. The caller has set format, out, panels and, in pixels, panel_width and panel_height. What an op looks like,
# color(op), pale(op), mark(op) and dash(op), is the program's vocabulary and comes with the data.

if (!exists("across")) { across = panels > 2 ? (panels > 4 ? 3 : 2) : panels }
if (!exists("left")) { left = 74.0 } # pixels left of a panel's axis
down = (panels + across - 1) / across
head = 74.0 # pixels above the panels for the title, below them for the key
if (!exists("foot")) { foot = 34.0 } # of a key of two lines
if (across * panel_width < 740) { panel_width = 740.0 / across } # what the longest title needs
page_width = across * panel_width
page_height = down * panel_height + head + foot
if (format eq "svg") {
    set terminal svg size page_width, page_height noenhanced font "DejaVu Sans,Helvetica,Arial,sans-serif,12" background "white"
}
if (format eq "png") {
    set terminal pngcairo size 1.5 * page_width, 1.5 * page_height noenhanced font "DejaVu Sans,12" \
        fontscale 1.1 linewidth 1.5 pointscale 1.3
}
if (format eq "pdf") { # one point for a pixel, so that fonts keep their proportion
    set terminal pdfcairo size page_width / 72.0, page_height / 72.0 noenhanced font "DejaVu Sans,12" fontscale 0.85 linewidth 1.3
}
set output out

set encoding utf8
set border 3 lc rgb "#444444"
set tics nomirror tc rgb "#222222"
set grid ytics lc rgb "#DDDDDD" lt 1 lw 0.6
set style line 1 lw 1.5
set bars small
unset key

# The title stands left, in two sizes; panels fill the page between it and the key.
set label 1 what at screen 12.0 / page_width, 1 - 18.0 / page_height left font ",15" tc rgb "#000000"
set label 2 fixed at screen 12.0 / page_width, 1 - 38.0 / page_height left font ",10" tc rgb "#555555"
column_of(p) = (p - 1) % across
row_of(p) = (p - 1) / across

# Log axes get 1, 2, 5 as marks and just the room that the data needs: decades alone would leave most of a panel empty.
# What lies between is marked without a number, so that a panel of less than an octave still shows its scale.
log_y = "set logscale y; set format y '%g'; set autoscale yfix; set offsets 0, 0, graph 0.06, graph 0.06; set ytics (1);" . \
    "set for [e = -5:5] ytics add (10.0**e, 2 * 10.0**e, 5 * 10.0**e);" . \
    "set for [e = -5:5] for [k in '1.2 1.4 1.6 1.8 3 4 6 7 8 9'] ytics add ('' k * 10.0**e 1)"

# To be evaluated before each panel p, and before the last plot, which has the key alone.
start_panel = "if (p > 1) { unset label 1; unset label 2 };" . \
    "set title panel_title[p] offset 0, -0.5 font ',11';" . \
    "set lmargin at screen (column_of(p) * panel_width + left) / page_width;" . \
    "set rmargin at screen ((column_of(p) + 1) * panel_width - 22.0) / page_width;" . \
    "set tmargin at screen 1 - (head + row_of(p) * panel_height + 28) / page_height;" . \
    "set bmargin at screen 1 - (head + (row_of(p) + 1) * panel_height - 72) / page_height"
start_key = "unset label; unset title; unset border; unset tics; unset xlabel; unset ylabel;" . \
    "unset logscale; unset arrow; unset offsets;" . \
    "set lmargin at screen 0; set rmargin at screen 1; set bmargin at screen 0; set tmargin at screen foot / page_height;" . \
    "set xrange [0:1]; set yrange [0:1]; set key center center horizontal samplen 2.5 width 1"

# Two bars for each op, the second paler, with their values: the axes, and the plot of panel p.
half = 0.17
pair_axes = "set ylabel 'ns per element'; set xlabel 'op'; set yrange [0:*]; set offsets 0, 0, graph 0.1, 0;" . \
    "set xrange [0.5:bars + 0.5]; set tics scale 0.5; set style fill solid 1.0 noborder"
plot_pairs = 'base = (p - 1) * series; plot' . \
    ' for [s = 1:ops] $data index base + 2 * s - 2 using 1:2:($1 - half):($1 + half):(0):2 with boxxyerror lc rgb color(op[s]),' . \
    ' for [s = 1:ops] $data index base + 2 * s - 1 using 1:2:($1 - half):($1 + half):(0):2 with boxxyerror lc rgb pale(op[s]),' . \
    ' for [s = 1:series] $data index base + s - 1 using 1:3:(0):($4 - $3) with vectors nohead lw 1.2 lc rgb "#222222",' . \
    ' for [s = 1:series] $data index base + s - 1 using 1:4:(sprintf($5 > 0 ? "%.2g*" : "%.2g", $2)) with labels offset 0, 0.6 font ",10"'
