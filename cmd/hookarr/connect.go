package main

import (
	"cmp"
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
type wish struct{ dryRun, check, remove bool }

func (c *cli) newConnect() *cobra.Command {
	var w wish
	cmd := c.tables(&cobra.Command{
		Use:   "connect SOURCE",
		Short: "Set an application's webhook up through its API",
		Long: `Connect finds or makes the webhook connection in the application of a source, with
every event that is of use and a credential of the source's auth, has the
application send its test, and waits to see it arrive. The application is the one
at base_url in the source's config, which is asked with api_key. It is told to post to
external_url, where it reaches this server; without one, to the address of listen.

With --check it changes nothing and ends with exit code 2 when something is not as
it should be, or with 1 when that cannot be seen.`,
		Example: `  hookarr connect radarr
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
	if r.URL, r.Credentials, err = address(cfg, name, source); err != nil {
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
func address(cfg *config.Config, name string, source config.Source) (string, []sdk.Credential, error) {
	u, err := url.Parse(cmp.Or(cfg.ExternalURL, localURL(cfg)))
	if err != nil {
		return "", nil, fmt.Errorf("external_url: %w", err)
	}
	u = u.JoinPath("hooks", name)
	var headers, basics []sdk.Credential
	var token *config.Token
	open := false
	for _, a := range source.Auth {
		switch {
		case a.Header != nil:
			headers = append(headers, sdk.Credential{HeaderName: a.Header.Name, HeaderValue: a.Header.Value})
		case a.Basic != nil:
			basics = append(basics, sdk.Credential{Username: a.Basic.Username, Password: a.Basic.Password})
		case a.Token != nil && token == nil:
			token = a.Token
		case a.None != nil:
			open = true
		}
	}
	credentials := slices.Concat(headers, basics)
	switch {
	case len(credentials) > 0: // a token would be one secret too many
	case token != nil:
		u = withToken(u, token)
	case !open:
		return "", nil, fmt.Errorf("sources.%s.auth: Arr applications cannot sign: add a way in that they have, such as\n\n      - basic: {username: arr, password: %s}\n\nto the list, restart hookarr serve, and connect again",
			name, rand.Text())
	}
	return u.String(), credentials, nil
}

func withToken(u *url.URL, t *config.Token) *url.URL {
	if t.Query == "" {
		return u.JoinPath(t.Value.Reveal())
	}
	u.RawQuery = url.Values{t.Query: {t.Value.Reveal()}}.Encode()
	return u
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
	if app, err := url.Parse(appURL); err != nil || app.Host == "" || isLoopback(appURL) || !isLoopback(target) {
		return ""
	}
	return "the application is told to post to its own machine: set external_url to where it reaches this server"
}

// isLoopback reports whether a URL leads to the machine of whoever follows it.
func isLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// findSource returns a configured source.
func findSource(cfg *config.Config, name string) (config.Source, error) {
	source, ok := cfg.Sources[name]
	if ok {
		return source, nil
	}
	return config.Source{}, usagef("there is no source %q%s", name, meant(name, sourceNames(cfg)))
}
