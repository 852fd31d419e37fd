# What all charts share: a page for a lecture hall, and one colour for each lab.
# Expects name, which the output is called; form, svg or png; and title. A chart
# may choose its page_height first. A stamp says why runs cannot be believed.

if (!exists('page_height')) page_height = 1000
if (form eq 'svg') set terminal svg size 1600, page_height dynamic enhanced font 'sans-serif,20' fontscale 1.333 background rgb 'white'
if (form eq 'png') set terminal pngcairo size 1600, page_height enhanced font 'DejaVu Sans,20' background rgb 'white'
# Points and dashes of the SVG terminal are larger than those of the PNG one.
point_unit = form eq 'svg' ? 0.4 : 1
dashes = 1
if (form eq 'svg') set dashtype 1 (5, 4); else set dashtype 1 (9, 7)
set output name.'.'.form
set encoding utf8
set datafile separator comma

# Okabe and Ito's colours, which colour-blind people can tell apart.
colours = '#D55E00 #0072B2 #009E73 #CC79A7 #E69F00 #56B4E9 #8C6D00 #000000'
rgb(lab) = int('0x'.word(colours, 1 + (int(lab) - 1) % words(colours))[2:7])
ink = 0x333333
grey = 0xC9C9C9
faint = 0xC4C4C4

set border 3 linecolor rgb ink
set tics nomirror scale 0.6 textcolor rgb ink
set key off
set label 1 title at screen 0.5, 0.95 center font ',30' textcolor rgb ink
set tmargin at screen 0.89
if (exists('stamp')) set label 99 stamp noenhanced at screen 0.5, 0.983 center font ',18' textcolor rgb 0xC00000 front
set style fill solid noborder
