# SPDX-License-Identifier: MIT
# DyT over a norm on a log axis, published and here: one panel for each pass.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 640; panel_height = 110 + 20 * most_rows; left = 310.0
load style

set logscale x
set format x '%g'
set grid xtics ytics
set xlabel "time of DyT / time of the norm"
set xtics (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
set xrange [* < 0.4:5 < *]
set ytics font ",10"
set yrange [most_rows + 0.6:0.4]
set arrow from 1, graph 0 to 1, graph 1 nohead back lw 1.2 lc rgb "#444444"
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    eval(panel_tics[p])
    base = (p - 1) * 2 * ops
    plot for [s = 1:ops] $data index base + 2 * s - 2 using 2:1:3:4 with xerrorbars lw 1.4 pt mark(op[s]) ps 0.9 lc rgb color(op[s]), \
         for [s = 1:ops] $data index base + 2 * s - 1 using 2:1 with points lw 1.2 pt mark(op[s]) - 1 ps 0.9 lc rgb color(op[s])
}
eval(start_key)
plot for [s = 1:ops] NaN with points pt mark(op[s]) ps 0.9 lc rgb color(op[s]) title label[s] eq "" ? "" : "over " . label[s], \
     NaN with points pt 6 ps 0.9 lc rgb "#666666" title "open: published", NaN with points pt 7 ps 0.9 lc rgb "#666666" title "filled: here"
unset multiplot
