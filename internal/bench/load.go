package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookarr/hookarr/sdk/signature"
)

const (
	// bodySize is in bytes; Radarr's imports have about as many.
	bodySize = 2048
	// waitTimeout is how long nothing may arrive before what is missing counts as lost.
	waitTimeout = 30 * time.Second
	// settling is how long after the last arrival the server may finish its rows.
	settling = time.Second
	// maxUnderWay bounds the POSTs of a steady load that wait for their answers.
	maxUnderWay = 4096
)

// load sends events, each with the next number of the book.
type load struct {
	url     string
	book    *book
	senders int
	client  *http.Client
	// complain says what went wrong with the first POST that failed.
	complain sync.Once
}

func newLoad(server string, b *book, senders int) *load {
	return &load{
		url: server + "/hooks/" + sourceName, book: b, senders: senders,
		client: &http.Client{
			Timeout:   30 * time.Second,
			Transport: &http.Transport{MaxIdleConnsPerHost: max(senders, 256), DisableCompression: true},
		},
	}
}

// fullSpeed sends n events, each sender the next one when the last is answered, and
// waits until they have arrived.
func (l *load) fullSpeed(ctx context.Context, n int) (fullRun, error) {
	if l.book.next+n > len(l.book.events) {
		return fullRun{}, errFull
	}
	from := l.book.next
	l.book.next += n
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
	events := l.book.events[from:l.book.next]
	if err := awaitArrivals(ctx, events); err != nil {
		return fullRun{}, err
	}
	if forged := l.book.forged.Load(); forged > 0 {
		return fullRun{}, fmt.Errorf("%d deliveries had a wrong signature", forged)
	}
	return summarize(events), nil
}

// steady sends events at a rate, whatever the answers do, until over is closed, and
// waits until they have arrived. The rate is in events a second.
func (l *load) steady(ctx context.Context, rate float64, over <-chan struct{}) ([]entry, error) {
	signer, err := signature.New(signature.GitHub(), sourceSecret)
	if err != nil {
		return nil, err
	}
	from := l.book.next
	var under sync.WaitGroup
	limit := make(chan struct{}, maxUnderWay)
	start := time.Now()
	for sending := true; sending; {
		if l.book.next == len(l.book.events) {
			err = errFull
			break
		}
		n := l.book.next
		l.book.next++
		limit <- struct{}{}
		under.Go(func() {
			defer func() { <-limit }()
			if err := l.post(ctx, signer, n); err != nil && ctx.Err() == nil {
				l.complain.Do(func() { fmt.Fprintln(os.Stderr, "a POST failed:", err) })
			}
		})
		due := start.Add(time.Duration(float64(l.book.next-from) / rate * float64(time.Second)))
		select {
		case <-time.After(time.Until(due)):
		case <-over:
			sending = false
		case <-ctx.Done():
			sending = false
		}
	}
	under.Wait()
	events := l.book.events[from:l.book.next]
	return events, errors.Join(err, awaitArrivals(ctx, events))
}

// steadyFor is steady for so long.
func (l *load) steadyFor(ctx context.Context, rate float64, d time.Duration) ([]entry, error) {
	over := make(chan struct{})
	defer time.AfterFunc(d, func() { close(over) }).Stop()
	return l.steady(ctx, rate, over)
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
		if missing == 0 || time.Since(since) > waitTimeout {
			return pause(ctx, settling)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
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
