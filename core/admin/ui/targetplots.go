package ui

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/ui/chart"
)

const (
	plottedDay   = 24 * time.Hour
	plottedParts = 96
)

// targetPlots are what happened to a target in the last day. Known is when it begins to be
// known, if that is later.
func (u *UI) targetPlots(ctx context.Context, name string) (plots []template.HTML, known *time.Time, err error) {
	a, err := u.Service.Activity(ctx, admin.ActivityOf{Target: name, Over: plottedDay, Buckets: plottedParts})
	if err != nil {
		return nil, nil, err
	}
	step := time.Duration(a.Step * float64(time.Second))
	delivered, failed, dead := make([]float64, len(a.Buckets)), make([]float64, len(a.Buckets)), make([]float64, len(a.Buckets))
	attempts, median, p95 := make([]float64, len(a.Buckets)), make([]float64, len(a.Buckets)), make([]float64, len(a.Buckets))
	made := make([]float64, len(a.Buckets))
	for i, b := range a.Buckets {
		delivered[i], failed[i], dead[i], attempts[i], made[i] = float64(b.Delivered), float64(b.Failed), float64(b.Dead), float64(b.Attempts), float64(b.Accepted)
		median[i], p95[i] = b.MedianMS/1000, b.P95MS/1000
		if b.Attempts == 0 {
			median[i], p95[i] = math.NaN(), math.NaN()
		}
	}
	for _, p := range []chart.Plot{
		{
			Title: "Outcomes",
			Bars:  []chart.Series{{Name: "delivered", Class: "good", Values: delivered}, {Name: "failed attempts", Class: "calm", Values: failed}, {Name: "dead letters", Class: "bad", Values: dead}},
		},
		{
			Title: "Rate: in each " + length(step),
			Bars:  []chart.Series{{Name: "attempts", Class: "busy", Values: attempts}},
			Lines: []chart.Series{{Name: "deliveries made", Class: "plain", Values: made}},
		},
		{
			Title: "Latency of attempts", Peaks: true, Format: chart.Seconds,
			Lines: []chart.Series{{Name: "median, at most", Class: "busy", Values: median}, {Name: "95th percentile, at most", Class: "calm", Values: p95}},
		},
	} {
		p.From, p.Step = a.From, step
		drawn, err := chart.Draw(p)
		if err != nil {
			return nil, nil, fmt.Errorf("draw %s: %w", p.Title, err)
		}
		plots = append(plots, drawn)
	}
	return plots, a.KnownSince, nil
}
