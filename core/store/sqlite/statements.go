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
}

func (s *statements) prepare(ctx context.Context, db *sql.DB) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byQuery != nil {
		return nil
	}
	prepared := make(map[string]*sql.Stmt)
	for _, query := range []string{
		holdReasonSQL, claimSQL, ownerSQL, insertEventSQL, insertDeliverySQL, freeProbeSQL, settleSQL, insertAttemptSQL,
	} {
		stmt, err := db.PrepareContext(ctx, query) //nolint:sqlclosecheck // close does
		if err != nil {
			return fmt.Errorf("prepare statements: %w", err)
		}
		prepared[query] = stmt
	}
	s.byQuery = prepared
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
	var errs []error
	for _, stmt := range s.byQuery {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}
