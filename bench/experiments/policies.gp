# Who is next? A group of rows for each rule: how long jobs take on average, at p99,
# and the short and the long ones apart. Draws NAME.csv and NAME-heads.csv.

load 'style.gp'
marks = name.'.csv'
heads = name.'-heads.csv'

stats marks using 'row' name 'row' nooutput
stats marks using 'least_s':'most_s' name 'times' nooutput
set lmargin at screen fit(0.24, 0.40)
set rmargin at screen 0.95
set bmargin at screen 0.15
set yrange [row_max + 0.8 : -0.8]
set logscale x
set xrange [times_min_x / 1.6 : times_max_y * 2.2]
set xtics ('1 ms' 1e-3, '3 ms' 3e-3, '10 ms' 1e-2, '30 ms' 3e-2, '0.1 s' 0.1, '0.3 s' 0.3, '1 s' 1)
unset ytics
set grid xtics back linewidth 1 dashtype solid linecolor rgb faint
set xlabel "from arrival to answer\n".legend textcolor rgb ink
edge = times_min_x / 1.6

plot marks using 'measured_s':'row':'least_s':'most_s':(rgb(column('number'))) \
         with xerrorbars linewidth 4 pointtype 7 pointsize 3 * point_unit linecolor rgb variable, \
     marks using 'predicted_s':(column('row') - 0.36):(0):(0.72):(tone(column('number'))) \
         with vectors nohead linewidth 4 linecolor rgb variable, \
     marks using 'long_run_s':'row':(tone(column('number'))) \
         with points pointtype 2 pointsize 2.4 * point_unit linewidth 2 linecolor rgb variable, \
     marks using (times_max_y * 1.3):'row':'words' \
         with labels noenhanced left font note textcolor rgb ink, \
     marks using (edge):'row':'what' \
         with labels noenhanced right offset -1, 0 font note textcolor rgb ink, \
     heads using (edge):'row':'words':(tone(column('number'))) \
         with labels noenhanced left offset 1, 0 font note textcolor rgb variable
