# SPDX-License-Identifier: MIT
# Outputs against inputs of LayerNorm: one panel for each kind of activations.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 480; panel_height = 340
load style

set xlabel "input of LayerNorm (synthetic)"
set ylabel "output"
set grid xtics ytics
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    plot $data index 3 * p - 2 using 1:2 with lines lw 0.7 lc rgb "#C8C8C8", \
         $data index 3 * p - 3 using 1:2 with points pt 7 ps 0.25 lc rgb pale("layernorm"), \
         $data index 3 * p - 1 using 1:2 with linespoints pt 7 ps 0.4 lw 1.6 lc rgb color("layernorm")
}
unset multiplot
