package main

import "fmt"

// goals are those of the tables, by engine.
type goals map[string]string

// both is a goal that is the same on either engine.
func both(goal string) goals { return goals{sqlite: goal, postgres: goal} }

func (f *figures) table() table {
	t := table{
		head: []string{"", "measured", "goal"},
		note: "Ratios are of runs that followed each other. CPU of the sketch and of the old build is that of all their processes, database included.",
	}
	row := func(measure, value string, goal goals) { t.add(measure, value, goal[f.Engine]) }
	f.speed(row)
	f.cpu(row)
	f.latencies(row)
	f.memory(row)
	for _, name := range keys(f.Many) {
		m := f.Many[name]
		suffix := ""
		if name != hookarr {
			suffix = ", " + name
		}
		row(fmt.Sprintf("%d targets, start to ready, s%s", f.Targets, suffix), fmt.Sprintf("%.2f", m.Startup), both("2"))
		row(fmt.Sprintf("%d targets, idle, CPU %% of core + database%s", f.Targets, suffix),
			fmt.Sprintf("%.1f + %.1f", m.CPU[core], m.CPU[postgres]), both("< 3"))
	}
	return t
}

// adder adds a row.
type adder func(measure, value string, goal goals)

func (f *figures) speed(row adder) {
	rate := func(r fullRun) float64 { return r.EventsPerSecond }
	ours := figuresOf(f.Runs[hookarr], rate)
	row("events/s, POST to endpoint", median("%.0f", ours), nil)
	row("acks/s", median("%.0f", figuresOf(f.Runs[hookarr], func(r fullRun) float64 { return r.AcksPerSecond })), nil)
	row("refused / lost / duplicate", anomalies(f.Runs[hookarr]), both("0 / 0 / 0"))
	row("events/s, the bare sketch", median("%.0f", figuresOf(f.Runs[bare], rate)), nil)
	row("jobs/s, River alone", median("%.0f", f.River), nil)
	if runs, ok := f.Runs[oldBuild]; ok {
		row("events/s, the old build", median("%.0f", figuresOf(runs, rate)), nil)
		row("ratio to the old build", median("%.2f", ratios(ours, figuresOf(runs, rate))), nil)
	}
	row("ratio to the bare sketch", median("%.2f", ratios(ours, figuresOf(f.Runs[bare], rate))), goals{sqlite: ">= 1.3", postgres: ">= 0.95"})
	row("ratio to River alone", median("%.2f", ratios(ours, f.River)), goals{sqlite: ">= 1.6", postgres: ">= 0.9"})
}

func (f *figures) cpu(row adder) {
	of := func(name string) func(fullRun) float64 { return func(r fullRun) float64 { return r.CPU[name] } }
	for _, name := range keys(f.Runs[hookarr][0].CPU) {
		row("CPU-s per 1,000 events, "+name, median("%.2f", figuresOf(f.Runs[hookarr], of(name))), nil)
	}
	row("CPU-s per 1,000 events, the bare sketch", median("%.2f", figuresOf(f.Runs[bare], of(total))), nil)
	ours := figuresOf(f.Runs[hookarr], of(total))
	if runs, ok := f.Runs[oldBuild]; ok {
		theirs := figuresOf(runs, of(total))
		row("CPU-s per 1,000 events, the old build", median("%.2f", theirs), nil)
		row("CPU, ratio to the old build", median("%.2f", ratios(ours, theirs)), goals{sqlite: "<= 0.75", postgres: "<= 0.6"})
	}
	row("CPU, ratio to the bare sketch", median("%.2f", ratios(ours, figuresOf(f.Runs[bare], of(total)))), nil)
}

func (f *figures) latencies(row adder) {
	const pair = "%.1f / %.1f"
	at := fmt.Sprintf("at %d/s, p50 / p99", openRate)
	row("ack "+at+" ms", fmt.Sprintf(pair, f.Empty.AckP50, f.Empty.AckP99), nil)
	row("POST to endpoint "+at+" ms", fmt.Sprintf(pair, f.Empty.ArriveP50, f.Empty.ArriveP99), goals{sqlite: "4 / 8", postgres: "5 / 10"})
	row(fmt.Sprintf("the same, %d events stored", f.Events), fmt.Sprintf(pair, f.Stored.ArriveP50, f.Stored.ArriveP99), nil)
	row("ratio, p50 / p99", fmt.Sprintf("%.2f / %.2f", f.Stored.ArriveP50/f.Empty.ArriveP50, f.Stored.ArriveP99/f.Empty.ArriveP99), both("<= 1.2"))
}

func (f *figures) memory(row adder) {
	for _, name := range keys(f.Idle) {
		goal, peak := "15", "-"
		if name == core {
			goal = "60"
		}
		if f.Peak[name] != 0 {
			peak = fmt.Sprintf("%.1f", f.Peak[name])
		}
		row("PSS idle / peak MiB, "+name, fmt.Sprintf("%.1f / %s", f.Idle[name], peak), both(goal))
	}
	row("start to ready, every plugin, s", fmt.Sprintf("%.2f", f.Startup), nil)
}

// figuresOf takes a figure of each run.
func figuresOf[R any](runs []R, figure func(R) float64) []float64 {
	all := make([]float64, len(runs))
	for i, run := range runs {
		all[i] = figure(run)
	}
	return all
}

// anomalies adds up what went wrong in all runs.
func anomalies(runs []fullRun) string {
	var sum fullRun
	for _, run := range runs {
		sum.Refused += run.Refused
		sum.Lost += run.Lost
		sum.Duplicates += run.Duplicates
	}
	return fmt.Sprintf("%d / %d / %d", sum.Refused, sum.Lost, sum.Duplicates)
}
