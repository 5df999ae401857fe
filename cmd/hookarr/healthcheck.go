package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/connect"
)

const (
	// healthTimeout bounds the whole. The server takes up to 3 s to know that its database
	// does not answer.
	healthTimeout = 8 * time.Second
	// maxHealth is in bytes.
	maxHealth = 64 << 10
)

func (c *cli) newHealthcheck() *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask whether the server that runs here is ready",
		Long: `Healthcheck asks the server of the configuration whether it takes webhooks and stores
them, and says why not. Exit code 0 is that it does, even where a plugin is out of order, and
1 that it does not. It asks at the unix socket, or, where that does not let it in, at the
listener, and needs no token.`,
		Example: `  hookarr healthcheck
  docker inspect --format '{{.State.Health.Status}}' hookarr`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), healthTimeout)
			defer cancel()
			f, err := c.readSettings()
			if err != nil {
				return err
			}
			said, err := askReady(ctx, f.config)
			if err != nil {
				return err
			}
			return c.say("%s", clean(said, whole))
		},
	}
}

// askReady asks the server of a configuration, and returns what it says of itself.
func askReady(ctx context.Context, cfg *config.Config) (string, error) {
	d := net.Dialer{Timeout: healthTimeout}
	socket := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "unix", cfg.AdminSocket())
	}}
	said, err := readyAt(ctx, socket, "http://localhost")
	if !errors.As(err, new(*url.Error)) && !errors.Is(err, errNotAsked) {
		return said, err
	}
	address := connect.LocalURL(cfg)
	if cfg.Admin.Listen != "" && !cfg.SharesListener() {
		address = connect.LocalURL(&config.Config{Listen: cfg.Admin.Listen})
	}
	listener := &http.Transport{
		DisableKeepAlives: true, DialContext: d.DialContext,
		// It asks this machine for what is no secret, and not by the name in the certificate.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	}
	said, err = readyAt(ctx, listener, address)
	if errors.As(err, new(*url.Error)) {
		return "", fmt.Errorf("no server answers at %s, nor at %s", cfg.AdminSocket(), address)
	}
	return said, err
}

// errNotAsked is of a socket whose server answers other users.
var errNotAsked = errors.New("the socket is for another user")

func readyAt(ctx context.Context, transport http.RoundTripper, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/readyz", http.NoBody)
	if err != nil {
		return "", fmt.Errorf("ask the server: %w", err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Status, Reason string
		Plugins        map[string]string
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxHealth)).Decode(&answer)
	switch {
	case resp.StatusCode == http.StatusForbidden:
		return "", errNotAsked
	case err != nil || answer.Status == "":
		return "", fmt.Errorf("what answers at %s is no hookarr: status %d", address, resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s: %s", answer.Status, answer.Reason)
	case len(answer.Plugins) > 0:
		return fmt.Sprintf("%s: %s: hookarr plugins list", answer.Status, counted(len(answer.Plugins), "plugin is out of order", "plugins are out of order")), nil
	default:
		return answer.Status, nil
	}
}
