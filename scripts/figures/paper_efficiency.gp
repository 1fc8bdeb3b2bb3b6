# SPDX-License-Identifier: MIT
# Grouped bars, published beside measured: panels for norms and model of each dtype.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 480; panel_height = 340
load style

set ylabel "change of time, %"
set xtics ("inference" 1, "training" 2) scale 0
set xrange [0.5:2.5]
set offsets 0, 0, graph 0.08, graph 0.08
set style fill solid 1.0 noborder
set arrow from graph 0, first 0 to graph 1, first 0 nohead front lw 1 lc rgb "#444444"
# Grey is what others published; blue is DyT here; paler is eager, as in every figure.
shade(form, here) = here ? (form == 1 ? pale("dyt") : color("dyt")) : (form == 1 ? "#D0D0D0" : "#7F7F7F")
half = 0.09
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    base = (p - 1) * 4
    plot for [form = 1:2] for [here = 0:1] $data index base + 2 * form - 2 + here using 1:2:($1 - half):($1 + half):(0):2 with boxxyerror \
             lc rgb shade(form, here), \
         for [k = 0:3] $data index base + k using 1:3:(0):($4 - $3) with vectors nohead lw 1.2 lc rgb "#222222", \
         for [k = 0:3] $data index base + k using 1:($2 < 0 ? $3 : NaN):5 with labels offset 0, -0.6 font ",9", \
         for [k = 0:3] $data index base + k using 1:($2 < 0 ? NaN : $4):5 with labels offset 0, 0.6 font ",9"
}
eval(start_key)
plot NaN with boxes lc rgb shade(1, 0) title "version 1, op by op", NaN with boxes lc rgb shade(1, 1) title "here, ideal op by op (eager)", \
     NaN with boxes lc rgb shade(2, 0) title "version 2, compiled", NaN with boxes lc rgb shade(2, 1) title "here, fused"
unset multiplot
