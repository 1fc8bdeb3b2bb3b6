# SPDX-License-Identifier: MIT
# Stacked bars of a layer's steps, and beside them the same shares on a log axis.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 540; panel_height = 110 + 24 * most_rows; left = 200.0
load style

paint(k) = k <= norms ? color(kind[k]) : kind_color(kind[k])
shape(k) = k <= norms ? mark(kind[k]) : kind_mark(kind[k])
set ytics font ",10"
set yrange [most_rows + 0.6:0.4]
set xlabel "% of the layer's time"
set style fill solid 1.0 border rgb "#FFFFFF"
set multiplot
p = 1
eval(start_panel)
eval(panel_tics[1])
set xrange [0:114]
set xtics 0, 20, 100
unset grid
plot for [k = 1:kinds] $data index k - 1 using 2:1:2:3:($1 - 0.36):($1 + 0.36) with boxxyerror lc rgb paint(k), \
     for [k = 1:norms] $data index k - 1 using (101):1:(sprintf("%.2g %%", $4)) with labels left font ",9" tc rgb paint(k)
p = 2
eval(start_panel)
set logscale x
set xrange [*:100]
set format x '%g'
set xtics 10
set grid xtics ytics
plot for [k = kinds:1:-1] $data index k - 1 using 4:1 with points pt shape(k) ps k <= norms ? 1.1 : 0.8 lc rgb paint(k)
eval(start_key)
plot for [k = 1:kinds] NaN with points pt shape(k) ps 1 lc rgb paint(k) title kind_title[k]
unset multiplot
