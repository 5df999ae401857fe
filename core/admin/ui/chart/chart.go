// Package chart draws what happened over a time as SVG within HTML: stacked bars and lines,
// with their sums in words and the numbers as a table. The shapes alone are stretched to the
// room there is; what is to be read is text beside them.
package chart

import (
	"bytes"
	_ "embed"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// The size of the plane that shapes are drawn on.
const (
	width  = 600
	height = 100
	// least is how high what is there is drawn at least.
	least = 1
	// gap is the part of a bar's place that stays empty.
	gap = 0.2
)

// Plot is what is drawn.
type Plot struct {
	Title string
	// From is when the first value of each series begins, and Step how long each is for.
	From time.Time
	Step time.Duration
	// Bars are drawn on top of each other, the first at the bottom; Lines over them.
	Bars, Lines []Series
	// Peaks has the highest value of each series said, where their sum means nothing.
	Peaks bool
	// Format writes a value; nil is Count.
	Format func(float64) string
}

// Series is a value for each step. What is no finite number above zero is none; in a line it
// is a gap, unless it is zero.
type Series struct {
	Name string
	// Class is the one of its colour: good, busy, calm, bad or plain.
	Class  string
	Values []float64
}

// Draw returns a figure: a legend with sums, the plot, and a table.
func Draw(p Plot) (template.HTML, error) {
	whole := p.Format == nil
	if whole {
		p.Format = Count
	}
	d := p.drawing()
	if whole && len(d.Scale) == 3 && strings.Contains(d.Scale[1], ".") {
		d.Scale = slices.Delete(d.Scale, 1, 2) // there is no half of a thing
	}
	var b bytes.Buffer
	err := figure.Execute(&b, d)
	return template.HTML(b.String()), err //nolint:gosec // written by html/template
}

//go:embed figure.html
var figureText string

var figure = template.Must(template.New("figure").Parse(figureText))

// drawing is what the template gets.
type drawing struct {
	Title  string
	Said   string
	Keys   []key
	Scale  []string
	Times  []string
	Rects  []rect
	Paths  []path
	Series []Series
	Rows   []row
}

type key struct{ Name, Class, Value string }

type rect struct {
	X, Y, Width, Height string
	Class, Said         string
}

type path struct{ Class, D string }

type row struct {
	At    time.Time
	Texts []string
}

func (p *Plot) drawing() drawing {
	all := slices.Concat(p.Bars, p.Lines)
	d := drawing{Title: p.Title, Series: all}
	n := 0
	for _, s := range all {
		n = max(n, len(s.Values))
	}
	said := make([]string, len(all))
	for i, s := range all {
		k := key{Name: s.Name, Class: s.Class, Value: p.Format(p.of(s))}
		if i >= len(p.Bars) {
			k.Class += " line"
		}
		d.Keys = append(d.Keys, k)
		said[i] = s.Name + " " + k.Value
	}
	d.Said = p.Title + ": " + strings.Join(said, ", ")
	most := p.most(n)
	if most == 0 {
		return d
	}
	top := ceiling(most)
	d.Scale = []string{p.Format(top), p.Format(0)}
	if half := p.Format(top / 2); half != d.Scale[0] && half != d.Scale[1] {
		d.Scale = slices.Insert(d.Scale, 1, half)
	}
	d.Times = []string{ago(n, p.Step), ago(n/2, p.Step), "now"}
	if n < 2 {
		d.Times = []string{ago(n, p.Step), "now"}
	}
	d.Rects = p.rects(n, top)
	for _, s := range p.Lines {
		line, points := pathsOf(s.Values, n, top)
		if line != "" {
			d.Paths = append(d.Paths, path{s.Class, line})
		}
		if points != "" {
			d.Paths = append(d.Paths, path{s.Class + " point", points})
		}
	}
	for i := range n {
		r := row{At: p.From.Add(time.Duration(i) * p.Step).UTC()}
		for _, s := range all {
			r.Texts = append(r.Texts, p.text(s, i))
		}
		d.Rows = append(d.Rows, r)
	}
	return d
}

// of is what is said of a series: its sum or its highest value.
func (p *Plot) of(s Series) float64 {
	sum, peak := 0.0, 0.0
	for i := range s.Values {
		sum += s.at(i)
		peak = max(peak, s.at(i))
	}
	if p.Peaks {
		return peak
	}
	return sum
}

// most is the highest point of n steps.
func (p *Plot) most(n int) float64 {
	most := 0.0
	for i := range n {
		stack := 0.0
		for _, s := range p.Bars {
			stack += s.at(i)
		}
		most = max(most, stack)
		for _, s := range p.Lines {
			most = max(most, s.at(i))
		}
	}
	return min(most, math.MaxFloat64/10) // the scale ends above it
}

// text is a value in the table; a gap is empty.
func (p *Plot) text(s Series, i int) string {
	if i >= len(s.Values) || math.IsNaN(s.Values[i]) {
		return ""
	}
	return p.Format(s.at(i))
}

// at is a value that can be drawn.
func (s *Series) at(i int) float64 {
	if i >= len(s.Values) || !(s.Values[i] > 0) {
		return 0
	}
	return min(s.Values[i], math.MaxFloat64/1e6) // so that sums stay finite
}

func (p *Plot) rects(n int, top float64) []rect {
	var rects []rect
	place := float64(width) / float64(n)
	for i := range n {
		var texts []string
		for _, s := range p.Bars {
			if v := s.at(i); v > 0 {
				texts = append(texts, p.Format(v)+" "+s.Name)
			}
		}
		said := ago(n-i, p.Step) + ": " + strings.Join(texts, ", ")
		y := float64(height)
		for _, s := range p.Bars {
			v := s.at(i)
			if v == 0 {
				continue
			}
			h := min(max(v/top*height, least), y)
			y -= h
			rects = append(rects, rect{
				X: number(float64(i)*place + place*gap/2), Y: number(y), Width: number(place * (1 - gap)), Height: number(h), Class: s.Class, Said: said,
			})
		}
	}
	return rects
}

// pathsOf draws a line from one value to the next, and a point for one that is alone.
func pathsOf(values []float64, n int, top float64) (line, points string) {
	s := Series{Values: values}
	gap := func(i int) bool { return i < 0 || i >= len(values) || math.IsNaN(values[i]) }
	place := float64(width) / float64(n)
	for i := range values {
		if gap(i) {
			continue
		}
		at := number((float64(i)+.5)*place) + " " + number(height-s.at(i)/top*height)
		switch {
		case !gap(i - 1):
			line += "L" + at
		case gap(i + 1):
			points += "M" + at + "h0"
		default:
			line += "M" + at
		}
	}
	return line, points
}

// ceiling is the first of 1, 2, 5, 10, 20, … that a value does not exceed.
func ceiling(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if v <= f*unit {
			return f * unit
		}
	}
	return 10 * unit
}

// ago is how long before now a step begins.
func ago(steps int, step time.Duration) string {
	d := time.Duration(steps) * step
	switch {
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + " h ago"
	case d >= time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h " + strconv.Itoa(int(d%time.Hour/time.Minute)) + " min ago"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + " min ago"
	default:
		return strconv.Itoa(int(d/time.Second)) + " s ago"
	}
}

// number is a coordinate.
func number(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }

// exact is up to where counts are written with all their digits.
const exact = 1e6

// Count writes a number of things.
func Count(v float64) string {
	if v < exact {
		return decimal(v)
	}
	scaled, prefix := humanize.ComputeSI(v)
	return strconv.FormatFloat(scaled, 'g', 3, 64) + prefix
}

// Seconds writes a time in the unit that suits it.
func Seconds(v float64) string {
	unit, size := "s", 1.0
	switch {
	case v == 0:
	case v < 1e-3:
		unit, size = "µs", 1e-6
	case v < 1:
		unit, size = "ms", 1e-3
	case v >= 3600:
		unit, size = "h", 3600
	case v >= 120:
		unit, size = "min", 60
	}
	return decimal(v/size) + " " + unit
}

// decimal writes a number with at most one digit after the point.
func decimal(v float64) string { return humanize.Commaf(math.Round(v*10) / 10) }
