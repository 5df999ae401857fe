package store

// Schema is the version of a database: of our tables and of River's.
type Schema struct{ Tables, Queue int64 }

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
