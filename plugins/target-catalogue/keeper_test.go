package catalogue

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/database"
	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/folder"
	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/model"
)

const testSchema = "Media's catalogue" // which needs quotes

// kept is a catalogue in one of the places where it can be.
type kept struct {
	place place
	// address is a URL of Postgres or a path.
	address string
}

// places are empty catalogues, one of each kind.
func places(t *testing.T) []kept {
	t.Helper()
	return []kept{
		{placePostgres, testpg.New(t)},
		{placeSQLite, filepath.Join(t.TempDir(), "new", "catalogue.db")},
		{placeDir, filepath.Join(t.TempDir(), "new")},
	}
}

func (k kept) open() (keeper, error) {
	log := slog.New(slog.DiscardHandler)
	switch k.place {
	case placePostgres:
		return database.OpenPostgres(k.address, "", testSchema, time.Hour, log)
	case placeSQLite:
		return database.OpenSQLite(k.address, 0o600, time.Hour, log)
	default:
		return folder.Open(k.address, 0o600), nil
	}
}

func (k kept) mustOpen(t *testing.T) keeper {
	t.Helper()
	opened, err := k.open()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	return opened
}

// database opens what others read.
func (k kept) database(t *testing.T) *sql.DB {
	t.Helper()
	var db *sql.DB
	var err error
	if k.place == placePostgres {
		db, err = sql.Open("pgx", k.address+"&search_path="+`%22Media's%20catalogue%22`)
	} else {
		db, err = sql.Open("sqlite", "file:"+k.address+"?mode=ro")
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// holdings are the lines of what others see.
func (k kept) holdings(t *testing.T) []string {
	t.Helper()
	if k.place == placeDir {
		return k.holdingsInFiles(t)
	}
	db := k.database(t)
	var lines []string
	rows(t, db, `SELECT source, kind, id, coalesce(title, ''), coalesce(path, ''), coalesce(overview, ''), coalesce(poster, ''), coalesce(quality_profile, ''),
  coalesce(year, 0), coalesce(monitored, 0 = 1), coalesce(tags, '[]'), ids FROM library`, func(scan func(...any) error) error {
		var l model.Title
		var tags, ids []byte
		if err := scan(&l.Source, &l.Kind, &l.ID, &l.Name, &l.Path, &l.Overview, &l.Poster, &l.Profile, &l.Year, &l.Monitored, &tags, &ids); err != nil {
			return err
		}
		require.NoError(t, json.Unmarshal(tags, &l.Tags))
		require.NoError(t, json.Unmarshal(ids, &l.IDs))
		lines = append(lines, l.Line())
		return nil
	})
	rows(t, db, `SELECT source, 'episode', episode_id, series_id, title FROM episodes UNION ALL SELECT source, 'album', album_id, artist_id, title FROM albums
  UNION ALL SELECT source, 'track', track_id, artist_id, title FROM tracks`, func(scan func(...any) error) error {
		var l model.Part
		err := scan(&l.Source, &l.Kind, &l.ID, &l.Title, &l.Name)
		lines = append(lines, l.Line())
		return err
	})
	parts := map[string][]string{}
	rows(t, db, `SELECT source, file_id, kind, part_id FROM file_contents`, func(scan func(...any) error) error {
		var source, file, kind, id string
		err := scan(&source, &file, &kind, &id)
		parts[source+"\n"+file] = append(parts[source+"\n"+file], kind+"/"+id)
		return err
	})
	rows(t, db, `SELECT source, file_id, kind, id, path, quality, size_bytes, coalesce(edition, '') FROM media_files`, func(scan func(...any) error) error {
		var l model.File
		err := scan(&l.Source, &l.ID, &l.TitleKind, &l.TitleID, &l.Path, &l.Quality, &l.Size, &l.Edition)
		l.Parts = parts[l.Source+"\n"+l.ID]
		lines = append(lines, l.Line())
		return err
	})
	return lines
}

func rows(t *testing.T, db *sql.DB, query string, each func(scan func(...any) error) error) {
	t.Helper()
	found, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, found.Close()) }()
	for found.Next() {
		require.NoError(t, each(found.Scan))
	}
	require.NoError(t, found.Err())
}

// titlesInFiles are what outline wants.
func (k kept) titlesInFiles(t *testing.T) [][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(k.address, "*", "titles.json"))
	require.NoError(t, err)
	var all [][]string
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		var d struct {
			Source string
			Titles []struct {
				Kind, ID string
				Files    []struct{ ID, Path string }
			}
		}
		require.NoError(t, json.Unmarshal(data, &d))
		for _, title := range d.Titles {
			lines := []string{fmt.Sprintf("%s title %s/%s ", d.Source, title.Kind, title.ID)}
			for _, f := range title.Files {
				lines = append(lines, fmt.Sprintf("%s file %s %s", d.Source, f.ID, f.Path))
			}
			all = append(all, lines)
		}
	}
	return all
}

func (k kept) holdingsInFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(k.address, "*", "titles.json"))
	require.NoError(t, err)
	var lines []string
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		type part struct {
			Kind, ID, Title string
		}
		type shown model.Title
		var d struct {
			Source string
			Titles []struct {
				shown
				Title                    string
				QualityProfile           string `json:"quality_profile"`
				Episodes, Albums, Tracks []part
				Files                    []struct {
					ID, Path, Quality string
					Edition           string
					Size              int64 `json:"size_bytes"`
					Parts             []part
				}
			}
		}
		require.NoError(t, json.Unmarshal(data, &d))
		for _, title := range d.Titles {
			title.Source, title.Name, title.Profile = d.Source, title.Title, title.QualityProfile
			lines = append(lines, model.Title(title.shown).Line())
			for kind, parts := range map[string][]part{"episode": title.Episodes, "album": title.Albums, "track": title.Tracks} {
				for _, p := range parts {
					lines = append(lines, model.Part{Source: d.Source, Kind: kind, ID: p.ID, Title: title.ID, Name: p.Title}.Line())
				}
			}
			for _, f := range title.Files {
				var parts []string
				for _, p := range f.Parts {
					parts = append(parts, p.Kind+"/"+p.ID)
				}
				lines = append(lines, model.File{
					Source: d.Source, ID: f.ID, TitleKind: title.Kind, TitleID: title.ID, Path: f.Path, Quality: f.Quality, Edition: f.Edition, Size: f.Size, Parts: parts,
				}.Line())
			}
		}
	}
	return lines
}

// told is a change as those see it who follow.
type told struct {
	Seq                                                int64
	Source, Kind, ID, Op, FileID, Path, OldPath, Event string
}

// feed are the changes after a sequence number, which for files is one of the source.
func (k kept) feed(ctx context.Context, t *testing.T, db *sql.DB, after int64) []told {
	t.Helper()
	var all []told
	found, err := db.QueryContext(ctx, `SELECT seq, source, kind, id, op, coalesce(file_id, ''), coalesce(path, ''), coalesce(old_path, ''), event_id
FROM feed WHERE seq > $1 ORDER BY seq`, after)
	require.NoError(t, err)
	defer func() { require.NoError(t, found.Close()) }()
	for found.Next() {
		var c told
		require.NoError(t, found.Scan(&c.Seq, &c.Source, &c.Kind, &c.ID, &c.Op, &c.FileID, &c.Path, &c.OldPath, &c.Event))
		all = append(all, c)
	}
	require.NoError(t, found.Err())
	return all
}

// feedInFiles are the changes of all sources.
func (k kept) feedInFiles(t *testing.T) []told {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(k.address, "*", "changes.ndjson"))
	require.NoError(t, err)
	var all []told
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		lines := json.NewDecoder(f)
		for n := int64(1); lines.More(); n++ {
			var c struct {
				Seq              int64
				Source, Kind, ID string
				Op, Path         string
				FileID           string `json:"file_id"`
				OldPath          string `json:"old_path"`
				EventID          string `json:"event_id"`
			}
			require.NoError(t, lines.Decode(&c))
			require.Equal(t, n, c.Seq, "each change once, in order")
			all = append(all, told{c.Seq, c.Source, c.Kind, c.ID, c.Op, c.FileID, c.Path, c.OldPath, c.EventID})
		}
		require.NoError(t, f.Close())
	}
	return all
}

// replayed is what somebody has who followed the changes: titles, and files with their
// paths.
func replayed(t *testing.T, changes []told) []string {
	t.Helper()
	have := map[string]string{}
	for _, c := range changes {
		title, file := fmt.Sprintf("%s title %s/%s", c.Source, c.Kind, c.ID), fmt.Sprintf("%s file %s", c.Source, c.FileID)
		switch c.Op {
		case "added":
			require.NotContains(t, have, title)
			have[title] = ""
		case "updated":
			require.Contains(t, have, title)
		case "removed":
			require.Contains(t, have, title)
			delete(have, title)
		case "file_added":
			require.NotContains(t, have, file)
			have[file] = c.Path
		case "renamed":
			require.Equal(t, have[file], c.OldPath)
			have[file] = c.Path
		case "file_updated":
			require.Equal(t, have[file], c.Path)
		case "file_removed":
			require.Equal(t, have[file], c.Path)
			delete(have, file)
		default:
			t.Errorf("unknown change %s", c.Op)
		}
	}
	var lines []string
	for what, path := range have {
		lines = append(lines, what+" "+path)
	}
	slices.Sort(lines)
	return lines
}
