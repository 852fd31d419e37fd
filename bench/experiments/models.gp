# What does a connection cost? A bar for each server: CPU seconds for all of them,
# above those of the sequential server. Draws NAME.csv.

load 'style.gp'
marks = name.'.csv'

stats marks using 'row' name 'row' nooutput
stats marks using 'most_s' name 'most' nooutput
set lmargin at screen 0.26
set rmargin at screen 0.97
set bmargin at screen 0.14
set yrange [row_max + 0.7 : 0.3]
unset ytics
least = 1e-3 # s: less is drawn as this
set logscale x
set xrange [least : most_max * 200]
set xtics ('1 ms' 1e-3, '10 ms' 1e-2, '0.1 s' 0.1, '1 s' 1, '10 s' 10)
at_least(x) = x < least ? least : x
set grid xtics back linewidth 1 dashtype solid linecolor rgb faint
set xlabel 'CPU seconds; line: least to most of the repeats'
plot marks using (least):'row':(least):(at_least(column('above_s'))):(column('row') - 0.3):(column('row') + 0.3):(paint(column('number'))) \
         with boxxyerror linecolor rgb variable, \
     marks using (at_least(column('least_s'))):'row':(at_least(column('most_s')) - at_least(column('least_s'))):(0) \
         with vectors nohead linewidth 3 linecolor rgb ink, \
     marks using (at_least(column('most_s'))):'row':'words' \
         with labels noenhanced left offset 1, 0 font fit(note, ',12') textcolor rgb ink, \
     marks using (least):'row':'name' \
         with labels noenhanced right offset -1, 0 font fit(note, ',12') textcolor rgb ink
