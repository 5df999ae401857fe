package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/hookarr/hookarr/sdk"
)

const (
	// maxConnections bounds what one target takes of the server's.
	maxConnections = 8
	idleTime       = 5 * time.Minute
)

// inServer is the dialect of Postgres.
type inServer struct {
	replacer *strings.Replacer
	schema   string
	database string
	user     string
}

// OpenPostgres keeps libraries in a schema of a database, which is made with the first
// delivery. Changes are kept for keepChanges. It connects when it is used.
func OpenPostgres(address, password, schema string, keepChanges time.Duration, log *slog.Logger) (*Engine, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	if password != "" {
		config.Password = password
	}
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if network == "unix" {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		return sdk.Dial(ctx, addr)
	}
	config.RuntimeParams["application_name"] = "hookarr catalogue"
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(maxConnections)
	db.SetConnMaxIdleTime(idleTime)
	quoted := pgx.Identifier{schema}.Sanitize()
	return newEngine(db, inServer{
		schema: schema, database: config.Database, user: config.User, replacer: strings.NewReplacer(
			"{}", quoted+".", "{time}", "timestamptz", "{json}", "jsonb", "{bool}", "boolean", "{int}", "bigint",
			"{seq}", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "{array}", "jsonb_agg", "{schema}", quoted,
		),
	}, keepChanges, log), nil
}

func (d inServer) sql(statement string) string { return d.replacer.Replace(statement) }

func (d inServer) version(ctx context.Context, tx *sql.Tx) (version int, err error) {
	// Two who come first make the tables one after the other.
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('hookarr catalogue'), hashtext($1))`, d.schema); err != nil {
		return 0, err
	}
	var there bool
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = 'schema_version')`, d.schema).Scan(&there)
	if err != nil || !there {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, d.sql(`SELECT coalesce(max(version), 0) FROM {}schema_version`)).Scan(&version)
	return version, err
}

// prepare makes the schema. It asks for no right that it does not need: a schema that is
// there already may be all that the user has.
func (d inServer) prepare(ctx context.Context, tx *sql.Tx) error {
	var there bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)`, d.schema).Scan(&there); err != nil || there {
		return err
	}
	_, err := tx.ExecContext(ctx, d.sql(`CREATE SCHEMA {schema}`))
	return err
}

// changed locks the one row of schema_version, last of all: sequence numbers are drawn, and
// become visible, one transaction after the other.
func (d inServer) changed(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, d.sql(`SELECT FROM {}schema_version FOR UPDATE`))
	return err
}

func (d inServer) tell(ctx context.Context, tx *sql.Tx, seq int64) error {
	_, err := tx.ExecContext(ctx, `SELECT pg_notify($1, $2)`, Channel, fmt.Sprintf("%s %d", d.schema, seq))
	return err
}

func (d inServer) describe(ctx context.Context, tx *sql.Tx) (string, error) {
	var version string
	var there, use, add, create bool
	err := tx.QueryRowContext(ctx, `SELECT current_setting('server_version'), n.nspname IS NOT NULL,
  coalesce(has_schema_privilege(n.oid, 'USAGE'), false), coalesce(has_schema_privilege(n.oid, 'CREATE'), false),
  has_database_privilege(current_database(), 'CREATE')
FROM (VALUES (1)) one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1`, d.schema).Scan(&version, &there, &use, &add, &create)
	switch {
	case err != nil:
		return "", err
	case !there && !create:
		return "", sdk.Misconfigured(fmt.Errorf("the user %s may not make the schema %s: as an owner of the database, run CREATE SCHEMA %s AUTHORIZATION %s",
			d.user, d.schema, pgx.Identifier{d.schema}.Sanitize(), pgx.Identifier{d.user}.Sanitize()))
	case there && (!use || !add):
		return "", sdk.Misconfigured(fmt.Errorf("the user %s may not make tables in the schema %s: as its owner, run GRANT USAGE, CREATE ON SCHEMA %s TO %s",
			d.user, d.schema, pgx.Identifier{d.schema}.Sanitize(), pgx.Identifier{d.user}.Sanitize()))
	default:
		return fmt.Sprintf("Postgres %s, database %s, schema %s, as %s", version, d.database, d.schema, d.user), nil
	}
}

// explain reads the SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html.
func (d inServer) explain(err error) error {
	if err == nil || classed(err) {
		return err
	}
	if said, ok := errors.AsType[*pgconn.PgError](err); ok {
		return d.explainCode(said.Code, err)
	}
	_, untrusted := errors.AsType[x509.UnknownAuthorityError](err)
	_, elsewhere := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[*tls.CertificateVerificationError](err)
	if untrusted || elsewhere || invalid {
		return sdk.Misconfigured(fmt.Errorf("the certificate of the database server is not trusted: name its authority with sslrootcert in the URL: %w", err))
	}
	return err
}

func (d inServer) explainCode(code string, err error) error {
	class := code[:min(2, len(code))]
	switch {
	case class == "28":
		return sdk.Misconfigured(fmt.Errorf("the database does not let the user %s in: check user and password in the URL: %w", d.user, err))
	case code == "3D000":
		return sdk.Misconfigured(fmt.Errorf("there is no database %s: make it, or name another in the URL: %w", d.database, err))
	case code == "42501":
		return sdk.Misconfigured(fmt.Errorf("the user %s lacks rights on the schema %s of the database %s; it needs to own it, or to be allowed to make it: %w",
			d.user, d.schema, d.database, err))
	case code == "25006":
		return sdk.Misconfigured(fmt.Errorf("the database is read-only, as a standby is: name the one that takes writes: %w", err))
	case class == "42", code == "3F000":
		return sdk.Misconfigured(fmt.Errorf("the tables in the schema %s are not those of version %d: restore them, or name another schema: %w", d.schema, Version, err))
	case code == "53100":
		return fmt.Errorf("the disk of the database is full; nothing of the delivery was written, and it is tried again: make room: %w", err)
	case class == "22", class == "23", class == "54":
		return sdk.Permanent(err)
	default:
		return err
	}
}
