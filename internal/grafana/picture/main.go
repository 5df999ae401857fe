// Command picture draws the dashboard of examples/grafana as a page, from a real Prometheus
// that has scraped a real Hookarr. The payloads are those of the demo; the applications and
// the endpoints are imitated. It is not Grafana that draws.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hookarr/hookarr/examples/payloads"
	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/internal/grafana"
)

const configuration = `listen: %s
database: {url: %q}
plugins: {dir: %q, lock: %q}
reload: {watch: false}
sources:
  radarr: {plugin: radarr, auth: [{basic: {username: arr, password: %s}}]}
  sonarr:
    plugin: sonarr
    auth: [{basic: {username: arr, password: %s}}]
    catchup: {interval: 20s, lag: 0s}
    config: {base_url: %q, api_key: %s}
targets:
  chat:
    plugin: discord
    group: {by: download, wait: 2s}
    config: {webhook_url: %q}
  archive:
    plugin: webhook
    config: {url: %q}
  nas:
    plugin: webhook
    retry: {initial: 1s, multiplier: 2, max_interval: 5s}
    config: {url: %q}
routes:
  - {name: everything, types: ["*", unknown], to: [chat, archive, nas]}
`

// warmUp is the time in which the first rates cannot be told.
const warmUp = 15 * time.Second

const password = "a-password-of-the-demo"

func main() {
	bin := flag.String("bin", "bin", "directory of hookarr and plugins/")
	dashboard := flag.String("dashboard", "examples/grafana/hookarr.json", "the dashboard")
	length := flag.Duration("for", 3*time.Minute, "how long to send and to scrape")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *bin, *dashboard, *length)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, file string, length time.Duration) (err error) {
	d, err := grafana.Read(file)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "hookarr-picture-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := newLab(ctx, bin, dir, length)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	prometheus, err := grafana.Start(ctx, dir, l.address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, prometheus.Close()) }()
	from := time.Now().Add(warmUp)
	if err := l.send(ctx); err != nil {
		return err
	}
	var page bytes.Buffer
	caption := fmt.Sprintf("The panels of examples/grafana/hookarr.json, drawn by a tool of Hookarr's own (not by Grafana): %s of a real server under the demo's payloads, scraped by Prometheus.", length)
	if err := d.Draw(ctx, &page, prometheus, from, time.Now(), caption); err != nil {
		return err
	}
	_, err = os.Stdout.Write(page.Bytes())
	return err
}

// lab is a server with imitated endpoints, of which one is in trouble for a while.
type lab struct {
	address string
	begun   time.Time
	length  time.Duration

	server    *exec.Cmd
	log       bytes.Buffer
	endpoints []*http.Server
}

func newLab(ctx context.Context, bin, dir string, length time.Duration) (*lab, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	l := &lab{begun: time.Now(), length: length}
	discord := &endpoint.Discord{Limit: endpoint.Limit{Requests: 5, Window: 2 * time.Second}}
	slow := func(most time.Duration) { time.Sleep(time.Duration(rand.Int64N(int64(most)))) }
	archive := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { slow(40 * time.Millisecond) })
	nas := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		slow(300 * time.Millisecond)
		switch gone := time.Since(l.begun); {
		case gone > length*4/10 && gone < length*6/10:
			w.WriteHeader(http.StatusServiceUnavailable)
		case rand.IntN(40) == 0:
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	})
	sonarr := fakearr.New(fakearr.Sonarr, fakearr.Options{})
	sonarr.Seed(40, func(i int) fakearr.Title {
		return fakearr.Title{Name: fmt.Sprint("Show ", i), Year: 2020, Released: "2020-05-17", TVDB: 1000 + i}
	}, false)
	var urls [4]string
	for i, h := range []http.Handler{discord, archive, nas, sonarr} {
		if urls[i], err = l.serve(ctx, h); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	if l.address, err = freeAddress(ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	yaml := fmt.Appendf(nil, configuration, l.address, "sqlite://"+filepath.Join(dir, "hookarr.db"), filepath.Join(bin, "plugins"),
		filepath.Join(dir, "plugins.lock"), password, password, urls[3], sonarr.APIKey(), discord.URL(urls[0]), urls[1], urls[2])
	config := filepath.Join(dir, "hookarr.yaml")
	if err := os.WriteFile(config, yaml, 0o600); err != nil {
		return nil, errors.Join(err, l.close())
	}
	l.server = exec.CommandContext(ctx, filepath.Join(bin, "hookarr"), "serve", "--config", config)
	l.server.Stdout, l.server.Stderr = &l.log, &l.log
	l.server.Cancel = func() error { return l.server.Process.Signal(syscall.SIGTERM) }
	if err := l.server.Start(); err != nil {
		l.server = nil
		return nil, errors.Join(fmt.Errorf("start hookarr: %w: run make build", err), l.close())
	}
	for range 300 {
		if resp, err := http.Get("http://" + l.address + "/readyz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return l, nil
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("hookarr is not ready: %s", &l.log), l.close())
}

func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	free, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return free.Addr().String(), free.Close()
}

func (l *lab) serve(ctx context.Context, h http.Handler) (string, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	l.endpoints = append(l.endpoints, s)
	go func() { _ = s.Serve(listener) }() // until close
	return "http://" + listener.Addr().String(), nil
}

func (l *lab) close() error {
	var errs []error
	if l.server != nil {
		errs = append(errs, l.server.Process.Signal(syscall.SIGTERM), l.server.Wait())
	}
	for _, s := range l.endpoints {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// send posts every sample again and again, each time of another title, with a burst in the
// middle and now and then a wrong password.
func (l *lab) send(ctx context.Context) error {
	all := map[string][]payloads.Sample{}
	for _, app := range []string{"radarr", "sonarr"} {
		samples, err := payloads.Of(app)
		if err != nil {
			return err
		}
		for _, s := range samples {
			if s.Name != "test" {
				all[app] = append(all[app], s)
			}
		}
	}
	end := time.Now().Add(l.length)
	for n := 1; time.Now().Before(end); n++ {
		app := []string{"radarr", "sonarr"}[n%2]
		sample := all[app][n/2%len(all[app])]
		secret := password
		if rand.IntN(25) == 0 {
			secret = "another"
		}
		title := fmt.Sprint("Title ", n)
		body := strings.NewReplacer("Sintel", title, "Tears of Steel", title, "Big Buck Bunny", title, "Severance", title).Replace(string(sample.Body))
		if err := post(ctx, "http://"+l.address+"/hooks/"+app, secret, body); err != nil {
			return err
		}
		pause := 150 + rand.IntN(400)
		if gone := time.Since(l.begun); gone > l.length*3/10 && gone < l.length*45/100 {
			pause /= 5
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Duration(pause) * time.Millisecond):
		}
	}
	return nil
}

func post(ctx context.Context, url, secret, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth("arr", secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
