# What does a good client live through while others keep all clerks waiting? A panel
# for each lab and kind of slow client; a dot for each probe: when it was intended,
# and how long it took. Draws NAME.csv and NAME-words.csv.

page_height = 1100
load 'style.gp'
probes = name.'.csv'
texts = name.'-words.csv'

stats texts using 'panel' name 'panel' nooutput
stats texts using 'predicted_s':'dead_s' name 'dead' nooutput
stats probes using 'latency_s' name 'latency' nooutput
stats probes using 'intended_s' name 'intended' nooutput
max(a, b) = a > b ? a : b
tallest = max(latency_max, dead_max_x)
panel = tallest * 1.55 # with the words above it
base(p) = (panel_max - p) * panel
y(value) = base(column('panel')) + value

set tmargin at screen 0.885
set lmargin at screen fit(0.10, 0.2)
set rmargin at screen 0.97
set bmargin at screen 0.12
set border 1
set xrange [0 : intended_max] noextend
set yrange [-0.03 * panel : panel_max * panel] noextend
set xlabel "second in which a good client wanted to be served\ngrey: the slow ones would stay; dashed: predicted" textcolor rgb ink
set label 2 'how long it took' at screen at_left, 0.49 center rotate textcolor rgb ink
step = tallest > 0.6 ? 0.4 : 0.2
unset ytics
set ytics nomirror ('' -1)
do for [p = 1:panel_max] {
    do for [t = 0:int(tallest / step)] {
        set ytics add (sprintf(t == 0 ? '0' : '%.1f s', t * step) base(p) + t * step)
    }
}
set grid ytics back linewidth 1 dashtype solid linecolor rgb faint

plot texts using 'begins_s':(y(0)):'begins_s':'leaves_s':(y(0)):(y(tallest * 1.1)) \
         with boxxyerror fillstyle solid 1 linecolor rgb 0xEEEEEE, \
     probes using 'intended_s':(y(column('latency_s'))):(rgb(column('number'))) \
         with points pointtype 7 pointsize 1.3 * point_unit linecolor rgb variable, \
     texts using 'begins_s':(y(0)):(0):'predicted_s':(tone(column('number'))) \
         with vectors nohead linewidth 3 dashtype dashes linecolor rgb variable, \
     texts using 'begins_s':(y(column('predicted_s'))):'predicted_s':(-column('predicted_s')):(tone(column('number'))) \
         with vectors nohead linewidth 3 dashtype dashes linecolor rgb variable, \
     texts using 'begins_s':(y(column('ideal_s'))):'ideal_s':(-column('ideal_s')):(tone(column('number'))) \
         with vectors nohead linewidth 1.5 dashtype thin linecolor rgb variable, \
     texts using (0):(y(tallest * 1.28)):'words':(tone(column('number'))) \
         with labels noenhanced left font fit(note, ',13') textcolor rgb variable
