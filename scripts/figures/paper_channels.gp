# SPDX-License-Identifier: MIT
# The points of one panel, coloured by token and by channel.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = 520; panel_height = 400
load style

set xlabel "input of LayerNorm (synthetic)"
set ylabel "output"
set grid xtics ytics
set palette defined (0 "#00204C", 0.5 "#7C7B78", 1 "#FFE945") # cividis, even for the colour-blind
unset colorbox
hue(k) = k == 1 ? "#0072B2" : k == 2 ? "#D55E00" : k == 3 ? "#009E73" : k == 4 ? "#CC79A7" : k == 5 ? "#E69F00" : k == 6 ? "#56B4E9" : "#000000"
set multiplot
p = 1
eval(start_panel)
plot $data index 1 using 1:2:3 with lines lw 0.6 lc palette, $data index 0 using 1:2:3 with points pt 7 ps 0.3 lc palette
p = 2
eval(start_panel)
plot $data index 2 using 1:2 with points pt 7 ps 0.3 lc rgb "#BBBBBB", \
     for [k = 1:outliers] $data index k + 2 using 1:2 with points pt 7 ps 0.4 lc rgb hue(k)
eval(start_key)
plot for [k = 1:outliers] NaN with points pt 7 ps 1 lc rgb hue(k) title channel[k]
unset multiplot
