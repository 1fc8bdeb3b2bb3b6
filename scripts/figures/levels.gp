# SPDX-License-Identifier: MIT
# Time per element by level: one panel for each pass and dtype.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 420; panel_height = 340
load style

eval(log_y)
set ylabel "ns per element"
set xlabel "SIMD level" offset 0, 0.6
set xtics rotate by 25 right font ",10"
set xrange [0.5:levels + 0.5]
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    base = (p - 1) * series
    plot for [s = 1:ops] $data index base + s - 1 using 1:2:3:4 with yerrorlines lw 1.4 dt dash(op[s]) pt mark(op[s]) ps 0.8 \
             lc rgb color(op[s]), \
         $data index base + ops using 1:2:3:4 with yerrorbars lw 1.2 pt 6 ps 0.9 lc rgb color("dyt"), \
         for [s = 1:ops] $data index base + ops + s using 1:2:3:4 with yerrorbars lw 1.2 pt mark(op[s]) ps 0.8 lc rgb pale(op[s]), \
         for [s = 1:series] $data index base + s - 1 using 1:($5 > 0 ? $2 : NaN):("*") with labels offset 0.9, 0.3
}
eval(start_key)
plot for [s = 1:ops] NaN with linespoints lw 1.4 dt dash(op[s]) pt mark(op[s]) ps 0.8 lc rgb color(op[s]) title label[s], \
     NaN with points lw 1.2 pt 6 ps 0.9 lc rgb color("dyt") title libm_shown ? "dyt (libm)" : ""
unset multiplot
