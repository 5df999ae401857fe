package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
)

func TestDigestsAreBoundedByTheirEvents(t *testing.T) {
	t.Parallel()
	of := func(members ...int) (list []event.Delivery) {
		for _, n := range members {
			list = append(list, event.Delivery{Members: n})
		}
		return list
	}
	require.Empty(t, WithinDigest(nil, 10))
	require.Empty(t, WithinDigest(of(1), 10), "one needs no digest")
	require.Len(t, WithinDigest(of(4, 6, 1, 1), 10), 2)
	require.Len(t, WithinDigest(of(100, 100, 1), 10), 2, "two at least, so that the next come in turn")
	require.Len(t, WithinDigest(of(1, 1, 1), 10), 3)
}
