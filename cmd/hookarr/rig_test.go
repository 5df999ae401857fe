package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	adminaccess "github.com/hookarr/hookarr/core/admin/access"
	"github.com/hookarr/hookarr/core/admin/api"
	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/logring"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const rigToken = "operate-0123456789abcdef"

// rigEnviron is the environment that has the secrets of rigConfig.
func rigEnviron() []string {
	return []string{"RADARR_SECRET=source-0123456789abcdef", "CHAT_URL=https://chat.example/0123456789abcdef"}
}

// rigConfig is a configuration with secrets, in a directory that is short enough for a
// socket.
func rigConfig(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hookarr-cli") //nolint:usetesting // the directory of a test may be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	file := filepath.Join(dir, "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(`
database: {url: "sqlite://%s"}
plugins: {dir: %s}
admin: {listen: "127.0.0.1:0", tokens: [{name: ci, role: operate, token: %s}]}
sources: {radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: ["${RADARR_SECRET}"]}}]}}
targets:
  ops: {plugin: webhook, config: {url: "http://127.0.0.1:1/"}}
  chat: {plugin: webhook, config: {url: "${CHAT_URL}"}}
routes:
  - {name: everything, to: [ops, chat]}
  - {name: old, when: "event.media.year < 2000", to: [ops]}
`, filepath.Join(dir, "hookarr.db"), pluginDir(t), rigToken)), 0o600))
	return file
}

// rigDatabase makes and fills the database of a configuration.
func rigDatabase(t *testing.T, file string) *store.Store {
	t.Helper()
	s, err := app.OpenStore(t.Context(), sdk.Secret("sqlite://"+filepath.Join(filepath.Dir(file), "hookarr.db")), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	fill(t, s)
	return s
}

// server is a service behind its listeners, as hookarr serve has it.
type server struct {
	service *admin.Service
	url     string
	log     *slog.Logger
}

// trier answers as plugins do that can be tried.
type trier struct{}

func (trier) TestTarget(_ context.Context, target string) (admin.Tested, error) {
	if target == "chat" {
		return admin.Tested{Class: sdk.ClassPermanent, Status: 404, Message: "answered 404", Excerpt: "no\x1b[2J\nsuch channel"}, nil
	}
	return admin.Tested{Class: sdk.ClassOK, Status: 204}, nil
}

func (trier) Preview(_ context.Context, target string, work store.Work, previous *sdk.Receipt) (admin.Preview, error) {
	if target == "chat" {
		return previewOfChat(work, previous)
	}
	return admin.Preview{
		Target: target, Method: http.MethodPost, URL: "https://example.com/[redacted]", ContentType: "application/json",
		Headers: http.Header{"X-B": {"2"}, "X-A": {"1\x1b"}}, Body: string(work.Event.Normalized), Truncated: true,
	}, nil
}

// previewOfChat is a message of Discord's, in words of its own.
func previewOfChat(work store.Work, previous *sdk.Receipt) (admin.Preview, error) {
	p := admin.Preview{
		Plugin: "discord", Method: http.MethodPost, URL: "https://chat.example/[redacted]",
		Body:     fmt.Sprintf(`{"embeds":[{"title":%q,"color":3055195}]}`, work.Event.Title),
		Fallback: "the template failed:\nused another",
	}
	if previous != nil {
		p.Method, p.URL = http.MethodPatch, p.URL+"/messages/"+previous.MessageID
	}
	return p, nil
}

// reloads answers as a process does, before and after its file is mended.
type reloads struct{ broken *config.Error }

func (r *reloads) Reload(context.Context, bool) (admin.Reload, error) {
	if r.broken != nil {
		return admin.Reload{}, r.broken
	}
	return admin.Reload{Changes: []config.Change{{Key: "targets.ops.timeout", What: config.Changed, Was: "30s", Is: "10s"}}, NeedsRestart: []string{"listen"}}, nil
}

// startServer serves a configuration until the test ends: its socket, and a listener.
func startServer(t *testing.T, file string, s *store.Store) *server {
	t.Helper()
	c, err := config.Loader{Environ: rigEnviron}.Load(file)
	require.NoError(t, err)
	routes, err := route.New(c.Routes)
	require.NoError(t, err)
	ring := new(logring.Ring)
	log := slog.New(ring.Handler(slog.NewTextHandler(t.Output(), nil), nil))
	host := pluginhost.New(pluginhost.Options{
		Dirs: c.Plugins.Dir, Log: slog.New(slog.DiscardHandler), Timing: pluginhost.Timing{Start: time.Minute, Ready: time.Minute},
	})
	instances, err := app.Instances(c)
	require.NoError(t, err)
	require.NoError(t, host.Start(t.Context(), instances))
	t.Cleanup(func() { require.NoError(t, host.Stop(context.Background())) })
	operator := operate.New(operate.Options{
		Store: s, Log: log, Router: func() operate.Router { return routes }, Pause: time.Millisecond,
		Targets: func() []string { return targetNames(c) },
	})
	r := &server{log: log, service: &admin.Service{
		Store: s, Settings: &settings{config: c, routes: routes}, Operate: operator, Program: admin.Version{Version: readBuild().Version, Go: "go"},
		Plugins: host, Decoder: host, Trier: trier{}, Reloader: &reloads{}, Logs: ring, Folders: host,
	}}
	// As the worker of bulk actions does.
	ctx, stop := context.WithCancel(context.Background())
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		for ctx.Err() == nil {
			running, _ := s.ListActions(ctx, store.ActionFilter{Running: true})
			for _, a := range running {
				_, _ = operator.Run(ctx, a.ID)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { stop(); <-worked })

	handler, err := api.New(api.Options{Service: r.service, Once: s, Log: log})
	require.NoError(t, err)
	listener, err := adminaccess.ListenSocket(t.Context(), c.AdminSocket())
	require.NoError(t, err)
	local := &http.Server{Handler: adminaccess.Socket(http.NotFoundHandler(), handler), ConnContext: adminaccess.ConnContext, ReadHeaderTimeout: time.Minute}
	go func() { _ = local.Serve(listener) }()
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	network, err := adminaccess.Network(adminaccess.Options{Config: c, Limiter: new(auth.Limiter), Public: http.NotFoundHandler(), API: handler, Log: log})
	require.NoError(t, err)
	remote := httptest.NewServer(network)
	t.Cleanup(remote.Close)
	r.url = remote.URL
	return r
}

// command is a run of the command in this process, which may be changed before.
type command struct {
	cli
	out, err bytes.Buffer
}

func (c *command) do(ctx context.Context, args ...string) result {
	c.cli.out, c.cli.err, c.local = &c.out, &c.err, time.UTC
	if c.in == nil {
		c.in = strings.NewReader("")
	}
	code := c.run(ctx, args)
	return result{code: code, out: c.out.String(), err: c.err.String()}
}
