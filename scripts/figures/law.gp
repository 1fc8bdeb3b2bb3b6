# SPDX-License-Identifier: MIT
# Shares above, changes with DyT below; a column of panels for each phase.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 440; panel_height = 330
across = phases
load style

ink(s) = word("#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000 #999999", (s - 1) % 8 + 1)
shape(s) = int(word("7 5 9 13 11 15 4 6", (s - 1) % 8 + 1))
stats $data using 1 nooutput
set xrange [STATS_min / 1.4:STATS_max * 1.4]
set logscale x
set xtics (1000, 2000, 5000, "10000" 10000, 20000, 50000, "100000" 100000, 200000)
set xlabel "operations of products for each normed element (I)"
set samples 24
set multiplot
do for [p = 1:phases] {
    eval(start_panel)
    eval(log_y)
    base = (p - 1) * series
    plot for [s = 1:series] 100 / (1 + x / cost[base + s]) with lines lw 1 lc rgb ink(s), \
         least[p] with lines dt 3 lw 1.4 lc rgb "#666666", \
         for [s = 1:series] $data index base + s - 1 using 1:2:3:4 with yerrorbars lw 1.2 pt shape(s) ps 0.8 lc rgb ink(s)
}
unset logscale y
set ytics auto
set format y "%g"
set offsets 0, 0, graph 0.06, graph 0.06
do for [p = phases + 1:2 * phases] {
    eval(start_panel)
    base = (p - phases - 1) * series
    plot 0 with lines lw 1 lc rgb "#666666", \
         for [s = 1:series] $data index base + s - 1 using 1:5:6:7 with yerrorbars lw 1.2 pt shape(s) ps 0.8 lc rgb ink(s)
}
eval(start_key)
plot for [s = 1:series] NaN with points lw 1.2 pt shape(s) ps 0.8 lc rgb ink(s) title label[s]
unset multiplot
