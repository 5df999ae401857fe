package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	_ "modernc.org/sqlite"
)

// dumpSQLite writes the statements that make a database.
func dumpSQLite(ctx context.Context, path string, to io.Writer) error {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	out := bufio.NewWriter(to)
	objects, err := strs(ctx, db, 3, `
SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY type <> 'table', rowid`)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if _, err := fmt.Fprintf(out, "%s;\n", strings.TrimSpace(o[2])); err != nil {
			return err
		}
		if o[0] == "table" {
			if err := dumpRows(ctx, db, o[1], out); err != nil {
				return err
			}
		}
	}
	// Of AUTOINCREMENT.
	if err := dumpRows(ctx, db, "sqlite_sequence", out); err != nil && !strings.Contains(err.Error(), "no such table") {
		return err
	}
	return out.Flush()
}

func dumpRows(ctx context.Context, db *sql.DB, table string, out io.Writer) error {
	columns, err := strs(ctx, db, 1, `SELECT name FROM pragma_table_info(?)`, table)
	if err != nil {
		return err
	}
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = `quote("` + c[0] + `")`
	}
	if len(columns) == 0 {
		return nil
	}
	rows, err := strs(ctx, db, len(columns), `SELECT `+strings.Join(quoted, ", ")+` FROM "`+table+`"`)
	if err != nil {
		return err
	}
	for _, values := range rows {
		if _, err := fmt.Fprintf(out, "INSERT INTO %s VALUES (%s);\n", table, strings.Join(values, ", ")); err != nil {
			return err
		}
	}
	return nil
}

// strs reads rows of texts.
func strs(ctx context.Context, db *sql.DB, columns int, query string, args ...any) (all [][]string, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		row, dest := make([]string, columns), make([]any, columns)
		for i := range row {
			dest[i] = &row[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// dumpPostgres is pg_dump without what only psql understands.
func dumpPostgres(ctx context.Context, url string, to io.Writer) error {
	cmd := exec.CommandContext(ctx, "pg_dump", "--inserts", "--no-owner", "--no-privileges", url)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("pg_dump: %w", err)
	}
	for line := range bytes.Lines(text) {
		// Nor what only some versions of the server know.
		if bytes.HasPrefix(line, []byte(`\`)) || bytes.HasPrefix(line, []byte("SET ")) || bytes.HasPrefix(line, []byte("--")) || len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if _, err := to.Write(line); err != nil {
			return err
		}
	}
	return nil
}
