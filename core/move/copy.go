// Package move copies all that a database holds to another one, whatever the two are, and
// moves it: so that one of the two is served, and never both.
package move

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/hookarr/hookarr/core/store/rows"
	"github.com/hookarr/hookarr/core/store/sqlite"
)

// How much is copied in one transaction, at most; a row may be larger.
const (
	batchRows  = 4000
	batchBytes = 8 << 20
)

// Sum is what a table holds.
type Sum struct {
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	Digest string `json:"digest"`
}

// Progress is how far a copy has come.
type Progress struct {
	Table string
	// Rows and Bytes are what this run has copied of all tables, and Total is how many rows it
	// is to copy.
	Rows, Bytes, Total int64
}

// Copy copies tables from one database to another, of the same version, whose tables are
// empty, and returns what it has copied. Tell is told of each batch; it may be nil. The
// rows are those of one moment, also while a server changes them. Jobs are copied that are
// live, as due as they were; those that run are available.
func Copy(ctx context.Context, from rows.Reader, to rows.Writer, names []string, tell func(Progress)) ([]Sum, error) {
	pairs, err := pairUp(ctx, from, to, names)
	if err != nil {
		return nil, err
	}
	c := copier{from: from, to: to, tell: tell}
	for _, p := range pairs {
		if err := c.expect(ctx, p, nil); err != nil {
			return nil, err
		}
	}
	sums := make([]Sum, len(pairs))
	for i, p := range pairs {
		digest, err := c.table(ctx, p, nil, nil)
		if err != nil {
			return nil, err
		}
		sums[i] = Sum{Table: p.from.Name, Rows: digest.Rows, Digest: digest.String()}
	}
	return sums, to.Finish(ctx, theirs(pairs))
}

// Sums returns what tables hold, which are all that are moved when names is nil. Equal rows
// have equal digests in every database.
func Sums(ctx context.Context, from rows.Reader, names []string) (_ []Sum, err error) {
	if names == nil {
		if names, err = tableNames(ctx); err != nil {
			return nil, err
		}
	}
	return sumsOf(ctx, from, names, nil)
}

// sumsOf reads the tables whose sums are not known.
func sumsOf(ctx context.Context, from rows.Reader, names []string, known map[string]Sum) ([]Sum, error) {
	tables, err := from.Tables(ctx, names)
	if err != nil {
		return nil, err
	}
	sums := make([]Sum, len(tables))
	for i, t := range tables {
		if s, ok := known[t.Name]; ok {
			sums[i] = s
			continue
		}
		digest, err := digestOf(ctx, from, t)
		if err != nil {
			return nil, err
		}
		sums[i] = Sum{Table: t.Name, Rows: digest.Rows, Digest: digest.String()}
	}
	return sums, nil
}

func digestOf(ctx context.Context, from rows.Reader, t rows.Table) (_ *rows.Digest, err error) {
	cursor, err := from.Read(ctx, t, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cursor.Close()) }()
	var digest rows.Digest
	for {
		row, err := cursor.Next(ctx)
		if errors.Is(err, io.EOF) {
			return &digest, nil
		}
		if err != nil {
			return nil, err
		}
		if err := digest.Add(row); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
}

// tableNames are the tables that are copied.
func tableNames(ctx context.Context) ([]string, error) {
	tables, err := sqlite.Tables(ctx)
	return rows.Names(tables), err
}

// pair is a table as each database has it.
type pair struct{ from, to rows.Table }

// describer describes tables.
type describer interface {
	Tables(ctx context.Context, names []string) ([]rows.Table, error)
}

func pairUp(ctx context.Context, from, to describer, names []string) ([]pair, error) {
	ours, err := from.Tables(ctx, names)
	if err != nil {
		return nil, err
	}
	others, err := to.Tables(ctx, names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !slices.Contains(rows.Names(ours), name) || !slices.Contains(rows.Names(others), name) {
			return nil, fmt.Errorf("table %s is missing in one of the two databases: run hookarr migrate", name)
		}
	}
	pairs := make([]pair, len(ours))
	for i, t := range ours {
		if err := t.Same(others[i]); err != nil {
			return nil, err
		}
		pairs[i] = pair{from: t, to: others[i]}
	}
	return pairs, nil
}

func theirs(pairs []pair) []rows.Table {
	tables := make([]rows.Table, len(pairs))
	for i, p := range pairs {
		tables[i] = p.to
	}
	return tables
}

type copier struct {
	from rows.Reader
	to   rows.Writer
	tell func(Progress)
	// rows is how many a batch has at most; batchRows when zero.
	rows int64
	done Progress
}

// expect adds the rows of a table after a key to those that are to be copied.
func (c *copier) expect(ctx context.Context, p pair, after rows.Row) error {
	n, err := c.from.Count(ctx, p.from, after)
	c.done.Total += n
	return err
}

// table copies the rows of a table after a key, and returns what those are. Note, unless it
// is nil, is told of the last key of each batch, and whether it is the last one, and returns
// the progress that is saved with it.
func (c *copier) table(ctx context.Context, p pair, after rows.Row, note func(last rows.Row, done bool) (string, error)) (_ *rows.Digest, err error) {
	cursor, err := c.from.Read(ctx, p.from, after)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cursor.Close()) }()
	c.done.Table = p.from.Name
	var digest rows.Digest
	last := after
	ended := false
	for !ended {
		n, size := int64(0), 0
		next := func() (rows.Row, error) {
			if n == cmp.Or(c.rows, batchRows) || size >= batchBytes {
				return nil, io.EOF
			}
			row, err := cursor.Next(ctx)
			if err != nil {
				ended = errors.Is(err, io.EOF)
				return nil, err
			}
			if err := digest.Add(row); err != nil {
				return nil, fmt.Errorf("table %s: %w", p.from.Name, err)
			}
			last = p.from.KeyOf(row)
			n++
			size += row.Size()
			return row, nil
		}
		var progress func() (string, error)
		if note != nil {
			progress = func() (string, error) { return note(last, ended) }
		}
		if err := c.to.Write(ctx, p.to, next, progress); err != nil {
			return nil, err
		}
		c.done.Rows += n
		c.done.Bytes += int64(size)
		if c.tell != nil {
			c.tell(c.done)
		}
	}
	return &digest, nil
}
