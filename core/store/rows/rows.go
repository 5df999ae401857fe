// Package rows reads and writes the rows of whole tables in one form, whatever the database
// is, so that they can be copied to another and compared there.
//
// What tables and columns there are is read from the databases themselves.
package rows

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Kind is what a column holds, and so what its values are in a Row. Null is nil.
type Kind string

const (
	// Int is an int64. A time is microseconds since 1970, a boolean 0 or 1.
	Int Kind = "a number"
	// Text is a string that is valid UTF-8 and has no U+0000.
	Text Kind = "a text"
	// Bytes is a []byte that is not nil. An id is the 16 bytes of a UUID.
	Bytes Kind = "bytes"
	// JSON is a string: one value in the form of CanonicalJSON. An array of the database is
	// one, too.
	JSON Kind = "JSON"
)

// Row has a value for each column of its table.
type Row []any

// Table is a table as one database has it.
type Table struct {
	Name string
	// Columns are ordered by their names, which are the same in every database.
	Columns []Column
	// Key are the columns of the primary key, in its order.
	Key []string
}

// Column is a column as one database has it.
type Column struct {
	Name string
	// Type is the database's own word.
	Type string
	Kind Kind
}

// Names returns the names of tables.
func Names(tables []Table) []string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name
	}
	return names
}

// Index returns the position of a column, or -1.
func (t Table) Index(column string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column })
}

// KeyOf returns the values of a row's key.
func (t Table) KeyOf(row Row) Row {
	key := make(Row, len(t.Key))
	for i, column := range t.Key {
		key[i] = row[t.Index(column)]
	}
	return key
}

// Same returns an error that says how a table differs from another of its name, unless the
// rows of one can be those of the other.
func (t Table) Same(other Table) error {
	names := func(t Table) []string {
		all := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			all[i] = c.Name
		}
		return all
	}
	if ours, theirs := names(t), names(other); !slices.Equal(ours, theirs) {
		return fmt.Errorf("table %s has the columns %v in one database and %v in the other", t.Name, ours, theirs)
	}
	for i, c := range t.Columns {
		if c.Kind != other.Columns[i].Kind {
			return fmt.Errorf("column %s of table %s is %s in one database and %s in the other", c.Name, t.Name, c.Kind, other.Columns[i].Kind)
		}
	}
	return nil
}

// Sort orders tables as they are copied, and their columns: River's last, so that no job is
// there before its row.
func Sort(tables []Table) {
	for _, t := range tables {
		slices.SortFunc(t.Columns, func(a, b Column) int { return cmp.Compare(a.Name, b.Name) })
	}
	slices.SortFunc(tables, func(a, b Table) int {
		if ours := cmp.Compare(kindOf(a.Name), kindOf(b.Name)); ours != 0 {
			return ours
		}
		return cmp.Compare(a.Name, b.Name)
	})
}

func kindOf(name string) int {
	if IsRivers(name) {
		return 1
	}
	return 0
}

// Reader reads tables as all of them were at one moment.
type Reader interface {
	// Tables describes the tables of these names that there are.
	Tables(ctx context.Context, names []string) ([]Table, error)
	// Count returns how many rows Read returns.
	Count(ctx context.Context, t Table, after Row) (int64, error)
	// Read returns the rows of a table after a key, in the order of their keys, or all of
	// them where there is no key. One Cursor at a time may be open.
	Read(ctx context.Context, t Table, after Row) (Cursor, error)
	// Close ends the reading. It may be called again.
	Close(ctx context.Context) error
}

// Cursor returns rows one after the other.
type Cursor interface {
	// Next returns the next row, or io.EOF. The row is valid until the next call.
	Next(ctx context.Context) (Row, error)
	Close() error
}

// Writer writes tables.
type Writer interface {
	// Tables is Reader's.
	Tables(ctx context.Context, names []string) ([]Table, error)
	// Write inserts the rows that next returns until its io.EOF, in one transaction, in which
	// it then saves the progress of an unfinished move, unless that is nil. It may change the
	// rows.
	Write(ctx context.Context, t Table, next func() (Row, error), progress func() (string, error)) error
	// Clear deletes every row of tables.
	Clear(ctx context.Context, tables []Table) error
	// Finish lets the numbers that the database gives go on behind those of the rows.
	Finish(ctx context.Context, tables []Table) error
	Close(ctx context.Context) error
}
