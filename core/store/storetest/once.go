package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
)

func testClaim(t *testing.T, db Database) {
	first, second := event.NewID(), event.NewID()
	claim := func(key string, window time.Duration, owner [16]byte) [16]byte {
		got, err := db.Store.Claim(t.Context(), key, window, owner)
		require.NoError(t, err)
		return got
	}
	require.EqualValues(t, first, claim("a", time.Hour, first))
	require.EqualValues(t, first, claim("a", time.Hour, second))
	require.EqualValues(t, second, claim("b", time.Hour, second))
	require.NoError(t, db.Store.Unclaim(t.Context(), "a"))
	require.EqualValues(t, second, claim("a", time.Hour, second))
	require.EqualValues(t, first, claim("short", time.Microsecond, first))
	time.Sleep(2 * time.Millisecond) // longer than its window
	require.EqualValues(t, second, claim("short", time.Hour, second))
	require.NoError(t, db.Store.Unclaim(t.Context(), "never taken"))
}
