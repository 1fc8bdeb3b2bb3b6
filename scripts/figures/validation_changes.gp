# SPDX-License-Identifier: MIT
# Changes of equal sides, in order, within the band of the threshold.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 480; panel_height = 360
load style

set ylabel "change, %"
set xlabel "rows, in the order of their change"
set yrange [-3.2:3.2]
set ytics 1
band = "set object 1 rectangle from graph 0, first -1 to graph 1, first 1 fc rgb '#EAF1F7' fs noborder behind"
eval(band)
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    set xrange [0:end[p]]
    plot $data index p - 1 using 1:3:(0):($4 - $3) with vectors nohead lw 0.5 lc rgb "#7F9DB9", \
         $data index p - 1 using 1:($3 > 0 || $4 < 0 ? $3 : NaN):(0):($4 - $3) with vectors nohead lw 0.7 lc rgb "#C1440E", \
         $data index p - 1 using 1:2 with points pt 7 ps 0.2 lc rgb "#1F5F99"
}
unset multiplot
