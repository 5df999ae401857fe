// Package connect knows what the application of a source is to be told: where to post its
// webhooks, and how to identify itself there.
package connect

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

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Timeout bounds what an application is asked.
const Timeout = 45 * time.Second

// Connection is what is found of an application's webhook, without secrets.
type Connection struct {
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

// Drifts reports whether a check found something that is not as it should be.
func (c Connection) Drifts() bool {
	return len(c.Problems) > 0 || len(c.Changes) > 0 || !c.Connected
}

// Describe returns what a plugin says of the connection of a source to an address.
func Describe(source, address string, r sdk.ConnectResult) Connection {
	c := Connection{
		Source: source, App: r.AppName, Version: r.AppVersion, URL: Shown(address), Connected: r.Connected,
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

// Address is where the application of a source is to post to and how it identifies itself
// there: the ways in that Arr applications can take, in the order of the configuration, but
// headers, which keep out of URLs and logs, first. The URL may hold a secret.
func Address(c *config.Config, name string) (string, []sdk.Credential, error) {
	u, err := base(c, name)
	if err != nil {
		return "", nil, err
	}
	var headers, basics []sdk.Credential
	var token *config.Token
	open := false
	for _, a := range c.Sources[name].Auth {
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
		u = withToken(u, token.Query, token.Value.Reveal())
	case !open:
		return "", nil, fmt.Errorf("sources.%s.auth: Arr applications cannot sign: add a way in that they have, such as\n\n      - basic: {username: arr, password: %s}\n\nto the list, restart hookarr serve, and connect again",
			name, rand.Text())
	}
	return u.String(), credentials, nil
}

// base is the address of a source without a credential.
func base(c *config.Config, name string) (*url.URL, error) {
	u, err := url.Parse(cmp.Or(c.ExternalURL, LocalURL(c)))
	if err != nil {
		return nil, fmt.Errorf("external_url: %w", err)
	}
	return u.JoinPath("hooks", name), nil
}

func withToken(u *url.URL, query, token string) *url.URL {
	if query == "" {
		return u.JoinPath(token)
	}
	with := *u
	with.RawQuery = url.Values{query: {token}}.Encode()
	return &with
}

// LocalURL is where a server of this configuration is reached from its own machine.
func LocalURL(c *config.Config) string {
	scheme := "http"
	if c.TLS.Enabled() {
		scheme = "https"
	}
	hostname, port, _ := net.SplitHostPort(c.Listen) // checked with the configuration
	if ip := net.ParseIP(hostname); hostname == "" || ip != nil && ip.IsUnspecified() {
		hostname = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(hostname, port)
}

// Shown is a URL as it may be shown: what follows the name of the source may be a token,
// and so may all of a path without a source.
func Shown(address string) string {
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

// Explain says what to do about a source that cannot be connected.
func Explain(name string, err error) error {
	if errors.Is(err, host.ErrUnsupported) {
		return fmt.Errorf("sources.%s.config: give base_url and api_key of the application, which is asked through its API", name)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("connect %s: the application at sources.%s.config.base_url did not answer within %s", name, name, Timeout)
	}
	return fmt.Errorf("connect %s: %w", name, err)
}

// WarnLoopback tells who connects an application on another machine to an address of this
// one alone.
func WarnLoopback(target, appURL string) string {
	if app, err := url.Parse(appURL); err != nil || app.Host == "" || IsLoopback(appURL) || !IsLoopback(target) {
		return ""
	}
	return "the application is told to post to its own machine: set external_url to where it reaches this server"
}

// IsLoopback reports whether a URL leads to the machine of whoever follows it.
func IsLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
