package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk"
)

func TestLintKnowsTheWordsOfTheApplications(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"Grab": "release.grabbed", "Download": "media.imported, media.upgraded", "Upgrade": "media.upgraded", "Rename": "file.renamed",
		"MovieDelete": "media.deleted", "SeriesAdd": "media.added", "EpisodeFileDelete": "file.deleted", "HealthIssue": "health.issue",
		"Health": "health.issue", "Test": "test", "onMovieFileDeleteForUpgrade": "file.deleted_for_upgrade", "On Import": "media.imported, media.upgraded",
		"TrackRetag": "file.retagged", "ManualInteractionRequired": "manual_interaction.required", "ApplicationUpdate": "app.updated",
	} {
		cfg, err := config.Load(write(t, fmt.Sprintf("sources: {radarr: {plugin: radarr, auth: [{none: }]}}\ntargets: {ops: {plugin: webhook}}\nroutes: [{name: a, types: [%q], to: ops}]", word)))
		require.NoError(t, err)
		problems := lint(cfg)
		require.Len(t, problems, 1)
		require.Equal(t, fmt.Sprintf("%q matches no event type, but is an application's own word: write %s", word, want), problems[0].Message)
		require.Equal(t, "routes[0].types[0]", problems[0].Key)
		for typ := range strings.SplitSeq(want, ", ") {
			require.Contains(t, sdk.Types(), sdk.Type(typ))
		}
	}
	require.Equal(t, `; did you mean "media.imported"?`, suggestType("media.importd"))
	require.Empty(t, suggestType("party"))
}
