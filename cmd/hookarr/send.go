package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/connect"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/examples/payloads"
)

const (
	// sendTimeout bounds one request.
	sendTimeout = 30 * time.Second
	// maxBody is what a source takes, and a little more to be refused by it.
	maxBody = 17 << 20
	// maxAnswer is how much of an answer is read.
	maxAnswer = 4 << 10
)

// sent is one body and what became of it.
type sent struct {
	Name string `json:"name"`
	// Status is 0 without an answer.
	Status int `json:"status,omitempty"`
	// ID is the event's, or for a repetition that of the first.
	ID     string `json:"id,omitempty"`
	Result string `json:"result"`
	ok     bool
}

func (c *cli) newSend() *cobra.Command {
	var address, sample string
	cmd := c.tables(&cobra.Command{
		Use:   "send SOURCE [FILE...]",
		Short: "Post webhooks to the running server",
		Long: `Send posts files, or the standard input for -, to a source of the running server. It
signs them with the source's own secret, or gives whatever else its first way in
asks for. A body that was sent before is answered with the id of the first event.

There are samples of Radarr, Sonarr, Lidarr, Whisparr, Readarr and Prowlarr, such as
test, grab, import and health, and for generic those of Jellyseerr. Which a source has
is said when a wrong one is named.`,
		Example: `  hookarr send radarr --sample import
  hookarr send sonarr --sample grab
  hookarr send radarr --sample all
  hookarr send radarr webhook.json another.json
  curl -s https://example.com/webhook.json | hookarr send radarr -
  hookarr send radarr --sample test --url https://hookarr.example/hooks/radarr`,
		ValidArgsFunction: first(c.names(sourceNames), files),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (sample == "") == (len(args) == 1) {
				return usagef("name files to send, or a sample: --sample import")
			}
			cfg, err := c.load(nil)
			if err != nil {
				return err
			}
			source, err := findSource(cfg, args[0])
			if err != nil {
				return err
			}
			bodies, err := c.bodies(source.Plugin, sample, args[1:])
			if err != nil {
				return err
			}
			s, err := newSender(cfg, args[0], source, address)
			if err != nil {
				return err
			}
			return c.send(cmd.Context(), s, bodies)
		},
	})
	cmd.Flags().StringVar(&address, "url", "", "post to this `URL` (default the source's at the configured listener)")
	cmd.Flags().StringVar(&sample, "sample", "", "post a built-in webhook of the source's application: `NAME` or all")
	completeFlag(cmd, "sample", c.completeSample)
	return cmd
}

// bodies reads what is to be sent before anything is.
func (c *cli) bodies(plugin, sample string, files []string) ([]payloads.Sample, error) {
	if sample != "" {
		return samples(plugin, sample)
	}
	bodies := make([]payloads.Sample, 0, len(files))
	for _, name := range files {
		body, err := c.body(name)
		if err != nil {
			return nil, fmt.Errorf("read webhook: %w", err)
		}
		bodies = append(bodies, payloads.Sample{Name: name, Body: body})
	}
	return bodies, nil
}

func (c *cli) body(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(c.in, maxBody))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxBody))
}

func samples(plugin, name string) ([]payloads.Sample, error) {
	all, err := payloads.Of(plugin)
	if err != nil {
		return nil, err
	}
	names := sampleNames(all)
	i := slices.Index(names, name)
	switch {
	case len(all) == 0:
		return nil, usagef("--sample: there is none for the plugin %s: name files to send", plugin)
	case name == "all":
		return all, nil
	case i < 0:
		return nil, usagef("--sample: %s has no %q; there are %s and all", plugin, name, strings.Join(names, ", "))
	}
	return all[i : i+1], nil
}

func sampleNames(samples []payloads.Sample) []string {
	names := make([]string, len(samples))
	for i, s := range samples {
		names[i] = s.Name
	}
	return names
}

// completeSample completes with the samples of the source that is named, or of Radarr.
func (c *cli) completeSample(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	plugin := "radarr"
	if cfg, _ := c.load(nil); cfg != nil && len(args) > 0 {
		plugin = cfg.Sources[args[0]].Plugin
	}
	all, _ := payloads.Of(plugin) // embedded, and read again by whoever sends
	return append(sampleNames(all), "all"), cobra.ShellCompDirectiveNoFileComp
}

// sender posts to one source.
type sender struct {
	url    string
	gate   *auth.Gate
	client *http.Client
}

func newSender(cfg *config.Config, name string, source config.Source, address string) (*sender, error) {
	gate, err := auth.New(source, cfg.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("sources.%s: %w", name, err)
	}
	if address == "" {
		address = connect.LocalURL(cfg) + "/hooks/" + name
	}
	if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--url: want an absolute URL such as http://127.0.0.1:8484/hooks/%s", name)
	}
	roots, err := trustOwn(cfg.TLS)
	if err != nil {
		return nil, err
	}
	return &sender{url: address, gate: gate, client: &http.Client{
		Timeout:       sendTimeout,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// trustOwn trusts the server's own certificate besides the system's; nil is the
// system's alone.
func trustOwn(c config.TLS) (*x509.CertPool, error) {
	if !c.Enabled() {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CertFile)
	if err != nil {
		return nil, fmt.Errorf("tls.cert_file: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(pem)
	return roots, nil
}

func (c *cli) send(ctx context.Context, s *sender, bodies []payloads.Sample) error {
	results := make([]sent, 0, len(bodies))
	rows := [][]string{{"WEBHOOK", "STATUS", "EVENT", "RESULT"}}
	failed := false
	for _, b := range bodies {
		r := s.post(ctx, b)
		results = append(results, r)
		status := "-"
		if r.Status != 0 {
			status = strconv.Itoa(r.Status)
		}
		rows = append(rows, []string{r.Name, status, orDash(r.ID), clean(r.Result, reasonWidth)})
		failed = failed || !r.ok
	}
	err := c.show(results, rows)
	if err == nil && failed {
		err = errReported
	}
	return err
}

func (s *sender) post(ctx context.Context, b payloads.Sample) sent {
	r := sent{Name: b.Name}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(b.Body))
	if err == nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", "hookarr/"+readBuild().Version)
		err = s.gate.Sign(req, b.Body, event.NewID().String(), time.Now())
	}
	if err != nil {
		r.Result = withoutURL(err)
		return r
	}
	resp, err := s.client.Do(req)
	if err != nil {
		r.Result = withoutURL(err)
		return r
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	r.Status, r.ok = resp.StatusCode, resp.StatusCode/100 == 2 && err == nil
	var told struct{ ID, Error string }
	_ = json.Unmarshal(answer, &told) // plain text otherwise
	r.ID = told.ID
	switch {
	case err != nil:
		r.Result = "answer broke off: " + err.Error()
	case resp.StatusCode == http.StatusOK:
		r.Result = "stored before"
	case r.ok:
		r.Result = "stored"
	case told.Error != "":
		r.Result = told.Error
	default:
		r.Result = cmp.Or(strings.TrimSpace(string(answer)), http.StatusText(resp.StatusCode))
	}
	return r
}

// withoutURL drops the URL, which may hold a token, from an error of package http.
func withoutURL(err error) string {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there: is hookarr serve running?"
	default:
		return err.Error()
	}
}
