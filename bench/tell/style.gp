# What all charts share: a page for a lecture hall, and one colour for each lab.
# Expects name, which the output is called; form: svg, png, or tall, an SVG for a
# phone; and title. A chart may choose its page_height first. A stamp says what not
# to trust, left_out which repeats are not drawn as the others are.

if (!exists('page_height')) page_height = 1000
is_tall = form eq 'tall'
page_width = is_tall ? 900 : 1600
if (is_tall) page_height = 1.25 * page_height
if (form eq 'png') set terminal pngcairo size page_width, page_height enhanced font 'DejaVu Sans,20' background rgb 'white'
if (form ne 'png') set terminal svg size page_width, page_height dynamic enhanced font 'sans-serif,20' fontscale 1.333 background rgb 'white'
# Points and dashes of the SVG terminal are larger than those of the PNG one.
point_unit = form eq 'png' ? 1 : 0.4
dashes = 1
thin = 2
if (form eq 'png') set dashtype 1 (9, 7); else set dashtype 1 (5, 4)
if (form eq 'png') set dashtype 2 (3, 5); else set dashtype 2 (2, 3)
set output is_tall ? name.'-tall.svg' : name.'.'.form
set encoding utf8
set datafile separator comma

# Okabe and Ito's colours, which colour-blind people can tell apart; and for text
# and lines the same in a tone that has 4.5:1 on white.
colours = '#D55E00 #0072B2 #009E73 #CC79A7 #E69F00 #56B4E9 #8C6D00 #000000 #882255 #44AA99 #332288 #999933'
inks = '#A34700 #0072B2 #00734F #A0407A #805800 #1F6F9E #755B00 #000000 #882255 #1F7468 #332288 #6B6B1F'
number_of(list, lab) = int('0x'.word(list, 1 + (int(lab) - 1) % words(list))[2:7])
rgb(lab) = number_of(colours, lab)
tone(lab) = number_of(inks, lab)
# The models' colours, told from the labs' by number: theirs begin at 5; nginx is behind the last.
models = '#5B4B8A #2F7F86 #7A4A2B #3F6B2A #8A2F4B #4A4A4A #99582A #000000 #B0126E'
paint(n) = n < 5 ? tone(n) : number_of(models, n - 4)
ink = 0x333333
grey = 0xC9C9C9
faint = 0xC4C4C4
quiet = 0x666666

# Filled and hollow in turn, so that grey print tells the labs apart, too.
shape(lab) = int(word('7 4 9 12 5 6 11 8', 1 + (int(lab) - 1) % 8))
# No text is smaller than 2.5 % of the height: the last row reads it.
note_size = ceil(0.025 * (is_tall ? page_width : page_height) / 1.333)
note = sprintf(',%d', note_size)
fit(long, short) = is_tall ? short : long
if (is_tall && exists('legend')) legend = '' # the page says it below the chart
over = fit('', 'boxed') # and there words lie on curves
set style textbox opaque margins 0.5, 0.4 noborder fillcolor rgb 'white'
at_left = fit(0.018, 0.024) # the middle of what is written upwards
beside = fit('left offset 1.5', 'right offset -1.5') # a point at the right edge

set border 3 linecolor rgb ink
set tics nomirror scale 0.6 font note textcolor rgb ink
set xlabel font note
set ylabel font note
set key off
set label 1 title at screen 0.5, 0.95 center font fit(',30', ',18') textcolor rgb ink
set tmargin at screen 0.89
if (exists('stamp')) set label 99 stamp noenhanced at screen 0.5, 0.984 center font fit(note, ',14') textcolor rgb 0xC00000 front
if (exists('left_out')) set label 98 left_out noenhanced at screen 0.99, 0.912 right font fit(note, ',14') textcolor rgb quiet
set style fill solid noborder
