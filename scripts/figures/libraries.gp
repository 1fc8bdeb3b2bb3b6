# SPDX-License-Identifier: MIT
# Time per element of our kernels and of other libraries' for each op: one panel for each shape, dtype and team.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 420; panel_height = 330
load style

# No op's colours: what differs here is who computes.
who_color(s) = word("#000000 #56B4E9 #E69F00 #7F7F7F #882255 #8C6D31 #44AA99", s > 7 ? 5 + s % 3 : s)
who_mark(s) = s == 1 ? 7 : s == 2 ? 5 : s == 3 ? 9 : s == 4 ? 13 : 11 + 4 * (s % 2)
eval(log_y)
set ylabel "ns per element"
set xlabel "op"
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    base = (p - 1) * series
    plot for [s = 1:series] $data index base + s - 1 using 1:2:3:4 with yerrorbars lw 1.4 pt who_mark(s) ps 1 lc rgb who_color(s), \
         for [s = 1:series] $data index base + s - 1 using 1:2:(sprintf($5 > 0 ? "%.2g*" : "%.2g", $2)) with labels left offset 0.6, 0.3 font ",9"
}
eval(start_key)
plot for [s = 1:series] NaN with points lw 1.4 pt who_mark(s) ps 1 lc rgb who_color(s) title seen[s] ? who[s] : ""
unset multiplot
