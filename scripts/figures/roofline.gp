# SPDX-License-Identifier: MIT
# Operations per second against operations per byte, on logarithmic axes: one panel for each pass and team, a colour for each op, a mark for
# each place in the memory hierarchy.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 460; panel_height = 360
load style

place_mark(place) = place == 1 ? 5 : place == 2 ? 7 : 9
place_dash(place) = place == 1 ? 1 : place == 2 ? 2 : 3
# Of a place where identity was measured.
roof(x, at) = bandwidth[at] > 0 && bandwidth[at] * x < peak[p] ? bandwidth[at] * x : NaN

set logscale x 2
eval(log_y)
set xrange [0.125:16]
set samples 400
set xtics 0.125, 2 format "%g"
set xlabel "operations per byte"
set ylabel "operations per ns (Gop/s)"
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    set label 20 sprintf("FMA peak %.3g", peak[p]) at graph 0.02, first peak[p] left offset 0, 0.5 font ",9" tc rgb "#555555"
    plot peak[p] with lines lw 1.2 lc rgb "#888888", \
         for [m = 1:places] roof(x, 3 * (p - 1) + m) with lines lw 1.2 dt place_dash(m) lc rgb "#888888", \
         for [s = 1:ops] for [m = 1:places] $data index (p - 1) * ops + s - 1 using 1:($3 == m ? $2 : NaN) with points pt place_mark(m) ps 0.9 \
             lc rgb color(op[s]), \
         for [s = 1:ops] $data index (p - 1) * ops + s - 1 using 1:($4 > 0 ? $2 : NaN):("*") with labels offset 0.9, 0.3
}
unset label 20
eval(start_key)
plot for [s = 1:ops] NaN with lines lw 4 lc rgb color(op[s]) title label[s] eq "" ? "" : op[s], \
     for [m = 1:places] NaN with linespoints lw 1.2 dt place_dash(m) pt place_mark(m) ps 0.9 lc rgb "#888888" title place_label[m]
unset multiplot
