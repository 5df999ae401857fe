// Package metrics tells Prometheus what is not counted where it happens: what the database
// holds, and what the program was built from.
package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// readTimeout bounds what a scrape waits for the database.
	readTimeout = 2 * time.Second
	// countEvery is how long counts are told again: they cost as much as there is.
	countEvery = 15 * time.Second
)

// Store is what is read at a scrape. store.Store is one.
type Store interface {
	CountDeliveries(ctx context.Context) ([]store.DeliveryCount, error)
	OldestPending(ctx context.Context) ([]store.PendingSince, time.Time, error)
	ListTargets(ctx context.Context) ([]store.Target, time.Time, error)
	ListSilences(ctx context.Context, past time.Duration) ([]store.Silence, time.Time, error)
	LastSeen(ctx context.Context) ([]store.Seen, error)
	FindSnapshot(ctx context.Context, source string) (store.Snapshot, error)
}

// Database collects what the database holds: the rows are the truth, and several nodes
// share them. Scrapes at the same time share one reading, so that no number of them asks
// more of the database than one. Where that does not answer in time, a scrape tells this
// and nothing else.
type Database struct {
	Store Store
	// Names are those of the configuration that holds now.
	Names func() Names
	// Snapshots returns the sources that have one.
	Snapshots func() []string
	// Free returns the free space of the file system of the database, in bytes, where that is
	// known. It may be nil.
	Free func(context.Context) (float64, bool)
	// Open reports whether webhooks are taken, as far as the process itself goes.
	Open func() bool

	reading singleflight.Group
	// counted is when the last count was made. One reading at a time has it.
	counted time.Time
	last    count
}

// rows are what a reading has found. They do not change.
type rows struct {
	count

	at       time.Time
	oldest   []store.PendingSince
	targets  []store.Target
	silences int
}

// count is what costs more to read.
type count struct {
	deliveries []store.DeliveryCount
	seen       []store.Seen
	snapshots  []store.Snapshot
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	readyDesc      = desc("hookarr_ready", "1 while webhooks are taken, as /readyz says.")
	databaseDesc   = desc("hookarr_database_up", "1 if the database answered this scrape in time; otherwise what it holds is left out.")
	freeDesc       = desc("hookarr_database_free_bytes", "Free space on the file system of the SQLite database; left out for Postgres.")
	deliveriesDesc = desc("hookarr_deliveries", "Deliveries that are pending, verifying or dead.", "target", "state")
	oldestDesc     = desc("hookarr_oldest_pending_seconds", "Age of the target's oldest pending delivery; 0 where none is pending.", "target")
	heldDesc       = desc("hookarr_target_held", "1 for the kind of hold that the target is on, and 0 for all others.", "target", "kind")
	throttledDesc  = desc("hookarr_target_throttled", "1 while nothing is sent to the target before a time that its endpoint or its limits ask for.", "target")
	lastDesc       = desc("hookarr_source_last_event_timestamp_seconds", "When the last stored event of the source came, other than a test; 0 where none is stored.", "source")
	withheldDesc   = desc("hookarr_snapshot_withheld", "Titles and files whose deletion is not told, since too many are gone at once.", "source")
	snapshotDesc   = desc("hookarr_snapshot_last_success_timestamp_seconds", "When a snapshot was last read to its end; 0 where none was.", "source")
	silencesDesc   = desc("hookarr_silences_active", "Silences that are active.")
)

// Describe implements prometheus.Collector.
func (*Database) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		readyDesc, databaseDesc, freeDesc, deliveriesDesc, oldestDesc, heldDesc, throttledDesc, lastDesc,
		withheldDesc, snapshotDesc, silencesDesc,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector. What is configured is always told, so that an
// alert works before there was a reason for it. Deliveries are also told of targets that
// left the configuration: they are still owed.
func (d *Database) Collect(to chan<- prometheus.Metric) {
	tell := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	r := d.read()
	tell(databaseDesc, truth(r != nil))
	tell(readyDesc, truth(r != nil && d.Open()))
	d.tellFree(tell)
	if r == nil {
		return
	}
	names := d.Names()
	tell(silencesDesc, float64(r.silences))
	r.tellDeliveries(names.Targets, tell)
	r.tellTargets(names.Targets, tell)
	r.tellSources(names.Sources, tell)
}

func (d *Database) tellFree(tell tell) {
	if d.Free == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	if free, known := d.Free(ctx); known {
		tell(freeDesc, free)
	}
}

type tell func(desc *prometheus.Desc, value float64, labels ...string)

func (r *rows) tellDeliveries(targets []string, tell tell) {
	type place struct {
		target string
		state  event.DeliveryState
	}
	counts := map[place]int{}
	for _, name := range targets {
		for _, state := range []event.DeliveryState{event.Pending, event.Verifying, event.Dead} {
			counts[place{name, state}] = 0
		}
	}
	for _, n := range r.deliveries {
		counts[place{n.Target, n.State}] = n.Count
	}
	for at, n := range counts {
		tell(deliveriesDesc, float64(n), at.target, string(at.state))
	}
}

func (r *rows) tellTargets(targets []string, tell tell) {
	oldest, found := map[string]time.Duration{}, map[string]store.Target{}
	for _, p := range r.oldest {
		oldest[p.Target] = max(0, r.at.Sub(p.Since))
	}
	for _, t := range r.targets {
		found[t.Name] = t
	}
	for _, name := range targets {
		t := found[name]
		tell(oldestDesc, oldest[name].Seconds(), name)
		tell(throttledDesc, truth(t.NextAt.After(r.at)), name)
		for _, kind := range store.HoldKinds() {
			tell(heldDesc, truth(t.Hold == kind), name, string(kind))
		}
	}
}

func (r *rows) tellSources(sources []string, tell tell) {
	last := map[string]float64{}
	for _, s := range r.seen {
		if s.Type != sdk.TypeTest {
			last[s.Source] = max(last[s.Source], seconds(s.At))
		}
	}
	for _, name := range sources {
		tell(lastDesc, last[name], name)
	}
	for _, s := range r.snapshots {
		withheld := 0
		if s.Withheld != "" {
			withheld = s.TitlesGone + s.FilesGone
		}
		tell(withheldDesc, float64(withheld), s.Source)
		tell(snapshotDesc, seconds(s.EndedAt), s.Source)
	}
}

// seconds since 1970, or 0 for no time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// read returns nil where the database does not answer.
func (d *Database) read() *rows {
	late := time.NewTimer(readTimeout)
	defer late.Stop()
	// A reading that goes on beyond its time is the next scrape's, too.
	select {
	case result := <-d.reading.DoChan("", d.ask):
		r, _ := result.Val.(*rows)
		return r
	case <-late.C:
		return nil
	}
}

// ask reads as much as is there in time, or nothing.
func (d *Database) ask() (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	var r rows
	var err error
	if r.targets, r.at, err = d.Store.ListTargets(ctx); err != nil {
		return nil, err
	}
	if r.oldest, _, err = d.Store.OldestPending(ctx); err != nil {
		return nil, err
	}
	silences, _, err := d.Store.ListSilences(ctx, 0)
	if err != nil {
		return nil, err
	}
	r.silences = len(silences)
	if time.Since(d.counted) >= countEvery {
		last, err := d.count(ctx)
		if err != nil {
			return nil, err
		}
		d.counted, d.last = time.Now(), last
	}
	r.count = d.last
	return &r, nil
}

func (d *Database) count(ctx context.Context) (c count, err error) {
	if c.deliveries, err = d.Store.CountDeliveries(ctx); err != nil {
		return c, err
	}
	if c.seen, err = d.Store.LastSeen(ctx); err != nil {
		return c, err
	}
	for _, source := range d.Snapshots() {
		s, err := d.Store.FindSnapshot(ctx, source)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return c, err
		}
		s.Source = source
		c.snapshots = append(c.snapshots, s)
	}
	return c, nil
}
