# SPDX-License-Identifier: MIT
# DyT against the model's own norm, percent of a layer's time: one panel for each form.
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
    plot $data index 2 * p - 2 using 2:1:3:4 with xerrorbars lw 1.2 pt 6 ps 0.8 lc rgb "#888888", \
         $data index 2 * p - 1 using 2:1:3:4 with xerrorbars lw 1.4 pt mark("dyt") ps 0.8 lc rgb color("dyt"), \
         $data index 2 * p - 1 using (highest[p] + 0.08 * width):1:5 with labels left offset 0, 0.5 font ",9" \
             tc rgb color("dyt")
}
eval(start_key)
plot NaN with points pt mark("dyt") ps 0.9 lc rgb color("dyt") title "by the norms timed in place, where the rest is the same", \
     NaN with points pt 6 ps 0.9 lc rgb "#888888" title "by the totals, paired"
unset multiplot
