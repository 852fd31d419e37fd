# What does a client cost who comes and goes? A bar for each lab: grey is the price
# of the conversation, in colour that of the model. Draws NAME.csv and NAME-runs.csv.

page_height = 900
load 'style.gp'
bars = name.'.csv'
runs = name.'-runs.csv'

stats bars using 'row' name 'row' nooutput
stats bars using 'cpu_s' name 'bar' nooutput
stats runs using 'cpu_s' name 'run' nooutput
max(a, b) = a > b ? a : b
min(a, b) = a < b ? a : b
grey_end = "min(column('baseline_s'), column('cpu_s'))"

set tmargin at screen 0.85
set lmargin at screen fit(0.25, 0.42)
set rmargin at screen fit(0.97, 0.9)
set bmargin at screen 0.2
set border 1
set xrange [0 : max(bar_max, run_max) * 1.2]
set yrange [row_max + 0.6 : 0.4]
set xlabel "CPU seconds of the server\n".fit('bar: median of the runs; dots: each run; grey: what lab 1 needs', 'bar: median; dots: runs; grey: lab 1')."\ndashed: predicted; thin: if the model were free" textcolor rgb ink
set grid xtics back linewidth 1 dashtype solid linecolor rgb faint
unset ytics
thick = 0.3

plot bars using (0):'row':(0):(@grey_end):(column('row') - thick):(column('row') + thick) \
         with boxxyerror linecolor rgb grey, \
     bars using (@grey_end):'row':(@grey_end):'cpu_s':(column('row') - thick):(column('row') + thick):(rgb(column('number'))) \
         with boxxyerror linecolor rgb variable, \
     for [left = 0:1] runs using (column('left_out') == left ? column('cpu_s') : NaN):'row' \
         with points pointtype left ? 6 : 7 pointsize 1.6 * point_unit linewidth 2 linecolor rgb 'black', \
     bars using 'ideal_s':(column('row') - 0.4):(0):(0.8):(tone(column('number'))) \
         with vectors nohead linewidth 1.5 dashtype thin linecolor rgb variable, \
     bars using 'predicted_s':(column('row') - 0.4):(0):(0.8):(tone(column('number'))) \
         with vectors nohead linewidth 4 dashtype dashes linecolor rgb variable, \
     bars using (0):'row':'name':(tone(column('number'))) \
         with labels noenhanced right offset -1, 0 font note textcolor rgb variable, \
     bars using 'end_s':'row':'words' \
         with labels noenhanced left offset 2, 0 font note textcolor rgb ink
