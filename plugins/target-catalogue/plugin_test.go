package catalogue

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// config is what a person configures for a place.
func (k kept) config(t *testing.T) map[string]any {
	t.Helper()
	if k.place == placePostgres {
		return map[string]any{"url": k.address, "schema": "hookarr_catalogue"}
	}
	return map[string]any{"url": string(k.place) + "://" + k.address}
}

func TestPluginTakesEveryEvent(t *testing.T) {
	t.Parallel()
	for _, k := range places(t) {
		t.Run(string(k.place), func(t *testing.T) {
			t.Parallel()
			p := plugintest.StartTarget(t, info(), newTarget, k.config(t))
			before, err := p.Test(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, sdk.ClassOK, before.Class, before.Message)
			for i, e := range plugintest.Events() {
				if e.Type == sdk.TypeMediaDeleted {
					continue
				}
				e.ID, e.Time = e.ID+strconv.Itoa(i), e.Time.Add(time.Duration(i)*time.Second)
				o, err := p.Deliver(t.Context(), plugintest.Delivery(t, e.ID, e))
				require.NoError(t, err)
				require.Equal(t, sdk.ClassOK, o.Class, "%s: %s", e.Type, o.Message)
			}
			after, err := p.Test(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, sdk.ClassOK, after.Class, after.Message)
			require.Contains(t, after.Receipt.Excerpt, "version 1; sources: 1, titles: 1,")
			require.Contains(t, after.Receipt.Excerpt, "files: 0", "it was deleted")
		})
	}
}

func TestPluginDescribesItself(t *testing.T) {
	t.Parallel()
	p := plugintest.StartTarget(t, info(), newTarget, map[string]any{"url": "sqlite:///nowhere/catalogue.db"})
	d, err := p.Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, "catalogue", d.Name)
	require.ElementsMatch(t, []sdk.Feature{sdk.FeatureGroup, sdk.FeatureTest}, d.Features)
}

// The password is in no error and in no log, and the URL is.
func TestPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	const password = "pass-w0rd&secret"
	p := plugintest.StartTarget(t, info(), newTarget, map[string]any{"url": "postgres://hookarr@127.0.0.1:1/media", "password": password})
	o, err := p.Deliver(t.Context(), plugintest.Delivery(t, "d", plugintest.EventOf(sdk.TypeMediaAdded)))
	require.NoError(t, err)
	require.Equal(t, sdk.ClassRetryable, o.Class, o.Message)
	require.Contains(t, o.Message, "127.0.0.1:1")
	require.NotContains(t, o.Message+o.Receipt.Excerpt+p.Logs(), password)
}

// Postgres takes no U+0000, which events of broken metadata have.
func TestTextsWithNUL(t *testing.T) {
	t.Parallel()
	for _, k := range places(t) {
		t.Run(string(k.place), func(t *testing.T) {
			t.Parallel()
			p := plugintest.StartTarget(t, info(), newTarget, k.config(t))
			e := plugintest.EventOf(sdk.TypeMediaAdded)
			e.Media.Title, e.Media.Tags, e.Media.ID = "A\x00B", []string{"\x00", `\u0000`}, "7\x00"
			o, err := p.Deliver(t.Context(), plugintest.Delivery(t, "d", e))
			require.NoError(t, err)
			require.Equal(t, sdk.ClassOK, o.Class, o.Message)
			if k.place == placeDir {
				data, err := os.ReadFile(filepath.Join(k.address, e.Source, "titles.json"))
				require.NoError(t, err)
				require.Contains(t, string(data), `"AB"`)
				return
			}
			schema := ""
			if k.place == placePostgres {
				schema = "hookarr_catalogue."
			}
			var title, id string
			var tags []byte
			require.NoError(t, k.database(t).QueryRowContext(t.Context(), "SELECT title, id, tags FROM "+schema+"library").Scan(&title, &id, &tags))
			require.Equal(t, "AB", title)
			require.Equal(t, "7", id)
			var list []string
			require.NoError(t, json.Unmarshal(tags, &list))
			require.Equal(t, []string{"", `\u0000`}, list)
		})
	}
}

func TestTestChangesNothing(t *testing.T) {
	t.Parallel()
	k := kept{placePostgres, testpg.New(t)}
	p := plugintest.StartTarget(t, info(), newTarget, k.config(t))
	o, err := p.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Contains(t, o.Receipt.Excerpt, "the tables are made with the first delivery")
	var schemas int
	require.NoError(t, k.database(t).QueryRowContext(t.Context(), `SELECT count(*) FROM pg_namespace WHERE nspname = 'hookarr_catalogue'`).Scan(&schemas))
	require.Zero(t, schemas)
}

// Whatever an event holds, it is written: also where columns have types.
func TestAnyEventIsTaken(t *testing.T) {
	t.Parallel()
	p := plugintest.StartTarget(t, info(), newTarget, kept{placePostgres, testpg.New(t)}.config(t))
	n := 0
	eventtest.Check(t, func(rt require.TestingT, e sdk.Event) {
		n++
		e.Source, e.Time = "any", time.Date(2026, 11, 1, 10, 0, n, 0, time.UTC)
		if e.Media != nil {
			e.Media.ID = e.Media.Title
		}
		o, err := p.Deliver(t.Context(), plugintest.Delivery(t, strconv.Itoa(n), e))
		require.NoError(rt, err)
		require.Equal(rt, sdk.ClassOK, o.Class, o.Message)
	})
}
