package store

import "fmt"

// Schema is the version of a database: of our tables and of River's.
type Schema struct{ Tables, Queue int64 }

// String returns TABLES.QUEUE, which is 0.0 for an empty database.
func (s Schema) String() string { return fmt.Sprintf("%d.%d", s.Tables, s.Queue) }

// Check compares the schema with the one that this version wants: nil, ErrNewer or
// ErrNotMigrated.
func (s Schema) Check(want Schema) error {
	switch {
	case s.Tables > want.Tables || s.Queue > want.Queue:
		return ErrNewer
	case s.Tables < want.Tables || s.Queue < want.Queue:
		return ErrNotMigrated
	default:
		return nil
	}
}
