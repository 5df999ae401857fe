package store_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store"
)

func TestNeighboursOfAnID(t *testing.T) {
	t.Parallel()

	low := uuid.MustParse("00000000-0000-0000-0000-0000000000ff")
	high := uuid.MustParse("00000000-0000-0000-0000-000000000100")
	require.Equal(t, low, store.UpTo(high))
	require.Equal(t, high, store.From(low))
	require.Equal(t, uuid.Max, store.UpTo(uuid.Nil), "a list begins with the newest")
}
