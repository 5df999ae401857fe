package arrtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// Installation is an application that runs until the test ends, with the source that
// is configured for it.
type Installation struct {
	*fakearr.Arr
	URL    string
	Source sdk.Source
	t      testing.TB
	clock  time.Time
}

// Install starts an application, whose clock goes on by ten minutes whenever the test
// says, and configures its source.
func Install(tb testing.TB, app fakearr.App, newSource sdk.NewSource[api.Config]) *Installation {
	tb.Helper()
	in := &Installation{t: tb, clock: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	in.Arr = fakearr.New(app, fakearr.Options{Now: func() time.Time { return in.clock }, URLBase: "/base"})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.ServeHTTP(undated{w}, r)
	}))
	tb.Cleanup(server.Close)
	in.URL = server.URL + "/base"
	env := sdk.Env{Instance: "arr", HTTP: &sdk.HTTP{}}
	var err error
	in.Source, err = newSource(tb.Context(), env, api.Config{BaseURL: in.URL, APIKey: sdk.Secret(in.APIKey())})
	require.NoError(tb, err)
	return in
}

// undated answers without a date: the installation's clock is the test's, not one that
// is off.
type undated struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (u undated) WriteHeader(status int) {
	u.Header()["Date"] = nil
	u.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (u undated) Write(b []byte) (int, error) {
	u.Header()["Date"] = nil
	return u.ResponseWriter.Write(b)
}

// Later lets ten minutes pass.
func (in *Installation) Later() { in.clock = in.clock.Add(10 * time.Minute) }

// Kept are the types of events that the history of an application with videos keeps.
func Kept() []sdk.Type {
	return []sdk.Type{
		sdk.TypeReleaseGrabbed, sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeFileDeleted,
		sdk.TypeFileDeletedForUpgrade, sdk.TypeFileRenamed,
	}
}

// Live lets everything that the history keeps happen to two titles.
func (in *Installation) Live(first, second fakearr.Title) {
	in.t.Helper()
	ctx := context.Background()
	first, err := in.Add(ctx, first)
	require.NoError(in.t, err)
	second, err = in.Add(ctx, second)
	require.NoError(in.t, err)
	for _, id := range []int{first.ID, second.ID} {
		in.Later()
		d, err := in.Grab(ctx, id, fakearr.Release{})
		require.NoError(in.t, err)
		_, err = in.Import(ctx, d.ID)
		require.NoError(in.t, err)
	}
	d, err := in.Grab(ctx, first.ID, fakearr.Release{Quality: "Bluray-2160p", Name: "First.2160p"})
	require.NoError(in.t, err)
	in.Later()
	files, err := in.Import(ctx, d.ID)
	require.NoError(in.t, err)
	in.Later()
	require.NoError(in.t, in.Rename(ctx, first.ID, " {edition}"))
	in.Later()
	require.NoError(in.t, in.DeleteFile(ctx, files[0].ID, fakearr.MissingFromDisk))
	failed, err := in.Grab(ctx, second.ID, fakearr.Release{})
	require.NoError(in.t, err)
	require.NoError(in.t, in.FailDownload(ctx, failed.ID, "broken"))
}

// Past reads the history of an hour from the beginning, in pages of a size.
func (in *Installation) Past(size int) []sdk.PastEvent {
	in.t.Helper()
	q := sdk.HistoryQuery{Since: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), Limit: size}
	var all []sdk.PastEvent
	for range 1000 {
		page, err := in.Source.(sdk.Historian).History(context.Background(), q)
		require.NoError(in.t, err)
		require.LessOrEqual(in.t, len(page.Events), size)
		require.NotEmpty(in.t, page.Cursor)
		all = append(all, page.Events...)
		if !page.More {
			return all
		}
		require.NotEqual(in.t, q.Cursor, page.Cursor)
		q.Cursor = page.Cursor
	}
	require.Fail(in.t, "the history does not end")
	return nil
}

// Webhooks are the events of what the application sent, or would have.
func (in *Installation) Webhooks() []sdk.Event {
	in.t.Helper()
	var all []sdk.Event
	for _, w := range in.Events() {
		e, err := Decode(in.Source, w.Body, nil)
		if _, skipped := sdk.SkipReason(err); skipped {
			continue
		}
		require.NoError(in.t, err)
		e.Time = w.Time
		all = append(all, e)
	}
	return all
}

// Fetched is what the source makes of an event that says no more than which title,
// parts and files it is about.
func (in *Installation) Fetched(e sdk.Event) sdk.Event {
	in.t.Helper()
	bare := sdk.Event{Type: e.Type, Title: e.Title, Media: &sdk.Media{Kind: e.Media.Kind, ID: e.Media.ID, Title: "as the webhook says"}}
	for _, x := range e.Episodes {
		bare.Episodes = append(bare.Episodes, sdk.Episode{ID: x.ID, Title: "as the webhook says"})
	}
	for _, x := range e.Albums {
		bare.Albums = append(bare.Albums, sdk.Album{ID: x.ID, Title: "as the webhook says"})
	}
	for _, x := range e.Files {
		bare.Files = append(bare.Files, sdk.File{ID: x.ID, Quality: "as the webhook says"})
	}
	fetched, err := in.Source.(sdk.Fetcher).Fetch(context.Background(), bare)
	require.NoError(in.t, err)
	require.Equal(in.t, "as the webhook says", fetched.Media.Title)
	require.NotEmpty(in.t, fetched.Files)
	for i := range fetched.Files {
		require.Equal(in.t, "as the webhook says", fetched.Files[i].Quality)
		require.Equal(in.t, e.Files[i].Path, fetched.Files[i].Path)
		require.Equal(in.t, e.Files[i].SizeBytes, fetched.Files[i].SizeBytes)
	}
	require.NotEmpty(in.t, fetched.Media.Overview)
	require.NotEmpty(in.t, fetched.Media.Genres)
	require.NotEmpty(in.t, fetched.Media.Tags)
	require.NotEmpty(in.t, fetched.Media.Poster)
	require.NotEmpty(in.t, fetched.Media.Fanart)
	require.Equal(in.t, e.Media.IDs, fetched.Media.IDs)
	require.Equal(in.t, e.Media.Path, fetched.Media.Path)
	return fetched
}

// Imported is the youngest import that the application told of.
func (in *Installation) Imported() sdk.Event {
	in.t.Helper()
	for _, e := range slices.Backward(in.Webhooks()) {
		if e.Type == sdk.TypeMediaImported || e.Type == sdk.TypeMediaUpgraded {
			return e
		}
	}
	require.Fail(in.t, "nothing was imported")
	return sdk.Event{}
}

// Twins checks that the history tells each of the webhooks of the types that it keeps,
// once and in order, whatever the size of the pages and the order of the records.
func (in *Installation) Twins(types ...sdk.Type) []sdk.PastEvent {
	in.t.Helper()
	in.Trouble(fakearr.Trouble{Unordered: true, Overlap: 2})
	in.twins(types)
	in.Trouble(fakearr.Trouble{})
	return in.twins(types)
}

func (in *Installation) twins(types []sdk.Type) []sdk.PastEvent {
	in.t.Helper()
	type twin struct {
		Type                           sdk.Type
		Fingerprint, Key               string
		App, Instance, Title, Summary  string
		Native, Reason, Client, Folder string
		Files, Deleted                 []string
		Time                           time.Time
	}
	of := func(e sdk.Event) twin {
		out := twin{Type: e.Type, Fingerprint: e.Fingerprint, Key: e.CorrelationKey, App: e.App, Instance: e.Instance, Title: e.Title, Summary: e.Summary, Native: e.NativeType, Reason: e.DeleteReason, Time: e.Time.Truncate(time.Second)}
		if e.Media != nil {
			out.Folder = e.Media.Path
		}
		if e.Download != nil {
			out.Client = e.Download.Client + e.Download.ID
		}
		for _, f := range e.Files {
			if strings.HasPrefix(string(e.Type), "file.") {
				f.ID = ""
			}
			out.Files = append(out.Files, f.ID+f.Path+f.Quality)
		}
		for _, f := range e.DeletedFiles {
			out.Deleted = append(out.Deleted, f.Path+f.Quality)
		}
		if strings.HasPrefix(string(e.Type), "file.") {
			// The file, and its id, may be gone.
			out.Key = ""
		}
		return out
	}
	var want []twin
	for _, e := range in.Webhooks() {
		if slices.Contains(types, e.Type) {
			want = append(want, of(e))
		}
	}
	require.NotEmpty(in.t, want)
	var past []sdk.PastEvent
	for _, size := range []int{1, 2, 3, 100} {
		past = in.Past(size)
		var got []twin
		for _, p := range past {
			require.NotEmpty(in.t, p.Record)
			got = append(got, of(p.Event))
		}
		require.Equal(in.t, want, got, "pages of %d", size)
	}
	return past
}
