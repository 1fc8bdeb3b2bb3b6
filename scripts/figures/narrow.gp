# SPDX-License-Identifier: MIT
# Time per element and time over rmsnorm's against columns: a line for each op, two panels for each pass, dtype and number of elements.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 460; panel_height = 320
across = 2
load style

set logscale x 2
eval(log_y)
set xlabel "columns"
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    base = (p - 1) * series
    plot for [s = 1:ops] $data index base + s - 1 using 1:2:3:4 with yerrorlines lw 1.4 dt dash(op[s]) pt mark(op[s]) ps 0.7 \
             lc rgb color(op[s]), \
         for [s = 1:ops] $data index base + s - 1 using 1:($5 > 0 ? $2 : NaN):("*") with labels offset 0.9, 0.3
}
eval(start_key)
plot for [s = 1:ops] NaN with linespoints lw 1.4 dt dash(op[s]) pt mark(op[s]) ps 0.7 lc rgb color(op[s]) title label[s]
unset multiplot
