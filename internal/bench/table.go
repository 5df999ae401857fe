package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// result is what was measured on one database.
type result struct {
	Database string `json:"database"`
	// FirstStart and SecondStart are in seconds, with every plugin.
	FirstStart  float64   `json:"first_start_seconds"`
	SecondStart float64   `json:"second_start_seconds"`
	Runs        []fullRun `json:"full_speed"`
	Open        latencies `json:"open"`
	// Idle and Peak are the PSS in MiB, by process: Idle with every plugin.
	Idle map[string]float64 `json:"idle_mib"`
	Peak map[string]float64 `json:"peak_mib"`
	// River is the jobs per second of River alone.
	River float64 `json:"river_jobs_per_second"`
}

// row is one line of the table.
type row struct {
	measure string
	value   func(*result) string
	// goals by database, where there are any.
	goals map[string]string
}

// both is a goal that is the same on either database.
func both(goal string) map[string]string {
	return map[string]string{"sqlite": goal, "postgres": goal}
}

func rows(r report) []row {
	all := []row{
		{
			"events/s, POST to endpoint",
			spread("%.0f", func(f fullRun) float64 { return f.EventsPerSecond }),
			map[string]string{"sqlite": "1400", "postgres": "3000"},
		},
		{"acks/s", spread("%.0f", func(f fullRun) float64 { return f.AcksPerSecond }), nil},
		{"River alone, jobs/s", func(r *result) string { return fmt.Sprintf("%.0f", r.River) }, nil},
		{"refused / lost / duplicate", anomalies, both("0 / 0 / 0")},
		{
			"ack at 20/s, p50 / p99 ms",
			func(r *result) string { return fmt.Sprintf("%.1f / %.1f", r.Open.AckP50, r.Open.AckP99) },
			map[string]string{"sqlite": "2 / 8", "postgres": "2 / 6"},
		},
		{
			"POST to endpoint at 20/s, p50 / p99 ms",
			func(r *result) string { return fmt.Sprintf("%.1f / %.1f", r.Open.ArriveP50, r.Open.ArriveP99) },
			map[string]string{"sqlite": "8 / 20", "postgres": "5 / 10"},
		},
		{
			"start to ready, every plugin, new database / again, s",
			func(r *result) string { return fmt.Sprintf("%.2f / %.2f", r.FirstStart, r.SecondStart) },
			both("1"),
		},
	}
	for _, name := range r.processes(func(r *result) map[string]float64 { return r.Runs[0].CPU }) {
		all = append(all, row{
			"CPU-s per 1,000 events, " + name,
			spread("%.2f", func(f fullRun) float64 { return f.CPU[name] }), nil,
		})
	}
	for _, name := range r.processes(func(r *result) map[string]float64 { return r.Idle }) {
		goal := "15"
		if name == "core" {
			goal = "60"
		}
		all = append(all, row{"PSS idle / peak MiB, " + name, func(r *result) string {
			if r.Peak[name] == 0 {
				return fmt.Sprintf("%.1f / -", r.Idle[name])
			}
			return fmt.Sprintf("%.1f / %.1f", r.Idle[name], r.Peak[name])
		}, both(goal)})
	}
	return all
}

// processes are the names that figures were taken of on any database.
func (r report) processes(figures func(*result) map[string]float64) []string {
	names := map[string]bool{}
	for _, measured := range r.Databases {
		for name := range figures(measured) {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// print writes the table with a column for each database and its goals.
func (r report) print(out io.Writer, databases []string) error {
	var b strings.Builder
	m := r.Machine
	fmt.Fprintf(&b, "%d x %s, Linux %s, %s, %s, load average before %s\n", m.Cores, m.Processor, m.Kernel, m.Go, m.FileSystem, m.Load)
	for _, name := range databases {
		fmt.Fprintf(&b, "%s: %s\n", name, r.Databases[name].Database)
	}
	b.WriteString("Load, server, plugins, database and endpoint share the machine. Runs at full speed: median (least to most).\n\n")
	for _, name := range databases {
		fmt.Fprintf(&b, "\t%s\tgoal", name)
	}
	b.WriteString("\n")
	for _, row := range rows(r) {
		b.WriteString(row.measure)
		for _, name := range databases {
			fmt.Fprintf(&b, "\t%s\t%s", row.value(r.Databases[name]), row.goals[name])
		}
		b.WriteString("\n")
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return w.Flush()
}

// spread shows a figure of all runs at full speed.
func spread(format string, figure func(fullRun) float64) func(*result) string {
	return func(r *result) string {
		values := make([]float64, 0, len(r.Runs))
		for _, run := range r.Runs {
			values = append(values, figure(run))
		}
		slices.Sort(values)
		if values[len(values)-1] == 0 {
			return "-"
		}
		return fmt.Sprintf(format+" ("+format+" to "+format+")", quantile(values, 0.5), values[0], values[len(values)-1])
	}
}

// anomalies adds up what went wrong in all runs at full speed.
func anomalies(r *result) string {
	var sum fullRun
	for _, run := range r.Runs {
		sum.Refused += run.Refused
		sum.Lost += run.Lost
		sum.Duplicates += run.Duplicates
	}
	return fmt.Sprintf("%d / %d / %d", sum.Refused, sum.Lost, sum.Duplicates)
}
