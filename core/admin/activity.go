package admin

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hookarr/hookarr/core/store"
)

const (
	// usualSpan and usualBuckets are what activity is told of where nothing else is wanted,
	// and maxBuckets how many parts that may have.
	usualSpan    = time.Hour
	usualBuckets = 60
	maxBuckets   = 180
	// maxSpan bounds the time over all targets, where everything is counted, and
	// maxTargetSpan that of one target, of which maxSample rows are read.
	maxSpan       = 3 * time.Hour
	maxTargetSpan = 7 * 24 * time.Hour
	maxSample     = 5000
)

// ActivityOf selects activity. The zero value is the last hour by the minute, over all
// targets.
type ActivityOf struct {
	// Target is empty for all.
	Target string
	// Over is the time that ends now, and Buckets into how many parts it is divided.
	Over    time.Duration
	Buckets int
}

// Activity is what happened in each part of a time, as JSON.
type Activity struct {
	Target string    `json:"target,omitempty" doc:"Absent for all."`
	From   time.Time `json:"from" doc:"When the first bucket begins."`
	Until  time.Time `json:"until" doc:"When the last bucket ends, which is under way."`
	Step   float64   `json:"bucket_seconds" doc:"The length of a bucket."`
	// KnownSince is there where not everything was read: what is before is not known.
	KnownSince *time.Time `json:"known_since,omitempty" doc:"Of a target, 5,000 deliveries, outcomes and attempts are read; where there are more, what was before this is not known and told as zero."`
	Buckets    []Bucket   `json:"buckets" nullable:"false" doc:"Oldest first."`
}

// Bucket is what happened in a part of the time.
type Bucket struct {
	At        time.Time `json:"at" doc:"When it begins."`
	Accepted  int       `json:"accepted" doc:"Events that were received; of a target, deliveries that were made."`
	Delivered int       `json:"delivered" doc:"Deliveries that were delivered."`
	Failed    int       `json:"failed" doc:"Attempts that failed, or that the endpoint put off."`
	Dead      int       `json:"dead" doc:"Deliveries that became dead letters, and still are."`
	// The following are of one target.
	Attempts int     `json:"attempts,omitempty" doc:"Attempts, of one target."`
	MedianMS float64 `json:"median_ms,omitempty" doc:"Half of the attempts took no longer, of one target."`
	P95MS    float64 `json:"p95_ms,omitempty" doc:"95 of 100 attempts took no longer, of one target."`
}

// Activity returns what happened in the last time.
func (s *Service) Activity(ctx context.Context, of ActivityOf) (Activity, error) {
	b, err := of.buckets(time.Now())
	if err != nil {
		return Activity{}, err
	}
	v := Activity{Target: of.Target, From: b.From, Until: b.At(b.N), Step: b.Step.Seconds(), Buckets: make([]Bucket, b.N)}
	var rows []store.Activity
	if of.Target == "" {
		rows, err = s.minutes.count(ctx, s.Store, b)
	} else {
		var since time.Time
		if rows, since, err = s.targetActivity(ctx, of.Target, b); since.After(b.From) {
			v.KnownSince = &since
		}
	}
	if err != nil {
		return Activity{}, err
	}
	for i, row := range rows {
		v.Buckets[i] = Bucket{
			At: b.At(i), Accepted: row.Accepted, Delivered: row.Delivered, Failed: row.Failed, Dead: row.Dead, Attempts: row.Attempts,
			MedianMS: milliseconds(row.Median), P95MS: milliseconds(row.P95),
		}
	}
	return v, nil
}

func (s *Service) targetActivity(ctx context.Context, target string, b store.Buckets) ([]store.Activity, time.Time, error) {
	if _, configured := s.Settings.Config().Targets[target]; !configured {
		if _, err := s.FindTarget(ctx, target); err != nil {
			return nil, time.Time{}, err
		}
	}
	rows, since, err := s.Store.TargetActivity(ctx, target, b, maxSample)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read what happened to target %s: %w", target, err)
	}
	return rows, since, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// buckets end with the one that is under way.
func (of ActivityOf) buckets(now time.Time) (b store.Buckets, err error) {
	over, most := of.Over, maxSpan
	if of.Target != "" {
		most = maxTargetSpan
	}
	if b.N = of.Buckets; b.N == 0 {
		b.N = usualBuckets
	}
	if over == 0 {
		over = usualSpan
	}
	if b.N < 1 || b.N > maxBuckets {
		return b, invalid("buckets: want 1 to %d", maxBuckets)
	}
	if b.Step = over / time.Duration(b.N); b.Step < time.Second || over > most {
		return b, invalid("over: want at least a second for each bucket, and at most 3h over all targets or 7d of one")
	}
	b.Step = b.Step.Truncate(time.Second)
	b.From = now.UTC().Truncate(b.Step).Add(-time.Duration(b.N-1) * b.Step)
	return b, nil
}

// settled is how long after its end the counts of a minute change no more: a transaction
// that takes longer is undone.
const settled = time.Minute

// minutes keeps the counts of minutes that are over, so that pages which ask once a second
// have no more than the last ones counted. What becomes of a dead letter later does not
// change the minute in which it became one. The zero value is ready.
type minutes struct {
	mu    sync.Mutex
	known map[int64]store.Activity
}

// count returns the activity over all targets.
func (m *minutes) count(ctx context.Context, from Store, b store.Buckets) ([]store.Activity, error) {
	if b.Step != time.Minute {
		return from.CountActivity(ctx, b)
	}
	// Who comes while another counts takes what that found.
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]store.Activity, b.N)
	first := 0
	for ; first < b.N; first++ {
		row, ok := m.known[b.At(first).Unix()]
		if !ok {
			break
		}
		all[first] = row
	}
	if first == b.N {
		return all, nil
	}
	now := time.Now()
	rows, err := from.CountActivity(ctx, store.Buckets{From: b.At(first), Step: b.Step, N: b.N - first})
	if err != nil {
		return nil, err
	}
	copy(all[first:], rows)
	if m.known == nil {
		m.known = map[int64]store.Activity{}
	}
	for i, row := range all {
		if now.Sub(b.At(i+1)) > settled {
			m.known[b.At(i).Unix()] = row
		}
	}
	for at := range m.known {
		if now.Sub(time.Unix(at, 0)) > 2*maxSpan {
			delete(m.known, at)
		}
	}
	return all, nil
}
