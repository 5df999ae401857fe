package sonarr

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

func installComplete(t *testing.T) *arrtest.Installation {
	t.Helper()
	return arrtest.Install(t, fakearr.Sonarr, func(ctx context.Context, env sdk.Env, c api.Config) (sdk.Source, error) {
		return newSource(ctx, env, config{Config: c, ImportPair: pairComplete})
	})
}

func TestHistoryTellsOfCompleteDownloads(t *testing.T) {
	t.Parallel()
	in := installComplete(t)
	in.Live(dark(), fakearr.Title{Name: "Severance", Year: 2022, TVDB: 371980, Episodes: []fakearr.Episode{{Season: 2, Number: 3, Title: "Who Is Alive?", Aired: "2025-01-31"}}})
	kept := slices.DeleteFunc(arrtest.Kept(), func(of sdk.Type) bool { return of == sdk.TypeMediaImported || of == sdk.TypeMediaUpgraded })
	past := in.Twins(append(kept, sdk.TypeImportCompleted)...)
	var completed []sdk.Event
	for _, p := range past {
		if p.Event.Type == sdk.TypeImportCompleted {
			completed = append(completed, p.Event)
		}
	}
	require.Len(t, completed, 3)
	require.Len(t, completed[0].Files, 3)
	require.Len(t, completed[0].Episodes, 3)
}

func TestAFileListedTwiceCompletesTheSame(t *testing.T) {
	t.Parallel()
	arrtest.Fingerprints(t, decoder{}, map[string]arrtest.Change{
		"a file of two episodes": arrtest.Same("import_complete_season", func(m map[string]any) {
			files := m["episodeFiles"].([]any)
			m["episodeFiles"] = append(files, files[0])
		}),
	})
}

// retold is the history of an installation with its imports changed. One for which
// change returns false is not there.
func retold(t *testing.T, in *arrtest.Installation, change func(record map[string]any) bool) []sdk.PastEvent {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/history") {
			in.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		in.ServeHTTP(answer, r)
		var all []any
		var page map[string]any
		if json.Unmarshal(answer.Body.Bytes(), &page) == nil {
			all = page["records"].([]any)
		} else if err := json.Unmarshal(answer.Body.Bytes(), &all); err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		all = slices.DeleteFunc(all, func(r any) bool {
			record := r.(map[string]any)
			return record["eventType"] == "downloadFolderImported" && !change(record)
		})
		if page == nil {
			_ = json.NewEncoder(w).Encode(all)
			return
		}
		page["records"] = all
		_ = json.NewEncoder(w).Encode(page)
	}))
	t.Cleanup(server.Close)
	s, err := newSource(t.Context(), sdk.Env{HTTP: &sdk.HTTP{}}, config{
		Config: api.Config{BaseURL: server.URL + "/base", APIKey: sdk.Secret(in.APIKey())}, ImportPair: pairComplete,
	})
	require.NoError(t, err)
	changed := *in
	changed.Source = s
	return slices.DeleteFunc(changed.Past(1), func(p sdk.PastEvent) bool { return p.Event.Type == sdk.TypeReleaseGrabbed })
}

func TestADownloadIsCompleteWithItsLastFile(t *testing.T) {
	t.Parallel()
	in := installComplete(t)
	title, err := in.Add(t.Context(), dark())
	require.NoError(t, err)
	d, err := in.Grab(t.Context(), title.ID, fakearr.Release{})
	require.NoError(t, err)
	in.Later()
	_, err = in.Import(t.Context(), d.ID)
	require.NoError(t, err)
	webhooks := in.Webhooks()
	told := webhooks[len(webhooks)-1]
	require.Equal(t, sdk.TypeImportCompleted, told.Type)
	is := func(record map[string]any, episode int) bool {
		return record["episodeId"] == float64(title.Episodes[episode].ID)
	}

	past := retold(t, in, func(record map[string]any) bool {
		if is(record, 0) {
			record["date"] = "2026-11-23T10:05:00Z" // The files that follow are large.
		}
		return true
	})
	require.Len(t, past, 1)
	require.Equal(t, told.Fingerprint, past[0].Event.Fingerprint)
	require.Len(t, past[0].Event.Files, 3)
	require.Empty(t, retold(t, in, func(record map[string]any) bool { return !is(record, 2) }), "one is not imported yet")
	require.Empty(t, retold(t, in, func(record map[string]any) bool { record["downloadId"] = nil; return true }), "by hand")
}
