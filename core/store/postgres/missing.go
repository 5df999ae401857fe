package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// missingDriver is River's driver, whose fast way to insert jobs leaves out those that are
// live. River's own way to find them writes their rows, and who fetches jobs meanwhile
// passes over the locked ones: a target with one worker would get younger deliveries
// before older ones.
type missingDriver struct{ *riverpgxv5.Driver }

// UnwrapExecutor returns the executor of a transaction.
func (d missingDriver) UnwrapExecutor(t pgx.Tx) riverdriver.ExecutorTx {
	return missingTx{ExecutorTx: d.Driver.UnwrapExecutor(t), tx: t}
}

type missingTx struct {
	riverdriver.ExecutorTx
	tx pgx.Tx
}

// liveSQL has the condition of River's unique index.
const liveSQL = `
SELECT unique_key FROM river_job
WHERE unique_key = ANY($1) AND unique_states IS NOT NULL AND river_job_state_in_bitmask(unique_states, state)`

// JobInsertFastManyNoReturning inserts jobs that are not live and returns how many those
// are.
func (t missingTx) JobInsertFastManyNoReturning(ctx context.Context, params *riverdriver.JobInsertFastManyParams) (int, error) {
	keys := make([][]byte, len(params.Jobs))
	for i, job := range params.Jobs {
		keys[i] = job.UniqueKey
	}
	rows, err := t.tx.Query(ctx, liveSQL, keys)
	known, err := collect(rows, err, func(rows pgx.Rows) (key []byte, err error) {
		err = rows.Scan(&key)
		return key, err
	})
	if err != nil {
		return 0, fmt.Errorf("look for live jobs: %w", err)
	}
	live := make(map[string]bool, len(known))
	for _, key := range known {
		live[string(key)] = true
	}
	missing := &riverdriver.JobInsertFastManyParams{Schema: params.Schema}
	for _, job := range params.Jobs {
		if !live[string(job.UniqueKey)] {
			missing.Jobs = append(missing.Jobs, job)
		}
	}
	if len(missing.Jobs) == 0 {
		return 0, nil
	}
	// One that another node inserts meanwhile is no error.
	results, err := t.JobInsertFastMany(ctx, missing)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, r := range results {
		if !r.UniqueSkippedAsDuplicate {
			n++
		}
	}
	return n, nil
}
