package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// deskRate is the events per second that flow while pages are open.
	deskRate = 100
	// refetch is how often a page fetches its part anew at most.
	refetch = time.Second
	// deepPage is a page far from the beginning of a list, and asks how often each list is
	// asked for.
	deepPage = 1000
	asks     = 20
)

// deskFinding is what the operators' desk costs.
type deskFinding struct {
	Watched []deskRun `json:"watched"`
	// Lists are asked for in a database of Events events.
	Events int        `json:"events_stored"`
	Lists  []deskList `json:"lists"`
}

// deskRun is a steady load while some pages are open.
type deskRun struct {
	Watchers  int                `json:"watchers"`
	CPU       map[string]float64 `json:"cpu_percent"`
	Latencies latencies          `json:"latencies"`
	Anomalies fullRun            `json:"run"`
	// Told counts the messages of all streams; there is none where pages ask by themselves.
	Told    int64     `json:"messages"`
	Streams bool      `json:"streams"`
	Fetched deskTimes `json:"fetched"`
	// Memory is the PSS of core in MiB at the end.
	Memory float64 `json:"core_mib"`
}

// deskList is a list, or another thing that pages ask for.
type deskList struct {
	Name  string    `json:"name"`
	Times deskTimes `json:"times"`
	// CPU is of core and of Postgres for one, in milliseconds: on a machine that does other
	// things too it says more than the time.
	CPU map[string]float64 `json:"cpu_ms"`
}

// deskTimes are in milliseconds.
type deskTimes struct {
	N      int     `json:"n"`
	Median float64 `json:"median_ms"`
	P99    float64 `json:"p99_ms"`
	Most   float64 `json:"most_ms"`
}

func (t deskTimes) String() string { return fmt.Sprintf("%.1f / %.1f / %.1f", t.Median, t.P99, t.Most) }

func (f deskFinding) table() table {
	t := table{
		head: []string{fmt.Sprintf("%d events a second", deskRate), "CPU of core %", "of Postgres %", "ack p50 / p99 ms", "POST to endpoint p50 / p99 ms", "parts fetched: n", "p50 / p99 / most ms", "messages", "core MiB", "refused / lost / duplicate"},
	}
	for _, r := range f.Watched {
		l, messages := r.Latencies, strconv.FormatInt(r.Told, 10)
		if r.Watchers > 0 && !r.Streams {
			messages = "no stream: asked each second"
		}
		t.add(fmt.Sprintf("%d pages open", r.Watchers), fmt.Sprintf("%.1f", r.CPU[core]), fmt.Sprintf("%.1f", r.CPU[postgres]),
			fmt.Sprintf("%.1f / %.1f", l.AckP50, l.AckP99), fmt.Sprintf("%.1f / %.1f", l.ArriveP50, l.ArriveP99),
			strconv.Itoa(r.Fetched.N), r.Fetched.String(), messages, fmt.Sprintf("%.1f", r.Memory), anomalies([]fullRun{r.Anomalies}))
	}
	t.add("")
	t.add(fmt.Sprintf("%d events stored", f.Events), "n", "p50 / p99 / most ms", "CPU of core + Postgres ms")
	for _, list := range f.Lists {
		t.add(list.Name, strconv.Itoa(list.Times.N), list.Times.String(), fmt.Sprintf("%.1f + %.1f", list.CPU[core], list.CPU[postgres]))
	}
	return t
}

func measureDesk(ctx context.Context, l *lab) (finding, error) {
	f := deskFinding{Events: l.stored}
	if err := l.watched(ctx, &f); err != nil {
		return nil, err
	}
	return f, l.lists(ctx, &f)
}

// watched sends with no page open, and then with some.
func (l *lab) watched(ctx context.Context, f *deskFinding) error {
	s, err := l.fresh(ctx, l.bin)
	if err != nil {
		return err
	}
	s.desk = true
	return with(ctx, startHookarr, s, func(srv *server) error {
		load := l.load(srv)
		if _, err := load.steadyFor(ctx, deskRate, 5*time.Second); err != nil {
			return err
		}
		for _, n := range []int{0, l.watchers} {
			l.progress("%d events a second for %s, %d pages open", deskRate, l.watch, n)
			run := deskRun{Watchers: n}
			pages := openPages(ctx, srv.desk, l.options, n)
			used, begun := l.watchCPU(srv), time.Now()
			events, err := load.steadyFor(ctx, deskRate, l.watch)
			run.CPU = used()
			for name := range run.CPU {
				run.CPU[name] *= 100 / time.Since(begun).Seconds()
			}
			run.Memory = memory(srv.processes())[core]
			if err := errors.Join(err, pages.close(&run)); err != nil {
				return err
			}
			run.Latencies, run.Anomalies = summarizeLatencies(events), summarize(events)
			f.Watched = append(f.Watched, run)
		}
		return nil
	})
}

// pages are open in browsers, each with its own connections.
type pages struct {
	options
	base string
	stop context.CancelFunc
	all  sync.WaitGroup
	told atomic.Int64

	mu      sync.Mutex
	streams bool
	times   []float64
	err     error
}

func openPages(ctx context.Context, base string, o options, n int) *pages {
	ctx, stop := context.WithCancel(ctx)
	p := &pages{options: o, base: base, stop: stop}
	for i := range n {
		parts := []string{o.page}
		if i%5 == 4 {
			parts = strings.Split(o.now, ",")
		}
		p.all.Go(func() { p.page(ctx, parts) })
	}
	return p
}

// page follows the stream and fetches its parts when it is told of something, or again and
// again without a stream.
func (p *pages) page(ctx context.Context, parts []string) {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	changed := make(chan struct{}, 1)
	var stream sync.WaitGroup
	stream.Go(func() { p.note(ctx, nil, p.follow(ctx, client, changed)) })
	defer stream.Wait()
	for ctx.Err() == nil {
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
		for _, part := range parts {
			begun := time.Now()
			_, err := ask(ctx, client, p.base+part)
			p.note(ctx, []float64{time.Since(begun).Seconds() * 1000}, err)
		}
		_ = pause(ctx, refetch)
	}
}

// follow tells of what a stream says until ctx ends.
func (p *pages) follow(ctx context.Context, client *http.Client, changed chan<- struct{}) error {
	tell := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	resp, err := request(ctx, client, p.base+p.stream)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.Header.Get("Content-Type") != "text/event-stream" {
		for ctx.Err() == nil {
			tell()
			_ = pause(ctx, refetch)
		}
		return nil
	}
	p.mu.Lock()
	p.streams = true
	p.mu.Unlock()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "event: ") {
			p.told.Add(1)
			tell()
		}
	}
	return nil
}

func (p *pages) note(ctx context.Context, times []float64, err error) {
	if ctx.Err() != nil {
		return // it was interrupted
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.times, p.err = append(p.times, times...), errors.Join(p.err, err)
}

func (p *pages) close(run *deskRun) error {
	p.stop()
	p.all.Wait()
	run.Told, run.Streams, run.Fetched = p.told.Load(), p.streams, timesOf(p.times)
	return p.err
}

func timesOf(milliseconds []float64) deskTimes {
	sorted := slices.Sorted(slices.Values(milliseconds))
	return deskTimes{N: len(sorted), Median: quantile(sorted, 0.5), P99: quantile(sorted, 0.99), Most: quantile(sorted, 1)}
}

func request(ctx context.Context, client *http.Client, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Api-Key", deskToken)
	req.Header.Set("HX-Request", "true")
	return client.Do(req)
}

// ask reads an answer to its end.
func ask(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	resp, err := request(ctx, client, address)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // read to its end
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %.200s", address, resp.Status, text)
	}
	return text, err
}

// lists asks for lists in a full database.
func (l *lab) lists(ctx context.Context, f *deskFinding) error {
	s, err := l.seeded(ctx, l.bin, seeding{events: l.stored, oldest: 29 * 24 * time.Hour, newest: time.Minute, dead: keptByDead})
	if err != nil {
		return err
	}
	s.desk = true
	return with(ctx, startHookarr, s, func(srv *server) error {
		client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
		l.progress("asking for lists of %d events", l.stored)
		add := func(name string, times []float64, used map[string]float64) {
			for process := range used {
				used[process] *= 1000 / float64(len(times))
			}
			f.Lists = append(f.Lists, deskList{name, timesOf(times), used})
		}
		used := l.watchCPU(srv)
		times, deep, err := walk(ctx, client, srv.desk+"/api/v1/events?limit=50", deepPage)
		if err != nil {
			return err
		}
		add(fmt.Sprintf("each of the first %d pages", len(times)), times, used())
		week := url.QueryEscape(time.Now().Add(-7 * 24 * time.Hour).UTC().Format(time.RFC3339))
		for _, list := range []struct{ name, path string }{
			{"the first page", "events?limit=50"},
			{fmt.Sprintf("page %d", deepPage), "events?limit=50&cursor=" + deep},
			{"the oldest page", "events?limit=50&oldest=true"},
			{"of a source", "events?source=radarr"},
			{"of a type", "events?type=media.imported"},
			{"of a state", "events?state=routed"},
			{"of a source, a type and a state", "events?source=radarr&type=media.imported&state=routed"},
			{"of a state that no event has", "events?state=undecodable"},
			{"until a week ago", "events?until=" + week},
			{"with a text that no event has (5,000 looked at)", "events?q=nowhere"},
			{"with a text, of a source (5,000 looked at)", "events?q=nowhere&source=radarr"},
			{"deliveries", "deliveries"},
			{"deliveries to a target", "deliveries?target=" + targetName},
			{"dead letters", "deliveries?state=dead"},
			{"dead letters of a source and type", "deliveries?state=dead&source=radarr&type=media.imported"},
			{"targets", "targets"},
			{"sources", "sources"},
			{"overview", "overview"},
			{"activity of an hour", "activity"},
			{"activity of a target over a day", "activity?over=24h&buckets=48&target=" + targetName},
			{"activity of a target over a week (5,000 read)", "activity?over=7d&buckets=56&target=" + targetName},
		} {
			used, times := l.watchCPU(srv), []float64{}
			for range asks {
				begun := time.Now()
				if _, err := ask(ctx, client, srv.desk+"/api/v1/"+list.path); err != nil {
					return err
				}
				times = append(times, time.Since(begun).Seconds()*1000)
			}
			add(list.name, times, used())
		}
		return nil
	})
}

// walk reads pages of a list by their cursors, and returns how long each took, and the last
// cursor.
func walk(ctx context.Context, client *http.Client, address string, pages int) (times []float64, cursor string, err error) {
	for len(times) < pages {
		page := address
		if cursor != "" {
			page += "&cursor=" + cursor
		}
		begun := time.Now()
		text, err := ask(ctx, client, page)
		if err != nil {
			return nil, "", err
		}
		times = append(times, time.Since(begun).Seconds()*1000)
		var answer struct {
			Next string `json:"next"`
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			return nil, "", fmt.Errorf("read a list: %w", err)
		}
		if answer.Next == "" {
			break
		}
		cursor = answer.Next
	}
	return times, cursor, nil
}
