# One run, two clocks. Across, 1 in so many customers takes longer; up, how long
# they take; both axes are logarithmic. Draws NAME.csv and NAME-words.csv; expects
# a legend that says which run.

load 'style.gp'
samples = name.'.csv'
texts = name.'-words.csv'
predicted = name.'-predicted.csv'

stats samples using 'latency_s' name 'latency' nooutput
stats samples using 'one_in' name 'one_in' nooutput
of(c, value) = column('number') == c ? column(value) : NaN
shade(c) = tone(c)

set logscale xy
set xrange [1 : one_in_max * 2.6] noextend
set yrange [latency_min / 4 : latency_max * 2.5] noextend
set lmargin at screen fit(0.10, 0.2)
set rmargin at screen 0.96
set bmargin at screen 0.17
set xlabel "of all customers, so many were done by then\n".legend textcolor rgb ink
set label 2 'time' at screen at_left, 0.51 center rotate textcolor rgb ink
set xtics ('none' 1, 'half' 2, '90 %%' 10, '99 %%' 100, '99.9 %%' 1000)
set ytics ('0.1 ms' 1e-4, '1 ms' 1e-3, '10 ms' 1e-2, '100 ms' 0.1, '1 s' 1, '10 s' 10)
set grid xtics ytics back linewidth 1 dashtype solid linecolor rgb faint
set label 3 'what the customers lived through: from the moment they wanted to start' at screen 0.14, 0.855 left font fit(note, ',13') textcolor rgb shade(1)
set label 4 'what a naive closed-loop clock would have reported: from the moment it sent' at screen 0.14, 0.21 left font fit(note, ',13') textcolor rgb shade(2)

plot for [c = 1:2] samples using 'one_in':(of(c, 'latency_s')) \
         with fsteps linewidth 6 linecolor rgb shade(c), \
     predicted using 'one_in':'predicted_s' \
         with lines linewidth 3 dashtype dashes linecolor rgb shade(1), \
     predicted using 'one_in':'ideal_s' \
         with lines linewidth 1.5 dashtype thin linecolor rgb shade(1), \
     for [c = 1:2] texts using 'one_in':(of(c, 'latency_s')) \
         with points pointtype 7 pointsize 3 * point_unit linecolor rgb shade(c), \
     texts using 'one_in':(column('one_in') < 5 ? of(1, 'latency_s') : NaN):'words' \
         with labels noenhanced left offset 1.5, -0.4 font note textcolor rgb shade(1), \
     texts using 'one_in':(column('one_in') > 5 ? of(1, 'latency_s') : NaN):'words' \
         with labels noenhanced right offset -1, 0.6 font note textcolor rgb shade(1), \
     texts using 'one_in':(of(2, 'latency_s')):'words' \
         with labels noenhanced left offset 0, -1 font note textcolor rgb shade(2)
