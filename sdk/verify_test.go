package sdk_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/pathmap"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// verifier is a target that accepts, and proves what its state says.
type verifier struct {
	receipt sdk.Receipt
	verify  func(d sdk.Delivery) (sdk.Receipt, error)
}

func (v verifier) Deliver(context.Context, sdk.Delivery) (sdk.Receipt, error) { return v.receipt, nil }

func (v verifier) Verify(_ context.Context, d sdk.Delivery) (sdk.Receipt, error) { return v.verify(d) }

func (verifier) Folders(_ context.Context, q sdk.FoldersQuery) (sdk.Folders, error) {
	if len(q.Titles) == 0 {
		return sdk.Folders{}, errors.New("the server refuses\nthe key " + "s3cret-key")
	}
	return sdk.Folders{
		Roots:  []sdk.Folder{{Path: "/data/\xff", Library: "TV", Kind: "series", FreeBytes: -1, Problem: "not\naccessible"}},
		Titles: q.Titles,
		Map:    []pathmap.Pair{{From: "/tv", To: "/data/tv", Source: "sonarr"}},
	}, nil
}

type keyConfig struct {
	Key sdk.Secret `json:"key"`
}

func verifying(t *testing.T, v verifier, features ...sdk.Feature) *host.Client {
	t.Helper()
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", Features: features},
		func(context.Context, sdk.Env, keyConfig) (sdk.Target, error) { return v, nil })
	client := host.NewClient(attach(t, p, err))
	configured, err := client.Configure(t.Context(), []host.Instance{{Name: "ops", Config: []byte(`{"key":"s3cret-key"}`)}}, false)
	require.NoError(t, err)
	require.Empty(t, configured.Problems)
	return client
}

func TestVerify(t *testing.T) {
	t.Parallel()
	e := plugintest.EventOf(sdk.TypeMediaImported)
	available := sdk.Event{Type: sdk.TypeLibraryAvailable, Title: e.Title, CorrelationKey: "story", Library: &sdk.Library{Target: "ops", Server: "Plex"}}
	accepted := sdk.Receipt{MessageID: "scan", State: []byte("1"), VerifyAfter: 5 * time.Second, ProveWithin: time.Hour, Waits: "the scan of s3cret-key\nruns"}
	var asked []sdk.Delivery
	client := verifying(t, verifier{receipt: accepted, verify: func(d sdk.Delivery) (sdk.Receipt, error) {
		asked = append(asked, d)
		switch {
		case string(d.Accepted.State) == "lost":
			return sdk.Receipt{VerifyAfter: time.Second}, sdk.Redeliver(errors.New("the scan is gone"))
		case d.Final:
			return sdk.Receipt{Events: []sdk.Event{{Type: sdk.TypeLibraryMissing, Title: e.Title}}}, sdk.Permanent(errors.New("not there"))
		case string(d.Accepted.State) == "many":
			return sdk.Receipt{Events: append(make([]sdk.Event, 1), fill(available, 1500)...)}, nil
		case string(d.Accepted.State) == "2":
			return sdk.Receipt{Events: []sdk.Event{available}}, nil
		}
		return sdk.Receipt{State: []byte("2"), VerifyAfter: time.Minute, Waits: "1 of 2 files"}, nil
	}}, sdk.FeatureVerify)
	d := plugintest.Delivery(t, "id", e)
	o, err := client.Deliver(t.Context(), "ops", d)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class)
	require.Equal(t, 5*time.Second, o.Receipt.VerifyAfter)
	require.Equal(t, time.Hour, o.Receipt.ProveWithin)
	require.Contains(t, o.Receipt.Waits, "runs")
	require.NotContains(t, o.Receipt.Waits, "s3cret-key")
	require.NotContains(t, o.Receipt.Waits, "\n")

	o, err = client.Verify(t.Context(), "ops", d, o.Receipt, false)
	require.NoError(t, err)
	require.Equal(t, time.Minute, o.Receipt.VerifyAfter)
	require.Equal(t, "1 of 2 files", o.Receipt.Waits)
	require.Equal(t, "scan", asked[0].Accepted.MessageID)
	require.Equal(t, []sdk.Event{e}, asked[0].Events)

	o, err = client.Verify(t.Context(), "ops", d, o.Receipt, false)
	require.NoError(t, err)
	require.Zero(t, o.Receipt.VerifyAfter, "it is proven")
	require.Len(t, o.Events, 1)
	require.Equal(t, e.Source, o.Events[0].Event.Source)
	require.Equal(t, "story", o.Events[0].Event.CorrelationKey)
	require.Contains(t, string(o.Events[0].JSON), `"origin":"target"`)
	require.Contains(t, string(o.Events[0].JSON), `"app":"`+e.App+`"`)

	o, err = client.Verify(t.Context(), "ops", d, sdk.Receipt{State: []byte("3")}, true)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Equal(t, sdk.TypeLibraryMissing, o.Events[0].Event.Type, "events come with any class")
	o, err = client.Verify(t.Context(), "ops", d, sdk.Receipt{State: []byte("lost")}, false)
	require.NoError(t, err)
	require.True(t, o.Redeliver)
	require.Equal(t, sdk.ClassRetryable, o.Class)
	require.Zero(t, o.Receipt.VerifyAfter)
	o, err = client.Verify(t.Context(), "ops", d, sdk.Receipt{State: []byte("many")}, false)
	require.NoError(t, err)
	require.Len(t, o.Events, 999, "the first is none, and 1000 are taken")
}

// An event that is none costs the delivery nothing, and its author is told.
func TestEventNotHandedBack(t *testing.T) {
	t.Parallel()
	target := plugintest.StartTarget(t, sdk.Info{Name: "t", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureVerify}},
		func(context.Context, sdk.Env, emptyConfig) (sdk.Target, error) {
			return verifier{receipt: sdk.Receipt{Events: []sdk.Event{{Title: "without a type"}}}}, nil
		}, map[string]any{})
	o, err := target.Deliver(t.Context(), plugintest.Delivery(t, "id", plugintest.EventOf(sdk.TypeMediaImported)))
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class)
	require.Contains(t, target.Logs(), "event not handed back")
}

func fill(e sdk.Event, n int) []sdk.Event {
	all := make([]sdk.Event, n)
	for i := range all {
		all[i] = e
	}
	return all
}

func TestVerifyWantsTheFeature(t *testing.T) {
	t.Parallel()
	client := verifying(t, verifier{receipt: sdk.Receipt{VerifyAfter: time.Second, Events: []sdk.Event{{Type: "a", Title: "t"}}}})
	d := plugintest.Delivery(t, "id", plugintest.EventOf(sdk.TypeMediaImported))
	o, err := client.Deliver(t.Context(), "ops", d)
	require.NoError(t, err)
	require.Zero(t, o.Receipt.VerifyAfter)
	require.Empty(t, o.Events)
	_, err = client.Verify(t.Context(), "ops", d, sdk.Receipt{}, false)
	require.ErrorIs(t, err, host.ErrUnsupported)
	_, err = client.Folders(t.Context(), "ops", sdk.FoldersQuery{})
	require.ErrorIs(t, err, host.ErrUnsupported)
}

func TestFolders(t *testing.T) {
	t.Parallel()
	client := verifying(t, verifier{}, sdk.FeatureFolders)
	titles := []sdk.FolderTitle{{Kind: "series", Title: "T\xff", Year: 2020, IDs: map[string]string{"tvdb": "1\xff"}, Path: "/tv/T"}}
	folders, err := client.Folders(t.Context(), "ops", sdk.FoldersQuery{Titles: titles})
	require.NoError(t, err)
	require.Equal(t, []sdk.Folder{{Path: "/data/\uFFFD", Library: "TV", Kind: "series", Problem: "not accessible"}}, folders.Roots)
	require.Equal(t, []sdk.FolderTitle{{Kind: "series", Title: "T\uFFFD", Year: 2020, IDs: map[string]string{"tvdb": "1\uFFFD"}, Path: "/tv/T"}}, folders.Titles)
	require.Equal(t, []pathmap.Pair{{From: "/tv", To: "/data/tv", Source: "sonarr"}}, folders.Map)
	_, err = client.Folders(t.Context(), "ops", sdk.FoldersQuery{})
	require.ErrorContains(t, err, "the server refuses")
	require.NotContains(t, err.Error(), "s3cret-key")
}

// lister is a source that has items.
type lister struct{ sdk.SourceFunc }

func (lister) Snapshot(_ context.Context, q sdk.SnapshotQuery) (sdk.SnapshotPage, error) {
	e := sdk.Event{App: "a", Type: sdk.TypeMediaAdded, Title: "t"}
	switch q.Cursor {
	case "keyless":
		return sdk.SnapshotPage{Items: []sdk.Item{{Event: e}}}, nil
	case "long":
		return sdk.SnapshotPage{Cursor: strings.Repeat("c", 5000), More: true}, nil
	case "nul":
		return sdk.SnapshotPage{Cursor: "a\x00", More: true}, nil
	case "fail":
		return sdk.SnapshotPage{}, errors.New("the application does not answer")
	}
	return sdk.SnapshotPage{Items: []sdk.Item{{Key: "movie/1", Event: e, GoneFingerprints: []string{strings.Repeat("f", 2000)}}}, Cursor: "next", More: q.Limit == 1, Total: 7}, nil
}

func (lister) Folders(_ context.Context, q sdk.FoldersQuery) (sdk.Folders, error) {
	return sdk.Folders{Titles: make([]sdk.FolderTitle, q.Sample)}, nil
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	p, err := sdk.NewSourcePlugin(sdk.Info{Name: "s", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureSnapshot, sdk.FeatureFolders}},
		func(context.Context, sdk.Env, emptyConfig) (sdk.Source, error) { return lister{}, nil })
	client := host.NewClient(attach(t, p, err))
	_, err = client.Configure(t.Context(), []host.Instance{{Name: "arr"}}, false)
	require.NoError(t, err)
	page, err := client.Snapshot(t.Context(), "arr", sdk.SnapshotQuery{Limit: 1})
	require.NoError(t, err)
	require.True(t, page.More)
	require.Equal(t, "next", page.Cursor)
	require.Equal(t, 7, page.Total)
	item := page.Items[0]
	require.Equal(t, "movie/1", item.Key)
	require.Equal(t, sdk.OriginSnapshot, item.Event.Origin)
	require.Equal(t, "arr", item.Event.Source)
	require.Len(t, item.GoneFingerprints[0], 1024)
	again, err := client.Snapshot(t.Context(), "arr", sdk.SnapshotQuery{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, item.JSON, again.Items[0].JSON, "nothing in it is of the moment")
	_, err = client.Snapshot(t.Context(), "arr", sdk.SnapshotQuery{Cursor: "keyless"})
	require.ErrorContains(t, err, "the item has no key")
	for _, cursor := range []string{"long", "nul"} {
		_, err = client.Snapshot(t.Context(), "arr", sdk.SnapshotQuery{Cursor: cursor})
		require.ErrorIs(t, err, host.ErrAnswer, cursor)
	}
	_, err = client.Snapshot(t.Context(), "arr", sdk.SnapshotQuery{Cursor: "fail"})
	require.ErrorContains(t, err, "the application does not answer")
	folders, err := client.Folders(t.Context(), "arr", sdk.FoldersQuery{Sample: 3})
	require.NoError(t, err)
	require.Len(t, folders.Titles, 3)
}

// A plugin says what it can; an instance that cannot is a bug that is told at once.
func TestDeclaredPowersAreThere(t *testing.T) {
	t.Parallel()
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureVerify, sdk.FeatureFolders}},
		func(context.Context, sdk.Env, emptyConfig) (sdk.Target, error) { return sdk.TargetFunc(nil), nil })
	configured, err := host.NewClient(attach(t, p, err)).Configure(t.Context(), []host.Instance{{Name: "ops"}}, false)
	require.NoError(t, err)
	require.Len(t, configured.Problems, 2)
	_, err = sdk.NewTargetPlugin(sdk.Info{Name: "t", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureSnapshot}},
		func(context.Context, sdk.Env, emptyConfig) (sdk.Target, error) { return sdk.TargetFunc(nil), nil })
	require.ErrorContains(t, err, "snapshot")
}
