# SPDX-License-Identifier: MIT
# DyT against the model's own norm, percent of a layer's time: by the norms, and by the totals.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 520; panel_height = 110 + 26 * most_rows; left = 200.0; across = panels
load style

set grid xtics ytics
set xlabel "% of the layer's time"
set ytics font ",10"
set xtics font ",10"
set yrange [most_rows + 0.6:0.4]
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    eval(panel_tics[p])
    width = highest[p] - lowest[p]
    set xrange [lowest[p] - 0.05 * width:highest[p] + 0.7 * width] # room for the numbers
    unset arrow
    set arrow from 0, graph 0 to 0, graph 1 nohead back lw 1.2 lc rgb "#444444"
    hue = p == 1 ? color("dyt") : "#888888"
    plot $data index 2 * p - 2 using 2:1:3:4 with xerrorbars lw 1.4 pt (p == 1 ? mark("dyt") : 6) ps 0.8 lc rgb hue, \
         $data index 2 * p - 1 using 2:1:3:4 with xerrorbars lw 1.4 pt (mark("dyt") - 1) ps 0.8 lc rgb hue, \
         for [k = 2 * p - 2:2 * p - 1] $data index k using (highest[p] + 0.08 * width):1:5 with labels left font ",9" tc rgb hue
}
unset multiplot
