package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-plugin"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/signature"
)

const (
	// sketchCommand makes this program the sketch.
	sketchCommand = "sketch"
	// coalescing is how long the first event of a batch waits for others.
	coalescing = time.Millisecond
	// sketchPoll is how soon SQLite's workers look again: River's own news of jobs in
	// a file take up to 50 ms.
	sketchPoll = 10 * time.Millisecond
	maxBatch   = 256
)

// sketchSettings are the sketch's only argument.
type sketchSettings struct {
	Listen, Plugins, Database, Endpoint string
	Workers                             int
}

// sketch is the least that does what Hookarr is for: an intake that verifies and decodes,
// one durable River job that holds the event, and a worker that delivers it, through
// the same plugins. It keeps no rows, counts no attempts and knows no duplicates.
type sketch struct {
	signer         *signature.Signer
	source, target *host.Client
	queue          riverClient
	inserts        chan sketchInsert
}

// riverClient is a river.Client whatever its transactions are.
type riverClient interface {
	InsertMany(ctx context.Context, params []river.InsertManyParams) ([]*rivertype.JobInsertResult, error)
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}

type sketchInsert struct {
	job  sketchArgs
	done chan error
}

type sketchArgs struct {
	ID    string          `json:"id"`
	Event json.RawMessage `json:"event"`
}

func (sketchArgs) Kind() string { return "sketch" }

// runSketch serves until it is told to end, or its standard input ends.
func runSketch(ctx context.Context, text string) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the bench holds the other end
		cancel()
	}()
	var s sketchSettings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return fmt.Errorf("read the sketch's settings: %w", err)
	}
	k := &sketch{inserts: make(chan sketchInsert)}
	if k.signer, err = signature.New(signature.GitHub(), sourceSecret); err != nil {
		return err
	}
	defer plugin.CleanupClients()
	if k.source, err = startPlugin(ctx, s.Plugins, "source-radarr", sourceName, map[string]any{}); err != nil {
		return err
	}
	if k.target, err = startPlugin(ctx, s.Plugins, "target-webhook", targetName, webhookConfig(s.Endpoint)); err != nil {
		return err
	}
	closeDatabase, err := k.open(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDatabase()) }()
	if err := k.queue.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	go k.insertAll(context.WithoutCancel(ctx)) // whoever posts waits for it

	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"status":"ready"}`) })
	mux.HandleFunc("POST /hooks/"+sourceName, k.take)
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // until Close
	<-ctx.Done()
	stop, cancelStop := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancelStop()
	return errors.Join(server.Close(), k.queue.Stop(stop))
}

// startPlugin starts a plugin with one instance.
func startPlugin(ctx context.Context, dir, name, instance string, config map[string]any) (*host.Client, error) {
	p, err := launchPlugin(filepath.Join(dir, binaryPrefix+name))
	if err != nil {
		return nil, err
	}
	return p.client, configurePlugin(ctx, p.client, instance, config)
}

// open prepares the queue in the database.
func (k *sketch) open(ctx context.Context, s sketchSettings) (closeDatabase func() error, err error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(k.work))
	queue := river.QueueConfig{MaxWorkers: s.Workers, FetchCooldown: postgresCooldown}
	if file, isFile := strings.CutPrefix(s.Database, sqliteScheme); isFile {
		db, err := openWriter(file)
		if err != nil {
			return nil, err
		}
		queue.FetchCooldown, queue.FetchPollInterval = sqliteCooldown, sketchPoll
		k.queue, err = openRiver(ctx, riversqlite.New(db), workers, queue)
		return db.Close, err
	}
	pool, err := pgxpool.New(ctx, s.Database)
	if err != nil {
		return nil, err
	}
	k.queue, err = openRiver(ctx, riverpgxv5.New(pool), workers, queue)
	return func() error { pool.Close(); return nil }, err
}

// take takes webhooks in.
func (k *sketch) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if _, err := k.signer.Verify(r.Header, body, time.Now()); err != nil {
		http.Error(w, "wrong signature", http.StatusUnauthorized)
		return
	}
	id := uuid.Must(uuid.NewV7()).String()
	decoded, err := k.source.Decode(r.Context(), sourceName, sdk.Request{
		ID: id, Method: r.Method, Header: r.Header, Query: r.URL.Query(), Body: body, ReceivedAt: time.Now(),
	})
	if err == nil && decoded.Event == nil {
		err = errors.New("no event")
	}
	if err == nil {
		insert := sketchInsert{sketchArgs{ID: id, Event: decoded.JSON}, make(chan error, 1)}
		k.inserts <- insert
		err = <-insert.done
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// insertAll inserts what gathers within a moment, and while the batch before is
// inserted, in one transaction.
func (k *sketch) insertAll(ctx context.Context) {
	for first := range k.inserts {
		batch := []sketchInsert{first}
		over := time.After(coalescing)
		for waiting := true; waiting && len(batch) < maxBatch; {
			select {
			case next := <-k.inserts:
				batch = append(batch, next)
			case <-over:
				waiting = false
			}
		}
		jobs := make([]river.InsertManyParams, len(batch))
		for i := range batch {
			jobs[i].Args = batch[i].job
		}
		_, err := k.queue.InsertMany(ctx, jobs)
		for i := range batch {
			batch[i].done <- err
		}
	}
}

// work makes one attempt.
func (k *sketch) work(ctx context.Context, job *river.Job[sketchArgs]) error {
	outcome, err := k.target.Deliver(ctx, targetName, host.Delivery{
		ID: job.Args.ID, Attempt: job.Attempt, Route: "everything", Events: []json.RawMessage{job.Args.Event},
	})
	if err == nil && outcome.Class != sdk.ClassOK {
		err = errors.New(outcome.Message)
	}
	return err
}
