# SPDX-License-Identifier: MIT
# Norm share on a log axis, one row for each layer.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 860; panel_height = 110 + 32 * most_rows; left = 200.0
load style

set logscale x
set format x '%g'
set grid xtics ytics
set xlabel "% of the layer's time" . (two_places ? "\ntwo marks of a kind in a row: launches with the cores near each other (large) and far apart (small)" : "")
set xtics (1); set for [e = -5:1] xtics add (10.0**e, 2 * 10.0**e, 5 * 10.0**e)
set autoscale xfix
set offsets graph 0.04, graph 0.04, 0, 0
set ytics font ",10"
set yrange [most_rows + 0.6:0.4]
# An op's own mark, filled or, one less, open; or one of the form's.
form_mark(op, f) = form_look[f] > 0 ? form_look[f] : mark(op) + form_look[f]
set multiplot
p = 1
eval(start_panel)
eval(panel_tics[p])
plot for [s = 1:ops] for [f = 1:forms] $data index (s - 1) * forms + f - 1 using 2:1:3:4 with xerrorbars lw 1.2 pt form_mark(op[s], f) ps 0.9 \
     lc rgb color(op[s]), \
     for [s = 1:ops] for [f = 1:forms] $far index (s - 1) * forms + f - 1 using 2:1:3:4 with xerrorbars lw 1.2 pt form_mark(op[s], f) ps 0.5 \
     lc rgb color(op[s])
eval(start_key)
plot for [s = 1:ops] NaN with points pt mark(op[s]) ps 0.9 lc rgb color(op[s]) title label[s]
unset multiplot
