# SPDX-License-Identifier: MIT
# Losses by rate, and at the chosen rate with their intervals; a row of panels for each task.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 470; panel_height = 330
across = 2
load style

shape(s) = int(word("7 5 9 13 11 15 4 6", (turn[s] - 1) % 8 + 1))
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    base = int((p - 1) / 2) * 2 * series
    eval(log_y)
    set ytics add (0.15, 0.3, 0.7, 1.5, 1.6, 1.8, 2.2, 2.4)
    if (p % 2 == 1) {
        set logscale x
        set xrange [0.0008:0.038]
        set xtics nomirror (0.001, 0.003, 0.01, 0.03)
        set xlabel "highest rate of learning"
        plot for [s = 1:series] $data index base + 2 * s - 2 using 1:2 with linespoints lw 1.3 dt turn[s] pt shape(s) ps 0.8 lc rgb color(op[s])
    } else {
        unset logscale x
        set xrange [0.4:series + 0.6]
        unset xtics
        set xlabel "norm, in the order of the key"
        plot for [s = 1:series] $data index base + 2 * s - 1 using 1:2:3:4 with yerrorbars lw 1.3 pt shape(s) ps 0.9 lc rgb color(op[s])
    }
}
eval(start_key)
plot for [s = 1:series] NaN with linespoints lw 1.3 dt turn[s] pt shape(s) ps 0.8 lc rgb color(op[s]) title label[s]
unset multiplot
