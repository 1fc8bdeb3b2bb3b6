# SPDX-License-Identifier: MIT
# Curves of squashing functions: two panels.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 460; panel_height = 360
load style

set xlabel "x"
set ylabel "y"
set yrange [-1.15:1.15]
set grid xtics ytics
set key top left reverse Left samplen 2.5 font ",10"
# tanh is DyT's and has its colour, another function that of the op that has it; the curves of a panel differ in dashes too.
curve_color(text) = text eq "tanh" || text[1:5] eq "alpha" ? color("dyt") : color(text)
curve_dash(text) = text eq "alpha = 0.2" ? 3 : text eq "alpha = 0.5" ? 2 : text eq "hardtanh" ? 2 : text eq "sigmoid" ? 4 : 1
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    plot for [k = 1:curves] $data index k - 1 using 1:(curve_panel[k] == p ? $2 : NaN) with lines lw 2 dt curve_dash(curve[k]) \
         lc rgb curve_color(curve[k]) title curve_panel[k] == p ? curve[k] : ""
}
unset multiplot
