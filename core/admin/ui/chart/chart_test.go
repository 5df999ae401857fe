package chart_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/ui/chart"
)

var update = flag.Bool("update", false, "write the golden files")

func draw(t *testing.T, p chart.Plot) string {
	t.Helper()
	p.From = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	if p.Step == 0 {
		p.Step = time.Minute
	}
	drawn, err := chart.Draw(p)
	require.NoError(t, err)
	return string(drawn)
}

func TestDraw(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for name, p := range map[string]chart.Plot{
		"empty":  {Title: "Nothing at all"},
		"zeroes": {Title: "Zeroes", Bars: []chart.Series{{Name: "delivered", Class: "good", Values: []float64{0, 0, 0}}}},
		"single": {
			Title: "One minute", Bars: []chart.Series{{Name: "delivered", Class: "good", Values: []float64{3}}},
			Lines: []chart.Series{{Name: "received", Class: "busy", Values: []float64{4}}},
		},
		"stacked": {
			Title: "Outcomes",
			Bars: []chart.Series{
				{Name: "delivered", Class: "good", Values: []float64{5, 0, 1200}},
				{Name: "failed", Class: "calm", Values: []float64{1, 0, 0}},
				{Name: "dead", Class: "bad", Values: []float64{0, 0, 1}},
			},
			Lines: []chart.Series{{Name: "received", Class: "busy", Values: []float64{6, 0, 900}}},
		},
		"latency": {
			Title: "Latency", Step: 15 * time.Minute, Peaks: true, Format: chart.Seconds,
			Lines: []chart.Series{
				{Name: "median", Class: "busy", Values: []float64{.01, nan, .02, .03, nan, nan}},
				{Name: "95 %", Class: "calm", Values: []float64{.2, nan, 1.5, .5, nan, 90}},
			},
		},
		"huge": {
			Title: "Huge",
			Bars: []chart.Series{
				{Name: "a", Class: "good", Values: []float64{math.MaxFloat64, math.Inf(1), 1, -5, nan}},
				{Name: "b", Class: "bad", Values: []float64{math.MaxFloat64, 1e18}},
			},
		},
		"markup": {Title: `<b onclick="x">"&'`, Bars: []chart.Series{{Name: "</svg><script>", Class: `good" onload="x`, Values: []float64{1, 2}}}},
	} {
		got := draw(t, p)
		golden := filepath.Join("testdata", name+".html")
		if *update {
			require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), got, name)
		wellFormed(t, got)
	}
}

// wellFormed holds what a browser that is strict takes, and what a strict policy allows.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, text)
		if start, ok := token.(xml.StartElement); ok {
			for _, a := range start.Attr {
				require.NotEqual(t, "style", a.Name.Local)
				require.False(t, strings.HasPrefix(a.Name.Local, "on"), a.Name.Local)
			}
			require.NotContains(t, []string{"script", "style", "image"}, start.Name.Local)
		}
	}
	require.NotContains(t, text, "NaN")
	require.NotContains(t, text, "Inf")
}

var number = regexp.MustCompile(`(?:\sx|\sy|width|height)="(-?[0-9.]+)"`)

func FuzzDraw(f *testing.F) {
	f.Add("delivered", 1.0, 2.0, 3.0, int64(time.Minute))
	f.Add("<", math.Inf(-1), math.NaN(), math.SmallestNonzeroFloat64, int64(0))
	f.Fuzz(func(t *testing.T, name string, a, b, c float64, step int64) {
		p := chart.Plot{Title: name, Step: time.Duration(step), Bars: []chart.Series{{Name: name, Values: []float64{a, b}}, {Values: []float64{c}}}}
		p.Lines = p.Bars
		for _, format := range []func(float64) string{chart.Count, chart.Seconds} {
			p.Format = format
			drawn, err := chart.Draw(p)
			require.NoError(t, err)
			for _, m := range number.FindAllStringSubmatch(string(drawn), -1) {
				require.False(t, strings.HasPrefix(m[1], "-"), m[0])
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", .5: "0.5", 7: "7", 12345: "12,345", 2_500_000: "2.5M", 1e18: "1E"} {
		require.Equal(t, want, chart.Count(v))
	}
	for v, want := range map[float64]string{0: "0 s", 2e-4: "200 µs", .25: "250 ms", 1.5: "1.5 s", 180: "3 min", 7200: "2 h"} {
		require.Equal(t, want, chart.Seconds(v))
	}
}
