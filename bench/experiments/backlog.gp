# What does a short backlog do to a crowd? A panel for each backlog; a line for each
# client, in the order in which they were done. Draws NAME.csv, NAME-words.csv and
# NAME-syns.csv; expects the number of the lab.

page_height = 1000
load 'style.gp'
clients = name.'.csv'
texts = name.'-words.csv'
syns = name.'-syns.csv'

stats texts using 'panel' name 'panel' nooutput
stats clients using 'rank' name 'rank' nooutput
stats clients using 'done_s' name 'done' nooutput
panel = rank_max * 1.34 # with the words above it
y(shift) = (column('panel') - 1) * panel + column('rank') + shift
top(p) = (p - 1) * panel
phantom = 0xE69F00
knocking = 0xD8D8D8
queued = 0x9FC5E8

set tmargin at screen 0.85
set lmargin at screen 0.03
set rmargin at screen 0.97
set bmargin at screen 0.075
set border 1
set yrange [panel_max * panel - 0.2 * rank_max : -0.62 * rank_max] noextend
set xrange [0 : done_max * 1.01] noextend
set xlabel "seconds since all of them came" textcolor rgb ink
set grid xtics back linewidth 1 dashtype solid linecolor rgb faint
unset ytics
do for [k = 1:5] {
    x = real(word('0.03 0.29 0.54 0.03 0.29', k))
    key_y = k < 4 ? 0.905 : 0.872
    sign = word('■ ■ ■ ● ┅', k)
    shade = int(word(sprintf('%d %d %d %d 0', knocking, queued, phantom, rgb(number)), k))
    legend = k == 1 ? 'no answer to its SYN' : k == 2 ? "in the kernel's queue" : k == 3 ? 'phantom: connected but unknown to the server' : k == 4 ? 'served' : 'predicted; in grey: SYN sent again'
    set label 10 + k sign at screen x, key_y left font note textcolor rgb shade
    set label 20 + k legend at screen x + 0.02, key_y left font fit(note, ',12') textcolor rgb ink
}

plot clients using (0):(y(0)):(0):'wait_s':(y(-0.5)):(y(0.5)) \
         with boxxyerror linecolor rgb knocking, \
     clients using 'wait_s':(y(0)):'wait_s':'waited_s':(y(-0.5)):(y(0.5)):(column('phantom') > 0 ? phantom : queued) \
         with boxxyerror linecolor rgb variable, \
     for [p = 1:panel_max] syns using 'syn_s':(top(p) + 0.5):(0):(rank_max) \
         with vectors nohead linewidth 2 dashtype dashes linecolor rgb quiet, \
     for [p = 1:panel_max] clients using (column('panel') == p ? column('ideal_s') : NaN):(y(0)) \
         with lines linewidth 2 dashtype thin linecolor rgb tone(number), \
     for [p = 1:panel_max] clients using (column('panel') == p ? column('predicted_s') : NaN):(y(0)) \
         with lines linewidth 4 dashtype dashes linecolor rgb tone(number), \
     clients using 'begun_s':(y(0)) \
         with points pointtype 7 pointsize 0.8 * point_unit linecolor rgb tone(number), \
     texts using (0):(top(column('panel')) - 0.12 * rank_max):'words' \
         with labels noenhanced left font fit(note, ',13') textcolor rgb tone(number), \
     texts using (done_max * 1.01):(top(column('panel')) - 0.12 * rank_max):(is_tall ? '' : strcol('counters')) \
         with labels noenhanced right font fit(note, ',10') textcolor rgb ink, \
     syns using (column('syn_s') < 0.97 * done_max ? column('syn_s') : NaN):(-0.40 * rank_max):('SYN again') \
         with labels center font note textcolor rgb ink
