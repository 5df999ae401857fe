package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// statements are those that every event needs, prepared once. They are prepared
// outside of transactions, when the tables are there; others are parsed each time.
type statements struct {
	mu      sync.Mutex
	byQuery map[string]*sql.Stmt
	// load is LoadWork's, of the reading connections.
	load *sql.Stmt
}

func (s *statements) prepare(ctx context.Context, write, read *sql.DB) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byQuery != nil {
		return nil
	}
	prepared := make(map[string]*sql.Stmt)
	for _, query := range []string{
		holdReasonSQL, claimSQL, ownerSQL, insertEventSQL, insertDeliverySQL, freeProbeSQL, settleSQL, insertAttemptSQL,
	} {
		stmt, err := write.PrepareContext(ctx, query) //nolint:sqlclosecheck // close does
		if err != nil {
			return fmt.Errorf("prepare statements: %w", err)
		}
		prepared[query] = stmt
	}
	load, err := read.PrepareContext(ctx, loadSQL)
	if err != nil {
		return fmt.Errorf("prepare statements: %w", err)
	}
	s.byQuery, s.load = prepared, load
	return nil
}

// all returns what is prepared, by query. It does not change any more once there.
func (s *statements) all() map[string]*sql.Stmt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byQuery
}

func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.load == nil {
		return nil
	}
	errs := []error{s.load.Close()}
	for _, stmt := range s.byQuery {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}
