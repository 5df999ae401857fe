package store

import (
	"context"
	"testing"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"
)

// ending is a queue whose catch-up job ends after it was found.
type ending struct{ inserted []bool }

func (e *ending) Insert(context.Context, river.JobArgs, *river.InsertOpts) (*rivertype.JobInsertResult, error) {
	there := len(e.inserted) == 0
	e.inserted = append(e.inserted, !there)
	return &rivertype.JobInsertResult{Job: &rivertype.JobRow{ID: 1}, UniqueSkippedAsDuplicate: there}, nil
}

func (*ending) JobRetry(context.Context, int64) (*rivertype.JobRow, error) {
	return nil, rivertype.ErrNotFound
}

// TestCatchupIsAskedOfAJobThatEnds meets the end of the job that there was.
func TestCatchupIsAskedOfAJobThatEnds(t *testing.T) {
	t.Parallel()

	var jobs ending
	_, err := Hurry(t.Context(), &jobs, CatchupArgs{Source: "radarr"})
	require.NoError(t, err)
	require.Equal(t, []bool{false, true}, jobs.inserted)
}
