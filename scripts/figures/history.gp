# SPDX-License-Identifier: MIT
# Ratios against the day: one panel for each group of rows.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 460; panel_height = 300
load style

set ylabel "time over copies', first level = 1"
set xlabel "days since " . first
set autoscale xfix
set offsets graph 0.04, graph 0.06, graph 0.12, graph 0.06
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    plot $data index p - 1 using 1:3 with steps lw 1.4 lc rgb "#AAAAAA", \
         $data index p - 1 using 1:2 with points pt mark(op[p]) ps 0.7 lc rgb color(op[p]), \
         $data index p - 1 using 1:($4 == $4 ? $2 : NaN):(sprintf("%+.1f %%", $4)) with labels offset 0, 1 font ",10"
}
unset multiplot
