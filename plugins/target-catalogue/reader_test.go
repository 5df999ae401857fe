package catalogue

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// imported is an event of a film whose file came.
func imported(id string) sdk.Event {
	return sdk.Event{
		ID: "event-" + id, Source: "radarr", App: "radarr", Type: sdk.TypeMediaImported, Time: time.Now(),
		Media: &sdk.Media{Kind: "movie", ID: id, Title: "Film " + id, Year: 2024, IDs: map[string]string{"tmdb": id}},
		Files: []sdk.File{{ID: id, Path: "/films/" + id + ".mkv", SizeBytes: 45_100_000_000, Quality: "Bluray-2160p"}},
	}
}

// A program that knows only the views shows the library, and then its changes as they
// come.
func TestReaderFollows(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "catalogue-reader")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../examples/catalogue-reader").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, k := range places(t)[:2] {
		t.Run(string(k.place), func(t *testing.T) {
			t.Parallel()
			keeper := k.mustOpen(t)
			require.NoError(t, keeper.Keep(t.Context(), "d1", []sdk.Event{imported("1")}))
			address := k.address
			if k.place == placeSQLite {
				address = "sqlite://" + k.address
			}
			cmd := exec.CommandContext(t.Context(), binary, "-url", address, "-schema", testSchema, "-follow")
			cmd.Stderr = os.Stderr
			pipe, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewScanner(pipe)
			next := func() string {
				require.True(t, lines.Scan())
				return strings.Join(strings.Fields(lines.Text()), " ")
			}
			require.Equal(t, "radarr movie Film 1 (2024) 1 files 45.1 GB", next())
			require.NoError(t, keeper.Keep(t.Context(), "d2", []sdk.Event{imported("2")}))
			require.Equal(t, "3 radarr added movie/2 Film 2", next())
			require.Equal(t, "4 radarr file_added movie/2 Film 2 /films/2.mkv", next())
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
			require.NoError(t, cmd.Wait())
		})
	}
}

// The statements of the documentation run on both databases.
func TestDocumentedSQL(t *testing.T) {
	t.Parallel()
	var statements []string
	for _, page := range []string{"../../examples/catalogue-reader/README.md", "../../docs/catalogue.md"} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		found := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, found, page)
		for _, m := range found {
			statements = append(statements, m[1])
		}
	}
	for _, k := range places(t)[:2] {
		t.Run(string(k.place), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, k.mustOpen(t).Keep(t.Context(), "d1", []sdk.Event{imported("1")}))
			db := k.database(t)
			for _, statement := range statements {
				if strings.Contains(statement, "-- Postgres") && k.place == placeSQLite {
					continue
				}
				rows(t, db, statement, func(func(...any) error) error { return nil })
			}
		})
	}
}

// Every view and every column is in the documentation, and is there in both databases.
func TestDocumentedViews(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/catalogue.md")
	require.NoError(t, err)
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (.*?) \\|").FindAllStringSubmatch(string(page), -1) {
		for _, column := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(m[2], -1) {
			documented[m[1]+"."+column[1]] = true
		}
	}
	for _, k := range places(t)[:2] {
		t.Run(string(k.place), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, k.mustOpen(t).Keep(t.Context(), "d1", []sdk.Event{imported("1")}))
			query := `SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.views USING (table_schema, table_name)
  WHERE table_schema = '` + strings.ReplaceAll(testSchema, "'", "''") + `'`
			if k.place == placeSQLite {
				query = `SELECT v.name, c.name FROM sqlite_schema v JOIN pragma_table_info(v.name) c WHERE v.type = 'view'`
			}
			there := map[string]bool{}
			rows(t, k.database(t), query, func(scan func(...any) error) error {
				var view, column string
				err := scan(&view, &column)
				there[view+"."+column] = true
				return err
			})
			require.Equal(t, there, documented)
		})
	}
}
