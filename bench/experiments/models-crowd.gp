# How does each model bear a crowd? A panel for each, all on the same axes: when the
# last is done, against how many there are. Draws NAME.csv.

page_height = 1300
load 'style.gp'
marks = name.'.csv'

stats marks using 'panel' name 'panel' nooutput
stats marks using 'clients' name 'clients' nooutput
stats marks using 'most_s' name 'most' nooutput
columns = is_tall ? 2 : 3
rows = ceil((panel_max + 1.0) / columns)
set logscale xy
set xrange [0.7 : clients_max * 1.5]
set yrange [1e-3 : most_max * 1.5]
tic_size = fit(note, ',9')
set xtics ('1' 1, '10' 10, '100' 100, '1k' 1000, '10k' 10000) font tic_size
set grid xtics ytics back linewidth 1 dashtype solid linecolor rgb faint
set multiplot
set label 2 'dashes: predicted; thin: by the service time alone; pools have 4 workers' at screen 0.5, 0.02 center font fit(note, ',10') textcolor rgb ink
do for [p = 0 : int(panel_max)] {
    col = p % columns
    row = p / columns
    said(text) = col == 0 ? text : ''
    set ytics (said('1 ms') 1e-3, said('10 ms') 1e-2, said('0.1 s') 0.1, said('1 s') 1, said('10 s') 10) font tic_size
    set lmargin at screen 0.08 + col * 0.92 / columns
    set rmargin at screen 0.08 + (col + 0.82) * 0.92 / columns
    set tmargin at screen 0.87 - row * 0.80 / rows
    set bmargin at screen 0.87 - (row + 0.70) * 0.80 / rows
    set label 3 system(sprintf("awk -F, '$1==%d {print $3; exit}' %s", p, marks)) at graph 0.03, 1.07 left noenhanced font fit(note, ',11') textcolor rgb ink
    in(c) = column('panel') == p ? column(c) : NaN
    plot marks using (in('clients')):'ideal_s' with lines linewidth thin dashtype dashes linecolor rgb quiet, \
         marks using (in('clients')):'predicted_s':(paint(column('number'))) with lines linewidth 4 dashtype dashes linecolor rgb variable, \
         marks using (in('clients')):'last_s':'least_s':'most_s':(paint(column('number'))) \
             with yerrorbars pointtype 7 pointsize 2 * point_unit linewidth 2 linecolor rgb variable
    unset label 1
    unset label 2
    unset label 98
    unset label 99
}
unset multiplot
