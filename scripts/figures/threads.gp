# SPDX-License-Identifier: MIT
# Throughput against threads: one panel for each shape, pass, dtype, placement and cache state.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 380; panel_height = 330
load style

set ylabel "elements per ns"
set xlabel "threads"
set yrange [0:*]
if (most > 8) { set logscale x 2 }
set xrange [0.8:most * 1.15]
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    base = (p - 1) * series
    plot for [s = 1:ops] $data index base + s - 1 using 1:2:3:4 with yerrorlines lw 1.4 dt dash(op[s]) pt mark(op[s]) ps 0.8 \
             lc rgb color(op[s]), \
         for [s = 1:ops] $data index base + s - 1 using 1:($5 > 0 ? $2 : NaN):("*") with labels offset 0.9, 0.3
}
eval(start_key)
plot for [s = 1:ops] NaN with linespoints lw 1.4 dt dash(op[s]) pt mark(op[s]) ps 0.8 lc rgb color(op[s]) title label[s]
unset multiplot
