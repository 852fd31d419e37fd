# How long do requests take at a fixed rate? A row for each server, in it three rates:
# mean and p99. Draws NAME.csv.

page_height = 1300
load 'style.gp'
marks = name.'.csv'

stats marks using 'row' name 'row' nooutput
stats marks using 'mean_s':'p99_s' name 'times' nooutput
stats marks using 'ideal_s' name 'ideal' nooutput
least = (ideal_min < times_min_x ? ideal_min : times_min_x) / 1.5
set lmargin at screen fit(0.27, 0.42)
set rmargin at screen 0.96
set bmargin at screen 0.13
set yrange [row_max + 0.6 : -0.9]
set logscale x
set xrange [least : times_max_y * 1.6]
set xtics ('0.1 ms' 1e-4, '1 ms' 1e-3, '10 ms' 1e-2, '0.1 s' 0.1, '1 s' 1, '10 s' 10)
unset ytics
set grid xtics back linewidth 1 dashtype solid linecolor rgb faint
set xlabel "from the planned start to the answer\n".legend textcolor rgb ink

plot marks using 'ideal_s':(column('row') - 0.12):(0):(0.24) \
         with vectors nohead linewidth 3 linecolor rgb quiet, \
     marks using 'mean_s':'row':(column('p99_s') - column('mean_s')):(0):(paint(column('number'))) \
         with vectors nohead linewidth 2 linecolor rgb variable, \
     marks using 'mean_s':'row':(paint(column('number'))) \
         with points pointtype 7 pointsize 2.4 * point_unit linecolor rgb variable, \
     marks using 'p99_s':'row':(paint(column('number'))) \
         with points pointtype 6 pointsize 2.4 * point_unit linewidth 3 linecolor rgb variable, \
     marks using (column('fails') == 1 ? times_max_y * 1.3 : NaN):'row':(paint(column('number'))) \
         with points pointtype 2 pointsize 1.8 * point_unit linewidth 3 linecolor rgb variable, \
     marks using (least):(column('load') == 2 ? column('row') : NaN):'name' \
         with labels noenhanced right offset -1, 0 font note textcolor rgb ink
