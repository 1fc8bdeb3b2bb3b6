# SPDX-License-Identifier: MIT
# Time per element against the largest error, one point for each tanh: one panel for each dtype.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 440; panel_height = 330
load style

# One scale for all panels: of its own, two points a factor of 1.5 apart would have no tick between them.
stats $data using 3 name 'cost' nooutput
eval(log_y)
set xlabel "largest error seen, in units of the dtype's epsilon"
set ylabel "ns per element"
set xrange [0:*]
set yrange [cost_min / 1.5:cost_max * 1.5]
set offsets 0, graph 0.2, 0, 0
set xtics autofreq
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    plot $data using ($1 == p ? $2 : NaN):3 with points pt 7 ps 1 lc rgb color('dyt'), \
         $data using ($1 == p ? $2 : NaN):3:4 with labels left offset 0.9, 0.2 font ",11"
}
unset multiplot
