# SPDX-License-Identifier: MIT
# Eager and fused bars for each op: one panel for each pass and dtype.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 440; panel_height = 320
load style

set ylabel "ns per element"
set xlabel "op"
set yrange [0:*]
set offsets 0, 0, graph 0.1, 0
set xrange [0.5:bars + 0.5]
set tics scale 0.5
half = 0.17
set style fill solid 1.0 noborder
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    base = (p - 1) * series
    plot for [s = 1:ops] $data index base + 2 * s - 2 using 1:2:($1 - half):($1 + half):(0):2 with boxxyerror lc rgb color(op[s]), \
         for [s = 1:ops] $data index base + 2 * s - 1 using 1:2:($1 - half):($1 + half):(0):2 with boxxyerror lc rgb pale(op[s]), \
         for [s = 1:series] $data index base + s - 1 using 1:3:(0):($4 - $3) with vectors nohead lw 1.2 lc rgb "#222222", \
         for [s = 1:series] $data index base + s - 1 using 1:4:(sprintf($5 > 0 ? "%.2g*" : "%.2g", $2)) with labels offset 0, 0.6 font ",10"
}
eval(start_key)
plot NaN with boxes lc rgb "#666666" title "fused", NaN with boxes lc rgb "#C2C2C2" title "eager (paler)"
unset multiplot
