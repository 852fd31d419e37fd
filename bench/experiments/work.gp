# Where do threads help? Two panels, one for each kind of work; in each a strip for
# each lab, and in it a line for each client, from a clerk's greeting to its end.
# Draws NAME.csv, NAME-means.csv, NAME-panels.csv and, hollow, the means of repeats
# that are left out, NAME-left-out.csv; expects a legend.

page_height = 1100
load 'style.gp'
clients = name.'.csv'
means = name.'-means.csv'
panels = name.'-panels.csv'
left = name.'-left-out.csv'

stats clients using 'rank' name 'rank' nooutput
stats means using 'row' name 'row' nooutput
stats clients using 'done_s':'predicted_s' name 'done' nooutput
max(a, b) = a > b ? a : b
longest = max(done_max_x, done_max_y)

strip = rank_max + 10 # with the words above it
panel = row_max * strip + 18
y(shift) = (column('panel') - 1) * panel + (column('row') - 1) * strip + shift
is(p, r) = column('panel') == p && column('row') == r

set tmargin at screen 0.875
set lmargin at screen 0.03
set rmargin at screen 0.97
set bmargin at screen 0.115
set border 1
set yrange [2 * panel - 18 : -16] noextend
set xrange [0 : longest * 1.06] noextend
set xlabel "seconds since all of them came\n".legend textcolor rgb ink
set grid xtics back linewidth 1 dashtype solid linecolor rgb faint
unset ytics

plot panels using (0):((column('panel') - 1) * panel - 14.5):'title' \
         with labels noenhanced left font fit(',26', ',22') textcolor rgb 'black', \
     clients using 'taken_s':(y(column('rank'))):'taken_s':'done_s':(y(column('rank') - 0.42)):(y(column('rank') + 0.42)):(rgb(column('number'))) \
         with boxxyerror linecolor rgb variable, \
     for [p = 1:2] for [r = 1:row_max] \
     clients using (is(p, r) ? column('ideal_s') : NaN):(y(column('rank') - 0.5)) \
         with fsteps linewidth 1.5 dashtype thin linecolor rgb tone(r), \
     for [p = 1:2] for [r = 1:row_max] \
     clients using (is(p, r) ? column('predicted_s') : NaN):(y(column('rank') - 0.5)) \
         with fsteps linewidth 3 dashtype dashes linecolor rgb tone(r), \
     for [p = 1:2] for [r = 1:row_max] \
     clients using (is(p, r) && column('rank') == rank_max ? column('predicted_s') : NaN):(y(rank_max - 0.5)):(0):(1) \
         with vectors nohead linewidth 3 dashtype dashes linecolor rgb tone(r), \
     means using 'mean_s':(y(0)):(0):(rank_max + 1):(rgb(column('number'))) \
         with vectors nohead linewidth 9 linecolor rgb 'white', \
     means using 'mean_s':(y(0)):(0):(rank_max + 1) \
         with vectors nohead linewidth 4 linecolor rgb 'black', \
     left using 'mean_s':(y(rank_max / 2)):(tone(column('number'))) \
         with points pointtype 6 pointsize 3 * point_unit linewidth 3 linecolor rgb variable, \
     means using (0):(y(-3.4)):'words':(tone(column('number'))) \
         with labels noenhanced left font fit(note, ',14') textcolor rgb variable, \
     means using (column('panel') == 1 && column('row') == 1 ? column('mean_s') : NaN):(y(6)):('mean of all') \
         with labels left offset 0.7, 0 font note textcolor rgb 'black'
