# How fast, and for how much? A panel for each way to ask, a row for each server; bars
# on the left are rates, on the right CPU time. Each panel has scales of its own, in
# which the longest is 1. Draws NAME.csv and NAME-dots.csv.

page_height = 1300
load 'style.gp'
bars = name.'.csv'
dots = name.'-dots.csv'

stats bars using 'panel' name 'panel' nooutput
stats bars using 'row' name 'row' nooutput

height = row_max + 2.2 # of a panel with its title
right = 1.88           # where the bars of the right column begin
long = 0.5             # the longest of them
thick = 0.36
y(shift) = (column('panel') - 1) * height + column('row') + shift
first(value) = column('row') == 1 ? value : NaN

set tmargin at screen 0.875
set lmargin at screen 0.02
set rmargin at screen 0.99
set bmargin at screen 0.05
unset border
unset tics
set yrange [panel_max * height - 0.9 : -0.6]
set xrange [-0.83 : 3.12]
set label 2 'answers per second' at first 0, screen 0.865 left font ',22' textcolor rgb ink
set label 3 'CPU time of the server for each' at first right, screen 0.865 left font ',22' textcolor rgb ink
set label 4 'bar: median of the runs; dots: each run; dashed: predicted ceiling, where all cores would be busy' at screen 0.5, 0.03 center font ',17' textcolor rgb ink

plot bars using (0):(y(0)):(0):'rate_x':(y(-thick)):(y(thick)):(rgb(column('number'))) \
         with boxxyerror linecolor rgb variable, \
     bars using 'ceiling_x':(y(-0.45)):(0):(0.9) \
         with vectors nohead linewidth 3 dashtype dashes linecolor rgb 'black', \
     bars using (right):(y(0)):(right):(right + long * column('cpu_x')):(y(-thick)):(y(thick)):(rgb(column('number'))) \
         with boxxyerror linecolor rgb variable, \
     dots using 'rate_x':(y(0)) with points pointtype 7 pointsize 1.2 * point_unit linecolor rgb 'black', \
     dots using (right + long * column('cpu_x')):(y(0)) with points pointtype 7 pointsize 1.2 * point_unit linecolor rgb 'black', \
     bars using (0):(y(0)):'name':(rgb(column('number'))) \
         with labels noenhanced right offset -1, 0 font ',20' textcolor rgb variable, \
     bars using (0):(first(y(-0.95))):'title' \
         with labels noenhanced right offset -1, 0 font ',22' textcolor rgb ink, \
     bars using 'end_x':(y(0)):'rate_words' \
         with labels noenhanced left offset 1, 0 font ',17' textcolor rgb ink, \
     bars using (right + long * column('cpu_end_x')):(y(0)):'cpu_words' \
         with labels noenhanced left offset 1, 0 font ',17' textcolor rgb ink
