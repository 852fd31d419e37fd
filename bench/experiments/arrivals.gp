# How long do customers take who come at random? Offered load across, mean latency
# up, which is logarithmic. Draws NAME.csv, NAME-predicted.csv and NAME-words.csv;
# expects a legend that says what offered load is.

load 'style.gp'
points = name.'.csv'
predicted = name.'-predicted.csv'
texts = name.'-words.csv'
left = name.'-left-out.csv'

stats points using 'least_s':'most_s' name 'least' nooutput
stats predicted using 'predicted_s' name 'predicted' nooutput
stats predicted using 'ideal_s' name 'ideal' nooutput
max(a, b) = a > b ? a : b
colour_numbers = '1 3 7'
of(c, value) = column('number') == c ? column(value) : NaN

set logscale y
set xrange [0:1] noextend
set yrange [ideal_min / 1.4 : max(least_max_y, predicted_max) * 1.2] noextend
set lmargin at screen fit(0.10, 0.2)
set rmargin at screen 0.96
set bmargin at screen 0.17
set xlabel "offered load   \n".legend textcolor rgb ink
set label 2 'mean time from arrival to answer' at screen at_left, 0.51 center rotate textcolor rgb ink
set xtics ('0' 0, '20 %%' 0.2, '40 %%' 0.4, '60 %%' 0.6, '80 %%' 0.8, '100 %%' 1)
set ytics ('1 ms' 1e-3, '2 ms' 2e-3, '5 ms' 5e-3, '10 ms' 1e-2, '20 ms' 2e-2, '50 ms' 5e-2, '100 ms' 0.1, '200 ms' 0.2, '500 ms' 0.5, '1 s' 1, '2 s' 2, '5 s' 5)
set grid xtics ytics back linewidth 1 dashtype solid linecolor rgb faint

plot for [c in colour_numbers] predicted using 'load':(of(c + 0, 'predicted_s')) \
         with lines linewidth 3 dashtype dashes linecolor rgb tone(c + 0), \
     for [c in colour_numbers] predicted using 'load':(of(c + 0, 'ideal_s')) \
         with lines linewidth 1.5 dashtype thin linecolor rgb tone(c + 0), \
     for [c in colour_numbers] points using 'load':(of(c + 0, 'mean_s')):'least_s':'most_s' \
         with yerrorbars linewidth 4 pointtype shape(c + 0) pointsize 3.4 * point_unit linecolor rgb rgb(c + 0), \
     left using 'load':'mean_s':(tone(column('number'))) \
         with points pointtype 6 pointsize 2.4 * point_unit linewidth 2 linecolor rgb variable, \
     points using (column('load') - 0.012):'predicted_s':(0.024):(0) \
         with vectors nohead linewidth 4 linecolor rgb 'black', \
     points using 'load':(column('failed') > 0 ? least_max_y : NaN) \
         with points pointtype 2 pointsize 2.5 * point_unit linewidth 4 linecolor rgb 'black', \
     for [c in colour_numbers] texts using 'load':(of(c + 0, 'y_s')):'words' \
         with labels noenhanced @over left font note textcolor rgb tone(c + 0)
