package store

import (
	"bytes"
	"slices"
	"time"

	"github.com/google/uuid"
)

// UnconfiguredReason is why the deliveries of a target that left the configuration
// are held.
const UnconfiguredReason = "target is not configured"

// ReconcileGrace is how old a row must be before Reconcile doubts that it has a job.
const ReconcileGrace = 5 * time.Second

// defaultPage is the length of a list without a limit.
const defaultPage = 50

// SortIDs puts ids in the order of their creation.
func SortIDs(ids []uuid.UUID) {
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}

// Below is the id that a list continues below.
func Below(before uuid.UUID) uuid.UUID {
	if before == uuid.Nil {
		return uuid.Max
	}
	return before
}

// Page is the length of a list.
func Page(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return limit
}
