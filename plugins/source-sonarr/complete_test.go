package main

import (
	"context"
	"slices"
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
