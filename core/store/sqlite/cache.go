package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
)

// maxIdle bounds the statements that one connection keeps parsed. Ours and River's
// together are about fifty.
const maxIdle = 256

// open returns a pool whose connections keep the statements that they have parsed:
// parsing River's, which come row by row, costs more than running them.
func open(dsn string, reader bool) (*sql.DB, error) {
	inner, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{Connector: inner, reader: reader}), nil
}

type connector struct {
	driver.Connector
	reader bool
}

// Connect opens a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := opened.(innerConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("unexpected connection type %T", opened), opened.Close())
	}
	return &conn{innerConn: inner, idle: make(map[string]*stmt), reader: c.reader}, nil
}

// innerConn is what the pool uses of a connection. That of running a query without
// preparing it is left out, so that every query comes through PrepareContext.
type innerConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// conn is used by one goroutine at a time, as the pool sees to.
type conn struct {
	innerConn
	idle map[string]*stmt
	// reader is of a connection that cannot write.
	reader bool
	inTx   bool
	// lax is set while commits are not waited for until they are on disk.
	lax bool
}

// BeginTx begins a transaction whose commit is on disk when it returns. Everything that
// must not be lost is written in transactions. What River writes outside of them, such as
// that a job has been taken, may be lost with the power: it makes a job run again. It
// is on disk with the next transaction, at the latest.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := c.setLax(ctx, false); err != nil {
		return nil, err
	}
	begun, err := c.innerConn.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	c.inTx = true
	return &connTx{Tx: begun, conn: c}, nil
}

// connTx notes the end of a transaction.
type connTx struct {
	driver.Tx
	conn *conn
}

// Commit commits.
func (t *connTx) Commit() error {
	t.conn.inTx = false
	return t.Tx.Commit()
}

// Rollback rolls back.
func (t *connTx) Rollback() error {
	t.conn.inTx = false
	return t.Tx.Rollback()
}

func (c *conn) setLax(ctx context.Context, lax bool) error {
	if c.lax == lax || c.reader {
		return nil
	}
	pragma := "PRAGMA synchronous = FULL"
	if lax {
		pragma = "PRAGMA synchronous = NORMAL"
	}
	prepared, err := c.prepare(ctx, pragma)
	if err != nil {
		return err
	}
	if _, err := prepared.ExecContext(ctx, nil); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", pragma, err), prepared.Close())
	}
	c.lax = lax
	return prepared.Close()
}

// PrepareContext takes an idle statement, or parses one. One that is in use is not
// shared.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if !c.inTx && !strings.HasPrefix(query, "PRAGMA") {
		if err := c.setLax(ctx, true); err != nil {
			return nil, err
		}
	}
	return c.prepare(ctx, query)
}

func (c *conn) prepare(ctx context.Context, query string) (*stmt, error) {
	if s := c.idle[query]; s != nil {
		delete(c.idle, query)
		return s, nil
	}
	prepared, err := c.innerConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	inner, ok := prepared.(innerStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("unexpected statement type %T", prepared), prepared.Close())
	}
	return &stmt{innerStmt: inner, conn: c, query: query}, nil
}

// Close closes the idle statements and the connection.
func (c *conn) Close() error {
	var errs []error
	for _, s := range c.idle {
		errs = append(errs, s.innerStmt.Close())
	}
	c.idle = nil
	return errors.Join(append(errs, c.innerConn.Close())...)
}

type innerStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type stmt struct {
	innerStmt
	conn  *conn
	query string
}

// Close makes the statement idle; it is parsed no more for its next use.
func (s *stmt) Close() error {
	idle := s.conn.idle
	if idle == nil || idle[s.query] != nil || len(idle) >= maxIdle {
		return s.innerStmt.Close()
	}
	idle[s.query] = s
	return nil
}
