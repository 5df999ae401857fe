package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// maxIdle bounds the statements that one connection keeps parsed. Ours and River's
// together are about fifty.
const maxIdle = 256

// open returns a pool whose connections keep the statements that they have parsed:
// parsing River's, which come row by row, costs more than running them.
func open(dsn string) (*sql.DB, error) {
	inner, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{inner}), nil
}

type connector struct{ driver.Connector }

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
	return &conn{innerConn: inner, idle: make(map[string]*stmt)}, nil
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
}

// PrepareContext takes an idle statement, or parses one. One that is in use is not
// shared.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
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
