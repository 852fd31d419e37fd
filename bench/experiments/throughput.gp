# How fast, and for how much? A row for each server and way to ask; on the left what
# it answers per second, on the right its CPU time for each answer. Both axes are
# logarithmic, for all rows. Draws NAME.csv and NAME-dots.csv.

load 'style.gp'
marks = name.'.csv'
dots = name.'-dots.csv'

stats marks using 'row' name 'row' nooutput
stats dots using 'rate' name 'rate' nooutput
stats dots using 'cpu_us' name 'cpu' nooutput
stats marks using 'bound' name 'bound' nooutput
max(a, b) = a > b ? a : b
# On a phone there is room for the number alone; the page says the rest.
brief(words) = is_tall && strstrt(words, ' =') ? words[1 : strstrt(words, ' =') - 1] : words
unset label 1
unset label 98
unset label 99
set multiplot
set label 1 title at screen 0.5, 0.95 center font fit(',30', ',18') textcolor rgb ink
if (exists('stamp')) set label 99 stamp noenhanced at screen 0.5, 0.984 center font note textcolor rgb 0xC00000 front
if (exists('left_out')) set label 98 left_out noenhanced at screen 0.99, 0.912 right font note textcolor rgb quiet
set label 4 'mark: median; small: each run; dashed: the tightest bound, by prices measured apart' at screen 0.5, 0.03 center font fit(note, ',13') textcolor rgb ink

set tmargin at screen 0.87
set bmargin at screen 0.19
set yrange [row_max + 0.7 : 0.3]
unset ytics
set logscale x
set grid xtics back linewidth 1 dashtype solid linecolor rgb faint

set lmargin at screen fit(0.20, 0.3)
set rmargin at screen 0.59
# So wide that the words below the outermost marks stay inside; names stand at its left edge.
highest = max(rate_max, bound_max)
room = max(3, sqrt(highest / rate_min))
leftmost = rate_min / room
set xrange [leftmost : highest * room]
set xlabel 'answers per second'
set xtics ('10' 10, '100' 100, '1000' 1000, '10,000' 1e4, '30,000' 3e4, '100,000' 1e5, '300,000' 3e5)
if (is_tall) set xtics ('100' 100, '10,000' 1e4, '100,000' 1e5)
plot marks using 'bound':(column('row') - 0.4):(0):(0.55):(tone(column('number'))) \
         with vectors nohead linewidth 4 dashtype dashes linecolor rgb variable, \
     for [left = 0:1] dots using (column('left_out') == left ? column('rate') : NaN):'row':(rgb(column('number'))) \
         with points pointtype left ? 6 : 7 pointsize 1.6 * point_unit linewidth 2 linecolor rgb variable, \
     for [c = 1:16] marks using (column('number') == c ? column('rate') : NaN):'row' \
         with points pointtype shape(c) pointsize 3.4 * point_unit linewidth 3 linecolor rgb tone(c), \
     marks using 'rate':(column('row') + 0.33):(brief(strcol('rate_words'))) \
         with labels noenhanced center font fit(note, ',12') textcolor rgb ink, \
     marks using (leftmost):'row':'name':(tone(column('number'))) \
         with labels noenhanced right offset -0.5, 0 font fit(note, ',12') textcolor rgb variable, \
     marks using (leftmost):(column('row') - 0.75):'title' \
         with labels noenhanced left offset 0.3, 0 font note textcolor rgb 'black'

set lmargin at screen 0.64
set rmargin at screen 0.985
unset label 1
unset label 4
unset label 98
unset label 99
set xrange [cpu_min / 2 : cpu_max * 2]
set xlabel fit('CPU time of the server for each (us)', 'CPU for each (us)')
set xtics ('1' 1, '2' 2, '5' 5, '10' 10, '20' 20, '50' 50, '100' 100, '200' 200, '500' 500, '10,000' 1e4, '100,000' 1e5)
plot for [left = 0:1] dots using (column('left_out') == left ? column('cpu_us') : NaN):'row':(rgb(column('number'))) \
         with points pointtype left ? 6 : 7 pointsize 1.6 * point_unit linewidth 2 linecolor rgb variable, \
     for [c = 1:16] marks using (column('number') == c ? column('cpu_us') : NaN):'row' \
         with points pointtype shape(c) pointsize 3.4 * point_unit linewidth 3 linecolor rgb tone(c), \
     marks using 'cpu_us':(column('row') + 0.33):(brief(strcol('cpu_words'))) \
         with labels noenhanced center font fit(note, ',12') textcolor rgb ink
unset multiplot
