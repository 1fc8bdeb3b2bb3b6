# SPDX-License-Identifier: MIT
# The map of DyT time over RMSNorm time: one panel for each pass and dtype.
format = ARG1; out = ARG2; data = ARG3; style = ARG4
load data
panel_width = tile_cols * 62 + 130 > 330 ? tile_cols * 62 + 130 : 330
panel_height = tile_rows * 34 + 130 > 230 ? tile_rows * 34 + 130 : 230
load style

# Blue to orange through white, on a log scale with 1 in the middle.
set palette defined (-1 "#0072B2", 0 "#FFFFFF", 1 "#E67E00")
set cbrange [-most:most]
set xlabel "columns (hidden size)"
set ylabel "rows (tokens)"
set xrange [0.5:tile_cols + 0.5]
set yrange [0.5:tile_rows + 0.5]
set border 0
set tics scale 0
unset grid
unset colorbox
set style fill solid 1.0 noborder
set multiplot
do for [p = 1:panels] {
    eval(start_panel)
    plot $data index p - 1 using 1:($4 > 0 ? NaN : $2):($1 - 0.48):($1 + 0.48):($2 - 0.47):($2 + 0.47):3 with boxxyerror lc palette, \
         $data index p - 1 using 1:($4 > 0 ? $2 : NaN):($1 - 0.48):($1 + 0.48):($2 - 0.47):($2 + 0.47) with boxxyerror lc rgb "#CCCCCC", \
         $data index p - 1 using 1:($4 > 0 || abs($3) < 0.6 * most || $3 > 0 ? $2 : NaN):5 with labels font ",10" tc rgb "#000000", \
         $data index p - 1 using 1:($4 > 0 || abs($3) < 0.6 * most || $3 > 0 ? NaN : $2):5 with labels font ",10" tc rgb "#FFFFFF"
}
unset multiplot
