package main

import (
	"slices"
	"time"
)

// fullRun is a run at full speed.
type fullRun struct {
	// EventsPerSecond counts from the first POST to the last arrival.
	EventsPerSecond float64 `json:"events_per_second"`
	// AcksPerSecond counts from the first POST to the last answer.
	AcksPerSecond float64 `json:"acks_per_second"`
	Refused       int     `json:"refused"`
	Lost          int     `json:"lost"`
	Duplicates    int     `json:"duplicates"`
	// CPU is in seconds per 1,000 events, by process.
	CPU map[string]float64 `json:"cpu_seconds_per_1000"`
}

func summarize(events []entry) fullRun {
	var run fullRun
	first, lastAck, lastArrival := events[0].sent.Load(), int64(0), int64(0)
	acked, arrived := 0, 0
	for i := range events {
		e := &events[i]
		first = min(first, e.sent.Load())
		if e.acked.Load() == 0 {
			run.Refused++
			continue
		}
		acked++
		lastAck = max(lastAck, e.acked.Load())
		lastArrival = max(lastArrival, e.arrived.Load())
		switch times := int(e.arrivals.Load()); times {
		case 0:
			run.Lost++
		default:
			arrived++
			run.Duplicates += times - 1
		}
	}
	run.AcksPerSecond = float64(acked) / time.Duration(lastAck-first).Seconds()
	run.EventsPerSecond = float64(arrived) / time.Duration(lastArrival-first).Seconds()
	return run
}

// latencies are in milliseconds, from the POST on.
type latencies struct {
	AckP50    float64 `json:"ack_p50_ms"`
	AckP99    float64 `json:"ack_p99_ms"`
	ArriveP50 float64 `json:"arrive_p50_ms"`
	ArriveP99 float64 `json:"arrive_p99_ms"`
}

func summarizeLatencies(runs ...[]entry) latencies {
	var acks, arrivals []float64
	for _, events := range runs {
		for i := range events {
			e := &events[i]
			if at := e.acked.Load(); at != 0 {
				acks = append(acks, float64(at-e.sent.Load())/1e6)
			}
			if at := e.arrived.Load(); at != 0 {
				arrivals = append(arrivals, float64(at-e.sent.Load())/1e6)
			}
		}
	}
	slices.Sort(acks)
	slices.Sort(arrivals)
	return latencies{
		AckP50: quantile(acks, 0.5), AckP99: quantile(acks, 0.99),
		ArriveP50: quantile(arrivals, 0.5), ArriveP99: quantile(arrivals, 0.99),
	}
}

// quantile returns a value of a sorted list, 0 of an empty one.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))]
}
