# How long does a crowd take? One curve a lab, from 1 client to many; both axes
# are logarithmic. Draws NAME.csv, NAME-predicted.csv, NAME-floor.csv and
# NAME-words.csv; what is too near to the floor is grey. Expects
# a legend that says how to read it.

load 'style.gp'
points = name.'.csv'
predicted = name.'-predicted.csv'
left = name.'-left-out.csv'
floors = name.'-floor.csv'
texts = name.'-words.csv'

stats points using 'number' name 'number' nooutput
stats points using 'clients' name 'clients' nooutput
stats points using 'least_s':'most_s' name 'least' nooutput
stats predicted using 'predicted_s' name 'predicted' nooutput
stats texts using 'y_s' name 'label' nooutput
min(a, b) = a < b ? a : b
max(a, b) = a > b ? a : b
lowest = min(least_min_x, predicted_min)
highest = max(least_max_y, max(predicted_max, label_max))

# Curves that lie on each other stay visible: the later one is the thinner one.
width(c) = max(3, 8 - 1.1 * c)
size(c) = point_unit * max(1.4, 3.4 - 0.4 * c)
of(c, value) = column('number') == c ? column(value) : NaN

set logscale xy
set xrange [0.9 : clients_max * 1.1]
set yrange [lowest / 1.3 : highest * 1.3]
set lmargin at screen fit(0.12, 0.2)
set rmargin at screen fit(0.665, 0.97)
set bmargin at screen 0.19
set xlabel "clients at one instant\n".legend textcolor rgb ink
set label 2 'until the last of them is done' at screen at_left, 0.51 center rotate textcolor rgb ink
set xtics ('1' 1, '10' 10, '100' 100, '1000' 1000, '10000' 10000)
set ytics ('0.1 ms' 1e-4, '1 ms' 1e-3, '10 ms' 1e-2, '100 ms' 0.1, '1 s' 1, '10 s' 10, '100 s' 100)
set grid xtics ytics back linewidth 1 dashtype solid linecolor rgb faint

plot for [c = 1:number_max] points using 'clients':(of(c, 'least_s')):'most_s' \
         with filledcurves fillstyle transparent solid 0.25 linecolor rgb rgb(c), \
     for [c = 1:number_max] points using 'clients':(of(c, 'median_s')) \
         with linespoints linewidth width(c) pointtype shape(c) pointsize size(c) linecolor rgb rgb(c), \
     for [c = 1:number_max] predicted using 'clients':(of(c, 'predicted_s')) \
         with lines linewidth 3 dashtype dashes linecolor rgb tone(c), \
     for [c = 1:number_max] predicted using 'clients':(of(c, 'ideal_s')) \
         with lines linewidth 1.5 dashtype thin linecolor rgb tone(c), \
     left using 'clients':'last_s':(tone(column('number'))) \
         with points pointtype 6 pointsize 2 * point_unit linewidth 2 linecolor rgb variable, \
     floors using 'clients':'floor_s' \
         with lines linewidth 3 dashtype '.' linecolor rgb ink, \
     points using 'clients':(column('near') > 0 ? column('median_s') : NaN) \
         with points pointtype 7 pointsize 3.6 * point_unit linecolor rgb grey, \
     points using 'clients':(column('failed') > 0 ? highest / 1.15**column('number') : NaN):(rgb(column('number'))) \
         with points pointtype 2 pointsize 2.5 * point_unit linewidth 4 linecolor rgb variable, \
     texts using 'clients':'y_s':'name':(tone(column('number'))) \
         with labels noenhanced @over @beside, 0.5 font note textcolor rgb variable, \
     texts using 'clients':'y_s':(column('number') > 0 ? strcol('words') : '') \
         with labels noenhanced @over @beside, -0.5 font note textcolor rgb ink
