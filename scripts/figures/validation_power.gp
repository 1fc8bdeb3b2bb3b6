# SPDX-License-Identifier: MIT
# Power with its intervals, rows and whole ops, and the estimate beside the truth.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 480; panel_height = 360
load style

set xrange [log10(0.4):log10(12.5)]
set xtics ('0.5' log10(0.5), '1' 0, '2' log10(2), '3' log10(3), '5' log10(5), '10' 1)
set xlabel "extra work, %"
set multiplot
p = 1
eval(start_panel)
set ylabel "share found, %"
set yrange [0:116]
set ytics (0, 20, 40, 60, 80, 100)
plot_ops = groups ? ', $found index 1 using (log10($1) + 0.04):2:3:4 with yerrorbars pt 5 ps 0.8 lw 1.5 lc rgb "#C1440E",' . \
    ' $found index 1 using (log10($1) + 0.11):2:5 with labels font ",9" tc rgb "#C1440E"' : ''
eval('plot $found index 0 using (log10($1)):2 with lines lw 1 lc rgb "#9DB8D2",' . \
    ' $goals using (log10($1)):2:(0.05) with xerrorbars pt -1 lw 2 lc rgb "#222222",' . \
    ' $found index 0 using (log10($1)):2:3:4 with yerrorbars pt 7 ps 0.7 lw 1.5 lc rgb "#1F5F99",' . \
    ' $found index 0 using (log10($1)):(109):5 with labels font ",9" tc rgb "#1F5F99"' . plot_ops)
p = 2
eval(start_panel)
set ylabel "measured change, %"
set logscale y
set yrange [0.25:16]
set ytics (0.5, 1, 2, 3, 5, 10)
plot 10**x with lines dt 2 lc rgb "#888888", \
     $estimate using (log10($1)):2:3:4 with yerrorbars pt 7 ps 0.7 lw 1.5 lc rgb "#1F5F99"
unset multiplot
