// Package catalogue keeps what all instances have in Postgres, SQLite or
// JSON files, for other programs to read.
package catalogue

import (
	"context"
	"io"
	"time"

	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/database"
	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/folder"
	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "catalogue",
		Version:  "0.1.0",
		Summary:  "Keeps what all instances have in a database or in JSON files, for other programs.",
		Features: []sdk.Feature{sdk.FeatureGroup, sdk.FeatureTest},
		// Events may come in any order. Libraries of different sources are written at once
		// where the database can; files have one writer at a time by themselves.
		Defaults: sdk.Defaults{
			Concurrency: 4,
			Group:       sdk.GroupDefaults{By: "title", Wait: 2 * time.Second, MaxWait: 10 * time.Second, Max: 200},
		},
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

// keeper keeps libraries somewhere.
type keeper interface {
	// Keep writes what the events of a delivery say, once. Its error has a class.
	Keep(ctx context.Context, delivery string, events []sdk.Event) error
	// Check says in one sentence what there is.
	Check(ctx context.Context) (string, error)
	io.Closer
}

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	where, address, err := c.place()
	if err != nil {
		return nil, err
	}
	t := &target{}
	switch where {
	case placePostgres:
		if t.keeper, err = database.OpenPostgres(address, c.Password.Reveal(), c.Schema, time.Duration(c.KeepChanges), env.Log); err != nil {
			return nil, sdk.Problem("url", "is no URL of a database: "+err.Error())
		}
	case placeSQLite:
		if t.keeper, err = database.OpenSQLite(address, c.mode(), time.Duration(c.KeepChanges), env.Log); err != nil {
			return nil, sdk.Problem("url", err.Error())
		}
	case placeDir:
		t.keeper = folder.Open(address, c.mode())
	}
	return t, nil
}
