package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/app"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// connectTimeout bounds what the application is asked.
const connectTimeout = 45 * time.Second

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
it should be, or with 1 when that cannot be seen.`,
		Example: `  hookarr connect radarr
  hookarr connect radarr --url http://hookarr.lan:8484/hooks/radarr
  hookarr connect radarr --dry-run
  hookarr connect radarr --check --json
  hookarr connect radarr --remove`,
		ValidArgsFunction: first(c.names(sourceNames), cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			if w.dryRun && w.check || w.check && w.remove || w.dryRun && w.remove {
				return usagef("give one of --dry-run, --check and --remove")
			}
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
		if d, ok := plugins.Describe(host.KindSource, source.Plugin); ok && !slices.Contains(d.Features, sdk.FeatureConnect) {
			return fmt.Errorf("plugin %s cannot set its application up: add the webhook by hand, see README", source.Plugin)
		}
		begun := time.Now()
		said, err := plugins.Connect(ctx, name, r)
		if err != nil {
			return explainConnect(name, err)
		}
		result = describe(name, r.URL, said)
		if r.Action != sdk.ConnectApply || !said.Connected || len(said.Problems) > 0 {
			return nil
		}
		return c.prove(ctx, &result, begun, func() (sdk.ConnectResult, error) {
			r.Action = sdk.ConnectTest
			return plugins.Connect(ctx, name, r)
		})
	})
	if err != nil {
		return err
	}
	return c.showConnection(result, w)
}

// explainConnect says what to do about a source that cannot be connected.
func explainConnect(name string, err error) error {
	if errors.Is(err, host.ErrUnsupported) {
		return fmt.Errorf("sources.%s.config: give base_url and api_key of the application, which is asked through its API", name)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("connect %s: the application at sources.%s.config.base_url did not answer within %s", name, name, connectTimeout)
	}
	return fmt.Errorf("connect %s: %w", name, err)
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
		if !strings.HasSuffix(u.Path, "/"+t.Value.Reveal()) {
			*u = *u.JoinPath(t.Value.Reveal())
		}
		return
	}
	query := u.Query()
	query.Set(t.Query, t.Value.Reveal())
	u.RawQuery = query.Encode()
}

// withoutToken is a URL as it may be shown: what follows the name of the source may be
// a token, and so may all of a path without a source.
func withoutToken(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host}
	if before, after, ok := strings.Cut(u.Path, "/hooks/"); ok {
		name, _, _ := strings.Cut(after, "/")
		shown.Path = before + "/hooks/" + name
		return shown.String()
	}
	if strings.Trim(u.Path, "/") != "" {
		return shown.String() + "/…"
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
	plugins := pluginhost.New(pluginhost.Options{Dirs: cfg.Plugins.Dir, LockFile: cfg.Plugins.Lock})
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
	if app, err := url.Parse(appURL); err != nil || app.Host == "" || isLoopback(appURL) || !isLoopback(target) {
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
