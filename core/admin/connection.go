package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/connect"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Connection is what a look at an application's webhook found.
type Connection struct {
	connect.Connection
	At time.Time
	// config is what it was compared with.
	config *config.Config
}

// CheckConnection asks the application of a source, through its plugin, whether its webhook
// is as it should be. It changes nothing. What it finds is kept for LastConnection.
func (s *Service) CheckConnection(ctx context.Context, name string) (Connection, error) {
	if s.Connector == nil {
		return Connection{}, errNoServer
	}
	if _, err := s.sourceConfig(name); err != nil {
		return Connection{}, err
	}
	settings := s.Settings.Config()
	address, credentials, err := connect.Address(settings, name)
	if err != nil {
		return Connection{}, conflict("%v", err)
	}
	asking, cancel := context.WithTimeout(ctx, connect.Timeout)
	defer cancel()
	said, err := s.Connector.Connect(asking, name, sdk.ConnectRequest{Action: sdk.ConnectCheck, URL: address, Credentials: credentials})
	if err != nil && ctx.Err() != nil {
		return Connection{}, ctx.Err()
	}
	switch explained := connect.Explain(name, err); {
	case errors.Is(err, pluginhost.ErrUnavailable), errors.Is(err, pluginhost.ErrCrashed), errors.Is(err, pluginhost.ErrPluginBug):
		return Connection{}, explained
	case errors.Is(err, host.ErrUnsupported):
		return Connection{}, conflict("%v", explained)
	case err != nil:
		return Connection{}, NewProblem(http.StatusBadGateway, explained.Error())
	}
	c := Connection{Connection: connect.Describe(name, address, said), At: time.Now(), config: settings}
	s.connections.Store(name, c)
	return c, nil
}

// LastConnection returns what CheckConnection found last, unless the settings were read
// again since.
func (s *Service) LastConnection(name string) (Connection, bool) {
	v, _ := s.connections.Load(name)
	c, ok := v.(Connection)
	return c, ok && c.config == s.Settings.Config()
}
