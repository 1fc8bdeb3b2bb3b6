# SPDX-License-Identifier: MIT
# Bars of regular stores and of stores past the caches for each op: one panel for each shape, pass, dtype and team.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 440; panel_height = 320
load style

eval(pair_axes)
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    eval(plot_pairs)
}
eval(start_key)
plot NaN with boxes lc rgb "#666666" title "regular stores", NaN with boxes lc rgb "#C2C2C2" title "past the caches (paler)"
unset multiplot
