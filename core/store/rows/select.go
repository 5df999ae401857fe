package rows

import (
	"slices"
	"strings"
)

// own are the tables that tell of the database itself and of the processes that use it, and
// stay where they are.
var own = []string{
	"database_state", "nodes", "hookarr_migrations",
	"river_client", "river_client_queue", "river_leader", "river_migration", "river_notification",
	"sqlite_sequence",
}

// Own reports whether a table tells of its database, and is not copied.
func Own(table string) bool {
	return slices.Contains(own, table)
}

// IsRivers reports whether a table is River's.
func IsRivers(table string) bool { return strings.HasPrefix(table, "river_") }

// Condition is which rows of a table count; empty for all: of jobs those that are live.
func (t Table) Condition() string {
	if t.Name == "river_job" {
		return "state IN ('available', 'pending', 'retryable', 'running', 'scheduled')"
	}
	return ""
}

// Expression is what is read for a column in SQL. Nobody works the jobs that a copy has: one
// that runs is available there, as if River had interrupted it.
func (t Table) Expression(column string) string {
	switch {
	case t.Name == "river_job" && column == "state":
		return "CASE WHEN state = 'running' THEN 'available' ELSE state END"
	case t.Name == "river_job" && column == "attempt":
		return "CASE WHEN state = 'running' AND attempt > 0 THEN attempt - 1 ELSE attempt END"
	default:
		return Quote(column)
	}
}

// Quote returns a name as SQL has it.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Select is the statement that reads the rows of a table, after a key or from the beginning.
// A database has the columns in its own form, and placeholders of its own.
func (t Table) Select(form func(c Column, expression string) string, after bool, placeholder func(n int) string) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = form(c, t.Expression(c.Name))
	}
	return "SELECT " + strings.Join(columns, ", ") + t.from(after, placeholder) + " ORDER BY " + t.keyColumns()
}

// Count is the statement that counts the rows that Select reads.
func (t Table) Count(after bool, placeholder func(n int) string) string {
	return "SELECT count(*)" + t.from(after, placeholder)
}

func (t Table) from(after bool, placeholder func(n int) string) string {
	var conditions []string
	if condition := t.Condition(); condition != "" {
		conditions = append(conditions, condition)
	}
	if after {
		values := make([]string, len(t.Key))
		for i := range values {
			values[i] = placeholder(i + 1)
		}
		conditions = append(conditions, "("+t.keyColumns()+") > ("+strings.Join(values, ", ")+")")
	}
	if len(conditions) == 0 {
		return " FROM " + Quote(t.Name)
	}
	return " FROM " + Quote(t.Name) + " WHERE " + strings.Join(conditions, " AND ")
}

func (t Table) keyColumns() string {
	key := make([]string, len(t.Key))
	for i, column := range t.Key {
		key[i] = Quote(column)
	}
	return strings.Join(key, ", ")
}
