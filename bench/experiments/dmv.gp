# Who waits for whom? One panel a lab; one row a client, in the order of the line.
# Draws NAME.csv, and the words of NAME-words.csv over it.

page_height = 1100
load 'style.gp'
bars = name.'.csv'
texts = name.'-words.csv'

stats bars using 'panel' name 'panel' nooutput
stats bars using 'rank' name 'rank' nooutput
stats bars using 'number' name 'number' nooutput

height = rank_max + 4.5 # of a panel with its caption
y(shift) = (column('panel') - 1) * height + column('rank') + shift
only(condition, value) = condition ? value : NaN
is(kind) = strcol('kind') eq kind

set tmargin at screen 0.92
set lmargin at screen 0.03
set rmargin at screen 0.97
set bmargin at screen 0.08
set border 1
set yrange [(panel_max - 1) * height + rank_max + 1 : -3.5]
set xrange [0:*] noextend
set xlabel 'seconds since all of them came' textcolor rgb ink
set grid xtics back linewidth 1 dashtype solid linecolor rgb faint
unset ytics

plot bars using (0):(y(0)):(0):'begun_s':(y(-0.42)):(y(0.42)) \
         with boxxyerror linecolor rgb grey, \
     bars using 'begun_s':(y(0)):'begun_s':'ended_s':(y(-0.42)):(y(0.42)):(rgb(column('number'))) \
         with boxxyerror linecolor rgb variable, \
     for [c = 1:number_max] \
     bars using (only(column('number') == c, column('ideal_s'))):(y(-0.5)) \
         with fsteps linewidth 1.5 dashtype thin linecolor rgb tone(c), \
     for [c = 1:number_max] \
     bars using (only(column('number') == c, column('predicted_s'))):(y(-0.5)) \
         with fsteps linewidth 4 dashtype dashes linecolor rgb tone(c), \
     for [c = 1:number_max] \
     bars using (only(column('number') == c && column('rank') == rank_max, column('predicted_s'))):(y(-0.5)):(0):(1) \
         with vectors nohead linewidth 4 dashtype dashes linecolor rgb tone(c), \
     bars using 'failed_s':(y(0)) \
         with points pointtype 2 pointsize 1.5 * point_unit linewidth 3 linecolor rgb 'black', \
     texts using 'x_s':(only(is('caption'), y(-1.2))):'words':(tone(column('number'))) \
         with labels noenhanced left font fit(',24', ',15') textcolor rgb variable, \
     texts using 'x_s':(only(is('waiting'), y(0))):'words' \
         with labels center font note textcolor rgb ink, \
     texts using 'x_s':(only(is('served'), y(-2.1))):'words':(tone(column('number'))) \
         with labels left offset 0.7, 0 font note textcolor rgb variable, \
     texts using 'x_s':(only(is('predicted'), y(-2.1))):'words' \
         with labels left offset 0.7, 0 font note textcolor rgb ink
