# Up to which rate is p99 within its limit? The rate across, p99 up, which is
# logarithmic. Draws NAME.csv; expects limit_s.

load 'style.gp'
steps = name.'.csv'
stats steps using 'number' name 'number' nooutput
stats steps using 'rate' name 'rate' nooutput
stats steps using 'p99_s' name 'p99' nooutput
stats steps using 'ideal_s' name 'ideal' nooutput
max(a, b) = a > b ? a : b
lab = number_max

set logscale y
set xrange [0 : rate_max * 1.05] noextend
set yrange [ideal_min / 2 : max(p99_max, limit_s) * 3] noextend
set lmargin at screen fit(0.11, 0.2)
set rmargin at screen 0.96
set bmargin at screen 0.17
set xlabel "customers per second\nline: measured; dashed: predicted for these arrivals; thin: if this machine charged nothing"
set label 2 'time of the slowest in a hundred' at screen 0.02, 0.52 center rotate font note textcolor rgb ink
set ytics ('1 ms' 1e-3, '2 ms' 2e-3, '5 ms' 5e-3, '10 ms' 1e-2, '20 ms' 2e-2, '50 ms' 5e-2, '100 ms' 0.1, '200 ms' 0.2, '500 ms' 0.5, '1 s' 1, '2 s' 2, '5 s' 5)
set grid xtics ytics back linewidth 1 dashtype solid linecolor rgb faint
set label 3 'the limit' at first 0, first limit_s left offset 1, 0.6 font note textcolor rgb 0xC00000

plot limit_s with lines linewidth 3 linecolor rgb 0xC00000, \
     steps using 'rate':'ideal_s' with lines linewidth 1.5 dashtype thin linecolor rgb tone(lab), \
     steps using 'rate':'predicted_s' with lines linewidth 4 dashtype dashes linecolor rgb tone(lab), \
     steps using 'rate':'p99_s' with linespoints linewidth 5 pointtype shape(lab) pointsize 3 * point_unit linecolor rgb rgb(lab)
