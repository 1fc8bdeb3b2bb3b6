# SPDX-License-Identifier: MIT
# Time per element against working-set size: one panel for each pass and dtype, the caches marked.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 460; panel_height = 340
load style

set logscale x 2
eval(log_y)
set offsets 0, 0, graph 0.16, graph 0.06 # room for the names of the caches
set format x "%.0b %BB"
set ylabel "ns per element"
set xlabel "working set of one call (bytes of input and output tensors)"
# From a power of two on, or ticks fall on 1020 kiB.
set xtics 1024, largest / smallest > 4096 ? 16 : 4 font ",10"
set for [c = 1:caches] arrow from first value(sprintf("cache_bytes_%d", c)), graph 0 to first value(sprintf("cache_bytes_%d", c)), graph 1 \
    nohead back dt 3 lc rgb "#999999"
set for [c = 1:caches] label 10 + c value(sprintf("cache_label_%d", c)) at first value(sprintf("cache_bytes_%d", c)), graph 0.96 \
    right offset -0.4, 0 font ",10" tc rgb "#777777"
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    base = (p - 1) * series
    plot for [s = 1:ops] $data index base + s - 1 using 1:2:3:4 with yerrorlines lw 1.4 dt dash(op[s]) pt mark(op[s]) ps 0.7 \
             lc rgb color(op[s]), \
         for [s = 1:ops] $data index base + s - 1 using 1:($5 > 0 ? $2 : NaN):("*") with labels offset 0.9, 0.3
}
eval(start_key)
plot for [s = 1:ops] NaN with linespoints lw 1.4 dt dash(op[s]) pt mark(op[s]) ps 0.7 lc rgb color(op[s]) title label[s]
unset multiplot
