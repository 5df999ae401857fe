package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/snapshot"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// library is what an application has: two films, and one more once it has grown.
type library struct {
	grown, down atomic.Bool
	// slow lets the second page come when it is closed.
	slow chan struct{}
}

func (l *library) Snapshot(ctx context.Context, _ string, q sdk.SnapshotQuery) (host.Snapshot, error) {
	if l.down.Load() {
		return host.Snapshot{}, errors.New("it does not answer\x1b[2J")
	}
	titles := []string{"Sintel", "Tears of Steel"}
	if l.grown.Load() {
		titles = append(titles, "Big Buck Bunny")
	}
	page := host.Snapshot{Total: len(titles), Cursor: "1", More: q.Cursor == ""}
	if titles = titles[1:]; q.Cursor == "" {
		titles = []string{"Sintel"}
	} else if l.slow != nil {
		select {
		case <-l.slow:
		case <-ctx.Done():
			return page, ctx.Err()
		}
	}
	for _, title := range titles {
		e := sdk.Event{Type: sdk.TypeMediaAdded, Title: title, App: "radarr", Media: &sdk.Media{Title: title, ID: title}, Fingerprint: title}
		data, _ := json.Marshal(e)
		page.Items = append(page.Items, host.Item{Key: title, Event: e, JSON: data})
	}
	return page, nil
}

// noPlugins is a server whose plugins say nothing of themselves yet.
type noPlugins struct{}

func (noPlugins) Status() []pluginhost.Status                     { return nil }
func (noPlugins) Reload(context.Context, host.Kind, string) error { return nil }

// startSyncing serves a configuration, and reads radarr's snapshot as the worker does.
func startSyncing(t *testing.T, l *library) (file string, s *store.Store) {
	t.Helper()
	file = rigConfig(t)
	s = rigDatabase(t, file)
	r := startServer(t, file, s)
	r.service.Plugins = noPlugins{}
	gate, err := auth.New(config.Source{Auth: []config.Auth{{None: &config.None{}}}}, nil)
	require.NoError(t, err)
	routes, err := route.New([]config.Route{{Name: "all", To: []string{"ops"}}})
	require.NoError(t, err)
	generation := ingest.NewGeneration(map[string]ingest.Source{"radarr": {Gate: gate}}, routes)
	log := slog.New(slog.DiscardHandler)
	reader := snapshot.New(snapshot.Options{
		Sources:     func() map[string]config.Snapshot { return map[string]config.Snapshot{"radarr": {}} },
		Snapshotter: l, Store: s, Log: log,
		Composer: ingest.New(ingest.Options{Generation: func() *ingest.Generation { return generation }, Store: s, Log: log}),
	})
	ctx, stop := context.WithCancel(context.Background())
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		for ctx.Err() == nil {
			_ = reader.Run(ctx, "radarr", time.Time{})
			time.Sleep(10 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { stop(); <-worked })
	return file, s
}

func TestSync(t *testing.T) {
	t.Parallel()
	l := &library{}
	file, s := startSyncing(t, l)
	sync := func(args ...string) result {
		return runWith(t, "", rigEnviron(), append(append([]string{"sync", "radarr"}, args...), "--config", file)...)
	}
	got := sync()
	require.Zero(t, got.code, got.err)
	require.Equal(t, "sync of radarr is done: 2 items, 2 titles; nothing is told the first time, and changes from now on are\n", got.out)
	l.grown.Store(true)
	require.Equal(t, "sync of radarr is done: 3 items, 3 titles; 1 event told\n", sync().out)
	require.Equal(t, "sync of radarr is done: 3 items, 3 titles; 0 events told\n", sync().out)
	require.Equal(t, "sync of radarr is done: 3 items, 3 titles; 3 events told\n", sync("--full", "--to", "chat").out)
	got = sync("--json")
	require.Regexp(t, `"ended_run": 5`, got.out)

	got = sync("--full", "--to", "cht")
	require.Equal(t, exitError, got.code)
	require.Contains(t, got.err, `did you mean "chat"?`)
	l.down.Store(true)
	got = sync()
	require.Equal(t, exitError, got.code)
	require.Equal(t, "hookarr: radarr waits, and is tried again each minute: it does not answer[2J\n", got.err)

	got = runWith(t, "", rigEnviron(), "sources", "show", "radarr", "--config", file)
	require.Regexp(t, `(?s)snapshot now +reading: 0 items.*snapshot waits +it does not answer`, got.out)
	got = runWith(t, "", rigEnviron(), "sources", "list", "--config", file)
	require.Regexp(t, `(?m)^radarr +radarr +hmac github +- +waits +0 `, got.out)
	actions, err := s.ListActions(t.Context(), store.ActionFilter{})
	require.NoError(t, err)
	require.Equal(t, store.ActionSync, actions[0].What)
	require.Equal(t, "radarr", actions[0].Args.Source)
}

// Who does not watch a sync any more does not end it.
func TestSyncIsLeft(t *testing.T) {
	t.Parallel()
	l := &library{slow: make(chan struct{})}
	file, s := startSyncing(t, l)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var shown lockedBuffer
	c := &cli{out: t.Output(), err: &shown, live: true, environ: rigEnviron}
	code := make(chan int, 1)
	go func() { code <- c.run(ctx, []string{"sync", "radarr", "--config", file}) }()
	eventually(t, &shown, "reading: 1 of 2 items")
	stop()
	require.Equal(t, exitError, <-code)
	require.True(t, strings.HasSuffix(shown.String(), "\nthe sync goes on on the server: hookarr sources show radarr says how far it is\n"), shown.String())
	close(l.slow)
	require.Eventually(t, func() bool {
		state, err := s.FindSnapshot(t.Context(), "radarr")
		return err == nil && state.EndedRun == 1
	}, time.Minute, 10*time.Millisecond)
}
