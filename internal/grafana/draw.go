package grafana

import (
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

//go:embed picture.html
var page string

var pageTemplate = template.Must(template.New("picture").Parse(page))

const (
	// unit and gap are the sides of Grafana's grid, in pixels.
	unitWidth, unitHeight, gap = 64, 34, 8
	// left, bottom and top are the margins of a plot.
	left, bottom, top = 52, 18, 6
)

// colors are those of the series, in their order.
var colors = []string{"#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#96d98d", "#ffee52", "#ca95e5"}

type drawing struct {
	Title, Caption string
	Width, Height  int
	Panels         []drawn
}

// drawn is a panel with what Prometheus answered.
type drawn struct {
	Row        bool
	Title      string
	X, Y, W, H int
	// PlotW and High are the size of a plot, and 0 where there is none.
	PlotW, High     int
	TimesY, LegendY int
	Value, Color    string
	Long            bool
	Bars            []bar
	Lines           []line
	Ticks, Times    []tick
}

type (
	line struct{ Name, Color, Path, Area string }
	bar  struct {
		Name, Value, Color string
		Y, Width           int
	}
	tick struct {
		At   float64
		Text string
	}
)

// Draw asks for everything that the panels show between two times, and writes it as a page.
func (d Dashboard) Draw(ctx context.Context, w io.Writer, p *Prometheus, from, to time.Time, caption string) error {
	page := drawing{Title: d.Title, Caption: caption, Width: 24*unitWidth + gap}
	for _, panel := range d.Panels {
		shown := drawn{
			Row: panel.Type == "row", Title: panel.Title,
			X: panel.GridPos.X*unitWidth + gap, Y: panel.GridPos.Y * unitHeight,
			W: panel.GridPos.W*unitWidth - gap, H: panel.GridPos.H*unitHeight - gap,
		}
		page.Height = max(page.Height, shown.Y+shown.H+gap)
		var err error
		switch panel.Type {
		case "timeseries":
			err = shown.plot(ctx, p, panel, from, to)
		case "stat", "bargauge":
			err = shown.values(ctx, p, panel, to)
		}
		if err != nil {
			return fmt.Errorf("draw panel %s: %w", panel.Title, err)
		}
		page.Panels = append(page.Panels, shown)
	}
	return pageTemplate.Execute(w, page)
}

// rateInterval is Grafana's for a scrape every second, with what smooths a short time.
const rateInterval = "15s"

func (d *drawn) values(ctx context.Context, p *Prometheus, panel Panel, at time.Time) error {
	q := panel.Targets[0]
	series, err := p.Query(ctx, q.PromQL(Job, rateInterval), at)
	if err != nil {
		return err
	}
	slices.SortFunc(series, func(a, b Series) int { return strings.Compare(q.Legend(a.Labels), q.Legend(b.Labels)) })
	var most float64
	for _, s := range series {
		most = max(most, s.Samples[0].Value)
	}
	d.Value = "No data"
	for i, s := range series {
		value := s.Samples[0].Value
		d.Value, d.Color = panel.text(value), panel.color(value)
		if panel.Options.TextMode == "name" {
			d.Value = q.Legend(s.Labels)
		}
		d.Long = len(d.Value) > 7
		if panel.Type == "bargauge" {
			width := float64(d.W-180) * value / max(most, 1e-9)
			d.Bars = append(d.Bars, bar{q.Legend(s.Labels), d.Value, d.Color, 34 + 30*i, int(max(width, 2))})
		}
	}
	return nil
}

// text is a value in its unit, or what the panel says instead of it.
func (p Panel) text(value float64) string {
	for _, m := range p.FieldConfig.Defaults.Mappings {
		if o, ok := m.Options[strconv.FormatFloat(value, 'f', -1, 64)]; ok {
			return o.Text
		}
	}
	return inUnit(value, p.FieldConfig.Defaults.Unit)
}

func (p Panel) color(value float64) string {
	named := map[string]string{"green": colors[0], "orange": colors[3], "red": colors[4]}
	color := named["green"]
	for _, step := range p.FieldConfig.Defaults.Thresholds.Steps {
		if step.Value == nil || value >= *step.Value {
			color = named[step.Color]
		}
	}
	return color
}

func inUnit(value float64, unit string) string {
	switch unit {
	case "s":
		switch {
		case value == 0:
			return "0 s"
		case value < 1:
			return humanize.FtoaWithDigits(value*1000, 1) + " ms"
		case value >= 120:
			return humanize.FtoaWithDigits(value/60, 1) + " min"
		}
		return humanize.FtoaWithDigits(value, 1) + " s"
	case "bytes":
		return humanize.IBytes(uint64(max(value, 0)))
	case "percentunit":
		return humanize.FtoaWithDigits(value*100, 1) + " %"
	case "reqps":
		return humanize.FtoaWithDigits(value, 2) + "/s"
	default:
		return humanize.FtoaWithDigits(value, 2)
	}
}

// samples are the values of one series at the steps of the plot; those that are missing are
// not a number.
type samples struct {
	name   string
	values []float64
}

const steps = 120

func (d *drawn) plot(ctx context.Context, p *Prometheus, panel Panel, from, to time.Time) error {
	d.PlotW, d.High = d.W-left-30, d.H-30-top-bottom-44
	d.TimesY, d.LegendY = d.H-50, d.H-44
	step := to.Sub(from) / steps
	var all []samples
	for _, q := range panel.Targets {
		series, err := p.QueryRange(ctx, q.PromQL(Job, rateInterval), from, to, step)
		if err != nil {
			return err
		}
		for _, s := range series {
			values := slices.Repeat([]float64{math.NaN()}, steps+1)
			for _, sample := range s.Samples {
				if i := int(math.Round(float64(sample.At.Sub(from)) / float64(step))); i >= 0 && i <= steps {
					values[i] = sample.Value
				}
			}
			all = append(all, samples{q.Legend(s.Labels), values})
		}
	}
	slices.SortStableFunc(all, func(a, b samples) int { return strings.Compare(a.name, b.name) })
	d.draw(all, panel.FieldConfig.Defaults.Custom.Stacking.Mode == "normal", panel.FieldConfig.Defaults.Unit)
	for i := range 5 {
		at := from.Add(time.Duration(i) * to.Sub(from) / 4)
		d.Times = append(d.Times, tick{left + float64(i*d.PlotW)/4, at.Format("15:04:05")})
	}
	return nil
}

func (d *drawn) draw(all []samples, stacked bool, unit string) {
	below := make([]float64, steps+1)
	tops, bottoms := make([][]float64, len(all)), make([][]float64, len(all))
	var most float64
	for i, s := range all {
		tops[i], bottoms[i] = slices.Clone(s.values), slices.Clone(below)
		for j, v := range s.values {
			if stacked && !math.IsNaN(v) {
				below[j] += v
				tops[i][j] = below[j]
			}
			if !math.IsNaN(tops[i][j]) {
				most = max(most, tops[i][j])
			}
		}
	}
	most = nice(most, unit)
	for i := range 4 {
		v := most * float64(i) / 3
		d.Ticks = append(d.Ticks, tick{d.y(v, most), inUnit(v, unit)})
	}
	seen := map[string]bool{}
	for i, s := range all {
		l := line{Color: colors[i%len(colors)], Path: d.path(tops[i], most)}
		if !seen[s.name] {
			l.Name = s.name
		}
		seen[s.name] = true
		if stacked && !slices.ContainsFunc(s.values, math.IsNaN) {
			l.Area = l.Path + "L" + d.back(bottoms[i], most) + "Z"
		}
		d.Lines = append(d.Lines, l)
	}
}

// nice is a round value that is not below most.
func nice(most float64, unit string) float64 {
	if most <= 0 {
		return 1
	}
	base := 10.0
	if unit == "bytes" {
		base = 2
	}
	scale := math.Pow(base, math.Floor(math.Log(most)/math.Log(base)))
	for _, f := range []float64{1, 1.5, 2, 3, 5, 7.5, 10} {
		if f*scale >= most {
			return f * scale
		}
	}
	return 10 * scale
}

func (d *drawn) x(i int) float64 { return left + float64(i*d.PlotW)/steps }

func (d *drawn) y(value, most float64) float64 {
	return 30 + top + float64(d.High)*(1-value/most)
}

// path leads through the values, and begins anew where one is missing.
func (d *drawn) path(values []float64, most float64) string {
	var b strings.Builder
	next := "M"
	for i, v := range values {
		if math.IsNaN(v) {
			next = "M"
			continue
		}
		fmt.Fprintf(&b, "%s%.1f,%.1f", next, d.x(i), d.y(v, most))
		next = "L"
	}
	return b.String()
}

// back leads through the values from the last to the first.
func (d *drawn) back(values []float64, most float64) string {
	points := make([]string, 0, len(values))
	for i, v := range slices.Backward(values) {
		points = append(points, fmt.Sprintf("%.1f,%.1f", d.x(i), d.y(v, most)))
	}
	return strings.Join(points, "L")
}
