package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/library"
)

// shelf is one source's rows within a transaction. Each row has its state as JSON, which is
// what is read; the columns are for others.
type shelf struct {
	tx     *transaction
	source string
}

var _ library.Shelf = (*shelf)(nil)

// column is a field of a row as others see it.
type column struct {
	field, name string
	value       func(library.Fields, string) any
}

func text(name string) column    { return column{name, name, textOf} }
func integer(name string) column { return column{name, name, integerOf} }
func list(name string) column    { return column{name, name, jsonOf} }

func textOf(f library.Fields, name string) any { return orNull(f.Text(name)) }

func integerOf(f library.Fields, name string) any {
	if f.Raw(name) == nil {
		return nil
	}
	return library.Decoded[int64](f.Raw(name))
}

func boolOf(f library.Fields, name string) any {
	if f.Raw(name) == nil {
		return nil
	}
	return library.Decoded[bool](f.Raw(name))
}

func jsonOf(f library.Fields, name string) any { return orNull(string(f.Raw(name))) }

// timeOf leaves out what is no time: applications write theirs in their own ways.
func timeOf(f library.Fields, name string) any {
	t, err := time.Parse(time.RFC3339, f.Text(name))
	if err != nil {
		return nil
	}
	return library.Stamp(t)
}

func titleColumns() []column {
	return []column{
		text("app"), text("title"), integer("year"), text("release_date"), text("path"), text("overview"), list("genres"),
		text("original_language"), text("poster"), text("fanart"), list("tags"),
		{"monitored", "monitored", boolOf},
		text("quality_profile"),
		{"added_at", "added_at", timeOf},
		text("certification"), integer("runtime_minutes"),
	}
}

func partColumns() []column {
	return []column{
		integer("season"), integer("number"), text("code"), text("title"), text("air_date"), text("overview"), text("album_type"),
		text("release_date"),
		{"album", "album_id", textOf},
		text("track_number"), list("ids"),
	}
}

func fileColumns() []column {
	return []column{
		integer("size_bytes"), text("quality"), list("languages"), text("release_group"), text("scene_name"), text("edition"), list("media_info"),
	}
}

// record is a row to write: its key, and the other columns.
type record struct {
	names []string
	args  []any
}

func (r *record) add(name string, value any) {
	r.names, r.args = append(r.names, name), append(r.args, value)
}

func (r *record) columns(f library.Fields, columns []column) {
	for _, c := range columns {
		r.add(c.name, c.value(f, c.field))
	}
}

// removed is when something was removed, or null while it is held.
func removed(held bool, touched library.Version) any {
	if held {
		return nil
	}
	return orNull(touched.Time())
}

// put inserts a row, or replaces the one with the same key, which are the first columns.
func (s *shelf) put(ctx context.Context, table string, keys int, r record) error {
	marks := make([]string, len(r.names))
	var sets []string
	for i, name := range r.names {
		marks[i] = fmt.Sprintf("$%d", i+1)
		if i >= keys {
			sets = append(sets, name+" = excluded."+name)
		}
	}
	return s.tx.exec(ctx, "INSERT INTO {}"+table+" ("+strings.Join(r.names, ", ")+") VALUES ("+strings.Join(marks, ", ")+") ON CONFLICT ("+
		strings.Join(r.names[:keys], ", ")+") DO UPDATE SET "+strings.Join(sets, ", "), r.args...)
}

// stored reads the state of a row, or returns nil for none.
func stored[T any](ctx context.Context, tx *transaction, statement string, args ...any) (*T, error) {
	var state string
	ok, err := tx.row(ctx, statement, args, &state)
	if err != nil || !ok {
		return nil, err
	}
	row := new(T)
	if err := json.Unmarshal([]byte(state), row); err != nil {
		return nil, fmt.Errorf("read catalogue: column state: %w", err)
	}
	return row, nil
}

// asJSON is for values that JSON can hold.
func asJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(raw)
}

// Title implements library.Shelf.
func (s *shelf) Title(ctx context.Context, key library.Key) (*library.Title, error) {
	return stored[library.Title](ctx, s.tx, `SELECT state FROM {}titles WHERE source = $1 AND kind = $2 AND app_id = $3`, s.source, key.Kind, key.ID)
}

// Part implements library.Shelf.
func (s *shelf) Part(ctx context.Context, key library.Key) (*library.Part, error) {
	return stored[library.Part](ctx, s.tx, `SELECT state FROM {}parts WHERE source = $1 AND kind = $2 AND part_id = $3`, s.source, key.Kind, key.ID)
}

// File implements library.Shelf.
func (s *shelf) File(ctx context.Context, id string) (*library.File, error) {
	return stored[library.File](ctx, s.tx, `SELECT state FROM {}files WHERE source = $1 AND file_id = $2`, s.source, id)
}

// Claims implements library.Shelf.
func (s *shelf) Claims(ctx context.Context, path string) ([]library.Claim, error) {
	return s.claims(ctx, `SELECT path, said, file_id, moved_to FROM {}paths WHERE source = $1 AND path = $2`, path)
}

// MovedTo implements library.Shelf.
func (s *shelf) MovedTo(ctx context.Context, path string) ([]library.Claim, error) {
	return s.claims(ctx, `SELECT path, said, file_id, moved_to FROM {}paths WHERE source = $1 AND moved_to = $2 AND moved_to <> ''`, path)
}

func (s *shelf) claims(ctx context.Context, statement, path string) ([]library.Claim, error) {
	var all []library.Claim
	err := s.tx.each(ctx, statement, []any{s.source, path}, func(rows *sql.Rows) error {
		var c library.Claim
		err := rows.Scan(&c.Path, &c.Said, &c.File, &c.MovedTo)
		all = append(all, c)
		return err
	})
	// The order of a database's texts depends on its locale.
	slices.SortFunc(all, func(a, b library.Claim) int { return strings.Compare(string(a.Said), string(b.Said)) })
	return all, err
}

// PartsOf implements library.Shelf.
func (s *shelf) PartsOf(ctx context.Context, title library.Key) ([]library.Key, error) {
	return s.keys(ctx, `SELECT kind, part_id FROM {}parts WHERE source = $1 AND title_kind = $2 AND app_id = $3`, title.Kind, title.ID)
}

// FilesOf implements library.Shelf.
func (s *shelf) FilesOf(ctx context.Context, title library.Key) ([]string, error) {
	keys, err := s.keys(ctx, `SELECT '', file_id FROM {}files WHERE source = $1 AND title_kind = $2 AND app_id = $3`, title.Kind, title.ID)
	ids := make([]string, 0, len(keys))
	for _, k := range keys {
		ids = append(ids, k.ID)
	}
	return ids, err
}

// TitlesIn implements library.Shelf.
func (s *shelf) TitlesIn(ctx context.Context, kind, folder string) ([]library.Key, error) {
	return s.keys(ctx, `SELECT kind, app_id FROM {}titles WHERE source = $1 AND kind = $2 AND path = $3`, kind, folder)
}

func (s *shelf) keys(ctx context.Context, statement, a, b string) ([]library.Key, error) {
	var all []library.Key
	err := s.tx.each(ctx, statement, []any{s.source, a, b}, func(rows *sql.Rows) error {
		var k library.Key
		err := rows.Scan(&k.Kind, &k.ID)
		all = append(all, k)
		return err
	})
	return all, err
}

// SaveTitle implements library.Shelf.
func (s *shelf) SaveTitle(ctx context.Context, t *library.Title) error {
	ids := t.IDs()
	r := record{[]string{"source", "kind", "app_id"}, []any{s.source, t.Kind, t.ID}}
	r.columns(t.Fields, titleColumns())
	r.add("sort_title", orNull(library.SortTitle(t.Fields.Text("title"))))
	r.add("ids", asJSON(ids))
	r.add("event_time", t.Touched().Time())
	r.add("removed_at", removed(t.Held, t.Touched()))
	r.add("state", asJSON(t))
	if err := s.put(ctx, "titles", 3, r); err != nil {
		return err
	}
	if err := s.tx.exec(ctx, `DELETE FROM {}title_ids WHERE source = $1 AND kind = $2 AND app_id = $3`, s.source, t.Kind, t.ID); err != nil {
		return err
	}
	for service, id := range ids {
		if err := s.tx.exec(ctx, `INSERT INTO {}title_ids (source, kind, app_id, service, ext_id) VALUES ($1, $2, $3, $4, $5)`,
			s.source, t.Kind, t.ID, service, id); err != nil {
			return err
		}
	}
	return nil
}

// SavePart implements library.Shelf.
func (s *shelf) SavePart(ctx context.Context, p *library.Part) error {
	r := record{[]string{"source", "kind", "part_id"}, []any{s.source, p.Kind, p.ID}}
	r.add("title_kind", p.Title.Kind)
	r.add("app_id", p.Title.ID)
	r.columns(p.Fields, partColumns())
	r.add("event_time", p.Touched().Time())
	r.add("removed_at", removed(p.Held, p.Touched()))
	r.add("state", asJSON(p))
	return s.put(ctx, "parts", 3, r)
}

// SaveFile implements library.Shelf.
func (s *shelf) SaveFile(ctx context.Context, f *library.File) error {
	title := f.Title()
	r := record{[]string{"source", "file_id"}, []any{s.source, f.ID}}
	r.add("title_kind", orNull(title.Kind))
	r.add("app_id", orNull(title.ID))
	r.add("path", orNull(f.Path))
	r.add("relative_path", orNull(f.RelativePath()))
	r.columns(f.Fields, fileColumns())
	r.add("quality_rank", library.Rank(f.Fields.Text("quality")))
	r.add("imported_at", orNull(f.Added.Time()))
	r.add("event_time", f.Touched().Time())
	r.add("removed_at", removed(f.Held, f.Touched()))
	r.add("state", asJSON(f))
	if err := s.put(ctx, "files", 2, r); err != nil {
		return err
	}
	if err := s.tx.exec(ctx, `DELETE FROM {}file_parts WHERE source = $1 AND file_id = $2`, s.source, f.ID); err != nil {
		return err
	}
	for _, p := range f.Parts() {
		if err := s.tx.exec(ctx, `INSERT INTO {}file_parts (source, file_id, kind, part_id) VALUES ($1, $2, $3, $4)`,
			s.source, f.ID, p.Kind, p.ID); err != nil {
			return err
		}
	}
	return nil
}

// SaveClaim implements library.Shelf.
func (s *shelf) SaveClaim(ctx context.Context, c library.Claim) error {
	r := record{
		[]string{"source", "path", "said", "file_id", "moved_to"},
		[]any{s.source, c.Path, string(c.Said), c.File, c.MovedTo},
	}
	return s.put(ctx, "paths", 3, r)
}
