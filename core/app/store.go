package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/sdk"
)

// errDatabaseURL says what a database URL looks like, without the one that was given:
// it may hold a password.
var errDatabaseURL = errors.New("database.url: want sqlite://PATH, such as sqlite://./data/hookarr.db, or postgres://USER:PASSWORD@HOST/DATABASE")

// OpenStore opens the database that a URL names. It neither waits for a server nor
// migrates.
func OpenStore(ctx context.Context, url sdk.Secret, log *slog.Logger) (*store.Store, error) {
	scheme, path, ok := strings.Cut(url.Reveal(), "://")
	if !ok || path == "" {
		return nil, errDatabaseURL
	}
	switch scheme {
	case "sqlite":
		s, err := sqlite.Open(ctx, path, log)
		if err != nil {
			return nil, fmt.Errorf("open database: %w (see database.url)", err)
		}
		return s, nil
	case "postgres", "postgresql":
		s, err := postgres.Open(ctx, url.Reveal(), log)
		if err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
		return s, nil
	default:
		return nil, errDatabaseURL
	}
}
