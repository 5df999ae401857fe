package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookarr/hookarr/sdk/signature"
)

const (
	// bodySize is in bytes; Radarr's imports have about as many.
	bodySize = 2048
	// patience is how long nothing may arrive before what is missing counts as lost.
	patience = 30 * time.Second
	// settling is how long after the last arrival the server may finish its rows.
	settling = time.Second
)

// load sends events, each with the next number of the book.
type load struct {
	url     string
	book    *book
	senders int
	client  *http.Client
	next    int
}

func newLoad(server string, b *book, senders int) *load {
	return &load{
		url: server + "/hooks/radarr", book: b, senders: senders,
		client: &http.Client{
			Timeout:   30 * time.Second,
			Transport: &http.Transport{MaxIdleConnsPerHost: senders, MaxConnsPerHost: 0, DisableCompression: true},
		},
	}
}

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

// fullSpeed sends n events, each sender the next one when the last is answered, and
// waits until they have arrived.
func (l *load) fullSpeed(ctx context.Context, n int) (fullRun, error) {
	from := l.next
	l.next += n
	var taken atomic.Int64
	var senders sync.WaitGroup
	var failed atomic.Pointer[error]
	for range l.senders {
		senders.Go(func() {
			signer, err := signature.New(signature.GitHub(), sourceSecret)
			for ctx.Err() == nil && err == nil {
				i := int(taken.Add(1)) - 1
				if i >= n {
					return
				}
				err = l.post(ctx, signer, from+i)
			}
			if err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
	}
	senders.Wait()
	if err := failed.Load(); err != nil {
		return fullRun{}, *err
	}
	events := l.book.events[from:l.next]
	if err := awaitArrivals(ctx, events); err != nil {
		return fullRun{}, err
	}
	if forged := l.book.forged.Load(); forged > 0 {
		return fullRun{}, fmt.Errorf("%d deliveries had a wrong signature", forged)
	}
	return summarize(events), nil
}

// open sends openRate events a second whatever the answers do, for so long.
func (l *load) open(ctx context.Context, d time.Duration) (latencies, error) {
	from := l.next
	var under sync.WaitGroup
	var failed atomic.Pointer[error]
	signer, err := signature.New(signature.GitHub(), sourceSecret)
	if err != nil {
		return latencies{}, err
	}
	tick := time.NewTicker(time.Second / openRate)
	defer tick.Stop()
	for range int(d.Seconds() * openRate) {
		n := l.next
		l.next++
		under.Go(func() {
			if err := l.post(ctx, signer, n); err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	under.Wait()
	if err := failed.Load(); err != nil {
		return latencies{}, *err
	}
	events := l.book.events[from:l.next]
	if err := awaitArrivals(ctx, events); err != nil {
		return latencies{}, err
	}
	return summarizeLatencies(events), nil
}

// post sends one event and waits for the answer. A refusal is an answer: the event is
// not acknowledged.
func (l *load) post(ctx context.Context, signer *signature.Signer, n int) error {
	body := importBody(n)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if err := signer.Sign(req.Header, "", time.Now(), body); err != nil {
		return err
	}
	e := &l.book.events[n]
	e.sent.Store(l.book.now())
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close() // read to its end
	if err == nil && resp.StatusCode == http.StatusAccepted {
		e.acked.Store(l.book.now())
	}
	return err
}

// awaitArrivals waits until every acknowledged event has arrived or nothing has come
// for long.
func awaitArrivals(ctx context.Context, events []entry) error {
	missing, since := -1, time.Now()
	for {
		left := 0
		for i := range events {
			if events[i].acked.Load() != 0 && events[i].arrived.Load() == 0 {
				left++
			}
		}
		if left != missing {
			missing, since = left, time.Now()
		}
		if missing == 0 || time.Since(since) > patience {
			return pause(ctx, settling)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
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

func summarizeLatencies(events []entry) latencies {
	var acks, arrivals []float64
	for i := range events {
		e := &events[i]
		if at := e.acked.Load(); at != 0 {
			acks = append(acks, float64(at-e.sent.Load())/1e6)
		}
		if at := e.arrived.Load(); at != 0 {
			arrivals = append(arrivals, float64(at-e.sent.Load())/1e6)
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

// importBody is a Radarr import of bodySize bytes that no other number has.
func importBody(n int) []byte {
	head := fmt.Appendf(make([]byte, 0, bodySize), `{"eventType":"Download","instanceName":"Radarr","applicationUrl":"http://radarr.example","isUpgrade":false,`+
		`"movie":{"id":%[1]d,"title":"`+titlePrefix+`%0[2]*[1]d","year":2024,"releaseDate":"2024-02-27","folderPath":"/movies/%[1]d","tmdbId":%[1]d,"imdbId":"tt%[1]d",`+
		`"genres":["Science Fiction","Adventure"],"tags":["4k"]},`+
		`"remoteMovie":{"tmdbId":%[1]d,"imdbId":"tt%[1]d","title":"A film","year":2024},`+
		`"movieFile":{"id":%[1]d,"relativePath":"film.mkv","path":"/movies/%[1]d/film.mkv","quality":"Bluray-2160p","qualityVersion":1,`+
		`"releaseGroup":"GROUP","sceneName":"A.Film.%[1]d.2160p.BluRay-GROUP","size":31245789123,"dateAdded":"2026-11-23T10:00:00Z",`+
		`"mediaInfo":{"audioChannels":7.1,"audioCodec":"TrueHD","audioLanguages":["eng"],"height":2160,"width":3840,"subtitles":["eng","deu"],"videoCodec":"x265","videoDynamicRangeType":"DV"}},`+
		`"downloadClient":"qBittorrent","downloadClientType":"qBittorrent","downloadId":"BENCH%[1]d",`+
		`"customFormatInfo":{"customFormats":[{"id":1,"name":"DV"}],"customFormatScore":1500},`+
		`"release":{"releaseTitle":"A.Film.%[1]d.2160p.BluRay-GROUP","indexer":"Example","size":31245789123},"overview":"`, n, titleDigits)
	const tail = `"}`
	head = append(head, strings.Repeat("x", max(0, bodySize-len(head)-len(tail)))...)
	return append(head, tail...)
}
