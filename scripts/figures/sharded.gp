# SPDX-License-Identifier: MIT
# Time of a norm against hosts above, over rmsnorm's below; a column of panels for each bandwidth.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 440; panel_height = 330
across = widths; foot = 52.0
load style

set logscale x 2
set xlabel "hosts"
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    base = (p - 1) * series
    eval(log_y)
    plot for [s = 1:series] $data index base + s - 1 using 1:2 with linespoints lw 1.3 dt turn[s] pt mark(op[s]) ps 0.8 lc rgb color(op[s])
}
eval(start_key)
set key maxcols 3
plot for [s = 1:series] NaN with linespoints lw 1.3 dt turn[s] pt mark(op[s]) ps 0.8 lc rgb color(op[s]) title label[s]
unset multiplot
