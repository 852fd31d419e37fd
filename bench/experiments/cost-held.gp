# What does a client cost who stays? One curve a lab, both axes logarithmic. Draws
# NAME.csv and NAME-words.csv.

load 'style.gp'
points = name.'.csv'
texts = name.'-words.csv'

stats points using 'number' name 'number' nooutput
stats points using 'clients' name 'clients' nooutput
stats points using 'memory_bytes' name 'memory' nooutput
stats points using 'reserved_bytes' name 'reserved' nooutput

# Curves that lie on each other stay visible: the later one is the thinner one.
width(c) = max(3, 8 - 1.1 * c)
max(a, b) = a > b ? a : b
size(c) = point_unit * max(1.4, 3.4 - 0.4 * c)
# On a phone there is no room beside the curves: the words stand above or below the ends.
place(c, y) = is_tall && c <= 4 ? y * real(word('0.35 1.6 0.45 1', int(c))) : y
of(c, value) = column('number') == c ? column(value) : NaN

set logscale xy
set xrange [0.9 : clients_max * 1.1]
set yrange [memory_min / fit(3.5, 9.0) : reserved_max * 1.8]
set lmargin at screen fit(0.12, 0.2)
set rmargin at screen fit(0.665, 0.96)
set bmargin at screen 0.13
set xlabel "clients who stay\nsolid: memory; dashed: predicted; thin: ideal; dotted: addresses" textcolor rgb ink
set label 2 'memory, with the kernel stacks and page tables' at screen at_left, 0.51 center rotate textcolor rgb ink
set xtics ('1' 1, '10' 10, '100' 100, '1000' 1000, '10000' 10000)
KiB = 1024.0
set ytics ('256 KiB' 256*KiB, '1 MiB' KiB**2, '4 MiB' 4*KiB**2, '16 MiB' 16*KiB**2, \
    '64 MiB' 64*KiB**2, '256 MiB' 256*KiB**2, '1 GiB' KiB**3, '4 GiB' 4*KiB**3)
set grid xtics ytics back linewidth 1 dashtype solid linecolor rgb faint

plot points using 'clients':(of(2, 'reserved_bytes')) \
         with lines linewidth 3 dashtype 3 linecolor rgb rgb(2), \
     for [c = 1:number_max] points using 'clients':(of(c, 'memory_bytes')) \
         with linespoints linewidth width(c) pointtype shape(c) pointsize size(c) linecolor rgb rgb(c), \
     for [c = 1:number_max] points using 'clients':(of(c, 'predicted_bytes')) \
         with lines linewidth 3 dashtype dashes linecolor rgb tone(c), \
     for [c = 1:number_max] points using 'clients':(of(c, 'ideal_bytes')) \
         with lines linewidth 1.5 dashtype thin linecolor rgb tone(c), \
     texts using 'clients':(place(column('number'), column('y_bytes'))):'name':(tone(column('number'))) \
         with labels noenhanced @over @beside, 0.5 font note textcolor rgb variable, \
     texts using 'clients':(place(column('number'), column('y_bytes'))):'words' \
         with labels noenhanced @over @beside, -0.5 font note textcolor rgb ink
