package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hookarr/hookarr/core/store"
)

// The server's codes for a transaction that may not write, and for a full disk.
const (
	readOnlyTransaction = "25006"
	diskFull            = "53100"
)

var errReadOnly = errors.New("its transactions are read-only")

// Space is the server's affair.
func (*Engine) Space(context.Context) (store.Space, error) {
	return store.Space{}, errors.ErrUnsupported
}

// Writable asks the server whether transactions may write: those of a standby may not.
func (e *Engine) Writable(ctx context.Context) (sure bool, err error) {
	var readOnly string
	if err := e.pool.QueryRow(ctx, `SELECT current_setting('transaction_read_only')`).Scan(&readOnly); err != nil {
		return true, fmt.Errorf("ask whether the server takes writes: %w", oneLine(err))
	}
	if readOnly == "on" {
		return true, errReadOnly
	}
	return true, nil
}

// Unwritable explains an error that says that nothing can be written, and returns nil for any
// other.
func (*Engine) Unwritable(err error) error {
	failed, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case errors.Is(err, errReadOnly), ok && failed.Code == readOnlyTransaction:
		return fmt.Errorf("%w: the server of database.url is a standby, or has default_transaction_read_only: "+
			"name the primary, such as by several hosts and target_session_attrs=read-write", err)
	case ok && failed.Code == diskFull:
		return fmt.Errorf("%w: the disk of the server is full: make room there", err)
	}
	return nil
}
