package template_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

func TestTheMostSpecificKeyWins(t *testing.T) {
	t.Parallel()
	all := template.ByType[string]{
		"*": "any", "media.*": "media", "*.deleted": "deleted", "media.imported": "imported", "health.?ssue": "health",
	}
	for typ, want := range map[sdk.Type]string{
		sdk.TypeMediaImported:             "media.imported",
		sdk.TypeMediaUpgraded:             "media.*",
		sdk.TypeMediaDeleted:              "*.deleted",
		sdk.TypeFileDeleted:               "*.deleted",
		sdk.TypeHealthIssue:               "health.?ssue",
		sdk.TypeTargetHeld:                "*",
		sdk.TypeManualInteractionRequired: "*",
	} {
		got, key, ok := all.For([]sdk.Event{{Type: sdk.TypeReleaseGrabbed}, {Type: typ}})
		require.True(t, ok, typ)
		require.Equal(t, want, key, typ)
		require.Equal(t, all[key], got)
	}
	_, key, ok := all.For([]sdk.Event{{Type: sdk.TypeMediaImported}, {Type: sdk.TypeFileRenamed}})
	require.True(t, ok)
	require.Equal(t, "media.imported", key, "a rename is no news")
	_, _, ok = template.ByType[string]{"media.*": ""}.For([]sdk.Event{{Type: sdk.TypeMediaImported}, {Type: sdk.TypeHealthIssue}})
	require.False(t, ok)
	_, _, ok = all.For(nil)
	require.False(t, ok)
	require.NoError(t, all.Problems("templates"))
	require.EqualError(t, template.ByType[string]{"media.[": ""}.Problems("templates"),
		`templates.media.[: is no event type and no pattern; write one such as media.imported, "media.*" or "*"`)
}
