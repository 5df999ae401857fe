package outage_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/outage"
)

func TestTroubleThatGoesOnIsNoChange(t *testing.T) {
	t.Parallel()
	var c outage.Changes
	down, refused := errors.New("no answer"), errors.New("the key is refused")
	require.False(t, c.Note("radarr", nil), "it was well")
	require.True(t, c.Note("radarr", down))
	require.False(t, c.Note("radarr", down))
	require.True(t, c.Note("sonarr", down), "another's")
	require.True(t, c.Note("radarr", refused))
	require.True(t, c.Note("radarr", nil))
	require.False(t, c.Note("radarr", nil))
}
