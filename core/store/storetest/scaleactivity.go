package storetest

import (
	"context"
	"time"

	"github.com/hookarr/hookarr/core/store"
)

// activity is what pages ask for once a second. The last deliveries are three days old.
func (s Seeded) activity() []Statement {
	const limit = 500
	last := s.Start.Add(SeededDeliveries * SeededStep)
	hour := store.Buckets{From: last.Add(-time.Hour), Step: time.Minute, N: 60}
	sum := func(counts ...[]int) (n int) {
		for _, list := range counts {
			for _, c := range list {
				n += c
			}
		}
		return n
	}
	return []Statement{
		{"CountReceived", func(ctx context.Context, e store.Engine) (int, error) {
			counts, err := e.CountReceived(ctx, hour)
			return hour.N + sum(counts), err
		}},
		{"CountOutcomes", func(ctx context.Context, e store.Engine) (int, error) {
			delivered, dead, err := e.CountOutcomes(ctx, hour)
			return sum(delivered, dead), err
		}},
		{"CountFailures", func(ctx context.Context, e store.Engine) (int, error) {
			counts, err := e.CountFailures(ctx, store.Buckets{From: last.Add(-48 * time.Hour), Step: time.Hour, N: 48})
			return sum(counts), err
		}},
		{"LastOutcomes", s.outcomes("ops", last.Add(-time.Hour), limit)},
		{"LastOutcomes of many", s.outcomes("ops", s.Start, limit)},
		{"LastOutcomes of few", s.outcomes("rare", s.Start, limit)},
		{"LastTries", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.LastTries(ctx, "broken", s.Start, limit)
			return 2 * len(list), err // each with its delivery
		}},
		{"LastTries of none yet", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.LastTries(ctx, "broken", last.Add(time.Hour), limit)
			return len(list), err
		}},
		{"OldestPending", func(ctx context.Context, e store.Engine) (int, error) {
			list, _, err := e.OldestPending(ctx)
			return 100 * len(list), err
		}},
		{"ChangedDeliveries", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.ChangedDeliveries(ctx, last.Add(-10*time.Minute), limit)
			return len(list), err
		}},
		{"ChangedDeliveries, many", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.ChangedDeliveries(ctx, s.Start, limit)
			return len(list), err
		}},
		{"ChangedDeliveries, none", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.ChangedDeliveries(ctx, last.Add(time.Hour), limit)
			return len(list), err
		}},
		{"SourceMarks", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.SourceMarks(ctx, last)
			return len(list), err
		}},
	}
}

func (Seeded) outcomes(target string, since time.Time, limit int) func(ctx context.Context, e store.Engine) (int, error) {
	return func(ctx context.Context, e store.Engine) (int, error) {
		list, err := e.LastOutcomes(ctx, target, since, limit)
		return len(list), err
	}
}
