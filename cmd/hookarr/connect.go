package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// connectTimeout bounds what the application is asked.
	connectTimeout = 2 * time.Minute
	// arrivalTimeout is how long a test may take from the application to the
	// database, arrivalPoll the time between looks.
	arrivalTimeout = 15 * time.Second
	arrivalPoll    = 200 * time.Millisecond
)

// connection is what connect says of an application's webhook.
type connection struct {
	Source     string       `json:"source"`
	App        string       `json:"app,omitempty"`
	Version    string       `json:"version,omitempty"`
	URL        string       `json:"url"`
	Connected  bool         `json:"connected"`
	Connection string       `json:"connection,omitempty"`
	Changes    []sdk.Change `json:"changes"`
	Problems   []string     `json:"problems"`
	// Event is the application's test as it arrived.
	Event string `json:"event,omitempty"`
}

// wish is what the flags of connect say.
type wish struct {
	url                   string
	dryRun, check, remove bool
}

func (c *cli) newConnect() *cobra.Command {
	var w wish
	cmd := c.tables(&cobra.Command{
		Use:   "connect SOURCE",
		Short: "Set an application's webhook up through its API",
		Long: `Connect finds or makes the webhook connection in the application of a source, with
every event that is of use and a credential of the source's auth, has the
application send its test, and waits to see it arrive. The application is the one
at base_url in the source's config, which is asked with api_key.

With --check it changes nothing and ends with exit code 2 when something is not as
it should be.`,
		Example: `  hookarr connect radarr
  hookarr connect radarr --url http://hookarr.lan:8484/hooks/radarr
  hookarr connect radarr --dry-run
  hookarr connect radarr --check --json
  hookarr connect radarr --remove`,
		ValidArgsFunction: first(c.names(sourceNames), cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load(nil)
			if err != nil {
				return err
			}
			return c.connect(cmd.Context(), cfg, args[0], w)
		},
	})
	flags := cmd.Flags()
	flags.StringVar(&w.url, "url", "", "have the application post to this `URL` (default the source's at the configured listener)")
	flags.BoolVar(&w.dryRun, "dry-run", false, "say what would be changed")
	flags.BoolVar(&w.check, "check", false, "say what differs; exit code 2 when anything does")
	flags.BoolVar(&w.remove, "remove", false, "take the connection away")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "check", "remove")
	return cmd
}

func (c *cli) connect(ctx context.Context, cfg *config.Config, name string, w wish) error {
	source, err := findSource(cfg, name)
	if err != nil {
		return err
	}
	r := sdk.ConnectRequest{Action: sdk.ConnectApply}
	switch {
	case w.check, w.dryRun:
		r.Action = sdk.ConnectCheck
	case w.remove:
		r.Action = sdk.ConnectRemove
	}
	if r.URL, r.Credentials, err = address(cfg, name, source, w.url); err != nil {
		return err
	}
	appURL, _ := source.Config["base_url"].(string)
	if warning := warnLoopback(r.URL, appURL); warning != "" && r.Action == sdk.ConnectApply {
		c.tell("warning:", warning)
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var result connection
	err = c.withSource(ctx, cfg, name, func(plugins *pluginhost.Host) error {
		begun := time.Now()
		said, err := plugins.Connect(ctx, name, r)
		if err == nil && r.Action == sdk.ConnectApply && said.Connected {
			r.Action = sdk.ConnectTest
			var tested sdk.ConnectResult
			tested, err = plugins.Connect(ctx, name, r)
			said.Problems = append(said.Problems, tested.Problems...)
		}
		if err != nil {
			return explainConnect(name, err)
		}
		result = describe(name, r.URL, said)
		if r.Action == sdk.ConnectTest && len(said.Problems) == 0 {
			return c.arrival(ctx, &result, begun)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.showConnection(result, w)
}

// explainConnect says what to do about a source that cannot be connected.
func explainConnect(name string, err error) error {
	if errors.Is(err, host.ErrUnsupported) {
		return fmt.Errorf("sources.%s.config: give base_url and api_key of the application, which is asked through its API; "+
			"not every plugin can: hookarr plugins list shows which have the feature connect", name)
	}
	return fmt.Errorf("connect %s: %w", name, err)
}

func describe(name, address string, r sdk.ConnectResult) connection {
	c := connection{
		Source: name, App: r.AppName, Version: r.AppVersion, URL: withoutToken(address), Connected: r.Connected,
		Connection: r.ConnectionID, Changes: r.Changes, Problems: r.Problems,
	}
	if c.Changes == nil {
		c.Changes = []sdk.Change{}
	}
	if c.Problems == nil {
		c.Problems = []string{}
	}
	return c
}

// address is where the application is to post to and how it identifies itself there:
// the ways in that Arr applications can take, in the order of the configuration, but
// headers, which keep out of URLs and logs, first.
func address(cfg *config.Config, name string, source config.Source, given string) (string, []sdk.Credential, error) {
	target := given
	if target == "" {
		target = localURL(cfg) + "/hooks/" + name
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", nil, usagef("--url: want an absolute URL such as http://hookarr.lan:8484/hooks/%s", name)
	}
	var headers, basics []sdk.Credential
	open := false
	for _, a := range source.Auth {
		switch {
		case a.Header != nil:
			headers = append(headers, sdk.Credential{HeaderName: a.Header.Name, HeaderValue: a.Header.Value})
		case a.Basic != nil:
			basics = append(basics, sdk.Credential{Username: a.Basic.Username, Password: a.Basic.Password})
		case a.Token != nil && !open:
			open = true
			addToken(u, a.Token)
		case a.None != nil:
			open = true
		}
	}
	credentials := slices.Concat(headers, basics)
	if len(credentials) == 0 && !open {
		return "", nil, fmt.Errorf("sources.%s.auth: Arr applications cannot sign: add a way in that they have, such as\n\n      - basic: {username: arr, password: %s}\n\nto the list, restart hookarr serve, and connect again",
			name, rand.Text())
	}
	if len(credentials) > 0 {
		u.RawQuery = "" // a token is one secret too many
		if given == "" {
			u.Path = "/hooks/" + name
		}
	}
	return u.String(), credentials, nil
}

func addToken(u *url.URL, t *config.Token) {
	if t.Query == "" {
		*u = *u.JoinPath(t.Value.Reveal())
		return
	}
	query := u.Query()
	query.Set(t.Query, t.Value.Reveal())
	u.RawQuery = query.Encode()
}

// withoutToken is a URL as it may be shown.
func withoutToken(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host}
	if parts := strings.SplitN(strings.TrimPrefix(u.Path, "/"), "/", 3); len(parts) >= 2 {
		shown.Path = "/" + parts[0] + "/" + parts[1]
	}
	return shown.String()
}

// withSource runs f with the plugin of one source.
func (c *cli) withSource(ctx context.Context, cfg *config.Config, name string, f func(*pluginhost.Host) error) (err error) {
	instances, err := app.Instances(cfg)
	if err != nil {
		return err
	}
	instances = slices.DeleteFunc(instances, func(i pluginhost.Instance) bool { return i.Kind != host.KindSource || i.Name != name })
	plugins := pluginhost.New(pluginhost.Options{
		Dir: cfg.Plugins.Dir, LockFile: cfg.Plugins.Lock,
		Log: slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err := plugins.Start(ctx, instances); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugins.Stop(context.WithoutCancel(ctx))) }()
	for _, s := range plugins.Status() {
		for _, p := range s.Problems {
			return &config.Error{Problems: []config.Problem{cfg.Problem("sources."+name+".config."+p.Key, p.Message)}}
		}
	}
	return f(plugins)
}

// arrival waits for the application's test to be in the database, which proves the
// whole way.
func (c *cli) arrival(ctx context.Context, result *connection, since time.Time) error {
	_, s, err := c.open(ctx)
	if err != nil {
		result.Problems = append(result.Problems, "the application has sent its test, and whether it arrived cannot be seen: "+err.Error())
		return nil
	}
	defer func() { _ = s.Close() }()
	until := time.Now().Add(arrivalTimeout)
	for {
		events, err := s.ListEvents(ctx, store.EventFilter{Source: result.Source, Type: sdk.TypeTest, Limit: 1})
		if err != nil {
			return err
		}
		if len(events) > 0 && !events[0].ReceivedAt.Before(since) {
			result.Event = events[0].ID.String()
			return nil
		}
		if time.Now().After(until) {
			result.Problems = append(result.Problems, fmt.Sprintf(
				"the application's test was answered, and has not arrived here within %s: does another server than this one answer at %s?",
				arrivalTimeout, result.URL))
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(arrivalPoll):
		}
	}
}

func (c *cli) showConnection(r connection, w wish) error {
	if c.json {
		if err := c.printJSON(r); err != nil {
			return err
		}
		return verdict(r, w)
	}
	rows := [][]string{{"SETTING", "IS", "SHOULD BE"}}
	if !w.check && !w.dryRun {
		rows[0] = []string{"SETTING", "WAS", "IS"}
	}
	for _, change := range r.Changes {
		rows = append(rows, []string{change.Field, orDash(change.From), orDash(change.To)})
	}
	if len(rows) > 1 {
		if err := c.table(rows...); err != nil {
			return err
		}
	}
	for _, p := range r.Problems {
		c.tell(p)
	}
	if _, err := fmt.Fprintln(c.out, summary(r, w)); err != nil {
		return err
	}
	return verdict(r, w)
}

func summary(r connection, w wish) string {
	name := strings.TrimSpace(r.App + " " + r.Version)
	switch {
	case len(r.Problems) > 0:
		return r.Source + " is not connected as it should be"
	case w.remove:
		return name + " does not post to " + r.URL + " any more"
	case w.check && len(r.Changes) == 0, w.dryRun && len(r.Changes) == 0:
		return name + " is connected to " + r.URL
	case w.check:
		return name + " is not connected as it should be: hookarr connect " + r.Source + " mends it"
	case w.dryRun:
		return "nothing was changed"
	default:
		return fmt.Sprintf("%s is connected to %s; its test arrived as %s", name, r.URL, r.Event)
	}
}

// errDrift ends a check that found something: exit code 2.
var errDrift = errors.New("drift")

func verdict(r connection, w wish) error {
	switch {
	case w.check && (len(r.Changes) > 0 || len(r.Problems) > 0 || !r.Connected):
		return errDrift
	case len(r.Problems) > 0:
		return errReported
	default:
		return nil
	}
}

// warnLoopback tells who connects an application on another machine to an address of
// this one alone.
func warnLoopback(target, appURL string) string {
	isLoopback := func(raw string) bool {
		u, err := url.Parse(raw)
		if err != nil {
			return false
		}
		ip := net.ParseIP(u.Hostname())
		return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	}
	if !isLoopback(target) || appURL == "" || isLoopback(appURL) {
		return ""
	}
	return "the application is told to post to its own machine: give --url an address of this server that it can reach"
}

// findSource returns a configured source.
func findSource(cfg *config.Config, name string) (config.Source, error) {
	source, ok := cfg.Sources[name]
	if ok {
		return source, nil
	}
	known := sourceNames(cfg)
	suggestion := config.Suggest(name, known)
	if suggestion == "" {
		suggestion = "; there are: " + strings.Join(known, ", ")
	}
	return config.Source{}, usagef("there is no source %q%s", name, suggestion)
}
