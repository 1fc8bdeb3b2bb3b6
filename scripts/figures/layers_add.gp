# SPDX-License-Identifier: MIT
# add_fused over add and norm: one panel for each dtype.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 900; panel_height = 130 + 34 * most_rows; left = 200.0
load style

set grid xtics ytics
set xlabel "time of norms and residual adds, add_fused / fused"
set ytics font ",10"
set xrange [* < 0.9:1.05 < *]
set arrow from 1, graph 0 to 1, graph 1 nohead back lw 1.2 lc rgb "#444444"
set yrange [most_rows + 0.6:0.4]
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    eval(panel_tics[p])
    plot for [s = 1:ops] $data index (p - 1) * ops + s - 1 using 2:1:3:4 with xerrorbars lw 1.4 pt mark(op[s]) ps 0.9 lc rgb color(op[s])
}
eval(start_key)
plot for [s = 1:ops] NaN with points pt mark(op[s]) ps 0.9 lc rgb color(op[s]) title label[s]
unset multiplot
