package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/shell"
)

const (
	// cataloguePlugin is the target plugin whose catalogues the command is about.
	cataloguePlugin = "catalogue"
	// catalogueSchema is the plugin's default.
	catalogueSchema = "hookarr_catalogue"
	// maxRole is how many bytes of a name Postgres keeps.
	maxRole = 63
)

func (c *cli) newCatalogue() *cobra.Command {
	return group("catalogue", "Let others read the catalogues that targets keep", c.newCatalogueGrant())
}

func (c *cli) newCatalogueGrant() *cobra.Command {
	var target string
	cmd := &cobra.Command{
		Use:   "grant USER",
		Short: "Print the SQL that lets a user read a catalogue",
		Long: `Grant prints the SQL that makes a user of Postgres, unless there is one of the name,
and lets it read the catalogue of a target, and nothing else in the database.
Nothing is run: give it to psql. For a catalogue in files it says how to read them.`,
		Example: `  hookarr catalogue grant grafana
  hookarr catalogue grant grafana --target library | psql postgres://hookarr@db/media`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			if strings.ContainsFunc(args[0], unicode.IsControl) || len(args[0]) > maxRole || args[0] == "" {
				return usagef("the name of a user in Postgres has 1 to %d bytes and no control characters", maxRole)
			}
			f, err := c.readSettings()
			if err != nil {
				return err
			}
			return c.grant(f, args[0], target)
		},
	}
	cmd.Flags().StringVar(&target, "target", "", "of the catalogue of this target: `NAME`")
	completeFlag(cmd, "target", c.names(catalogues))
	return cmd
}

// catalogues are the names of the targets that keep one.
func catalogues(cfg *config.Config) []string {
	return slices.DeleteFunc(targetNames(cfg), func(name string) bool { return cfg.Targets[name].Plugin != cataloguePlugin })
}

func (c *cli) grant(f *settings, user, target string) error {
	known := catalogues(f.config)
	switch {
	case len(known) == 0:
		return errors.New("no target has the plugin catalogue: docs/targets/catalogue.md says how to have one")
	case target != "" && !slices.Contains(known, target):
		return usagef("no target with the plugin catalogue is called %q%s", target, meant(target, known))
	case target != "":
		known = []string{target}
	}
	for _, name := range known {
		if err := f.sound("targets."+name+".config.url", "targets."+name+".config.schema"); err != nil {
			return err
		}
		text, err := access(name, f.config.Targets[name].Config, user)
		if err != nil {
			return &config.Error{Problems: []config.Problem{f.config.Problem("targets."+name+".config.url", err.Error())}}
		}
		if _, err := fmt.Fprint(c.out, text); err != nil {
			return err
		}
	}
	return nil
}

// access says how a user gets to read the catalogue of a target.
func access(target string, plugin map[string]any, user string) (string, error) {
	address, _ := plugin["url"].(string)
	scheme, path, _ := strings.Cut(address, "://")
	if strings.ContainsFunc(path, unicode.IsControl) { // a line of its own would be no comment
		return "", errors.New("has control characters")
	}
	switch scheme {
	case "postgres", "postgresql":
		u, err := url.Parse(address)
		if err != nil {
			return "", errors.New("is no URL")
		}
		schema, _ := plugin["schema"].(string)
		return grants(target, u, cmp.Or(schema, catalogueSchema), user), nil
	case "sqlite":
		return fmt.Sprintf(`-- The catalogue of the target %s is the file %s.
-- Open it read-only: sqlite3 %s
-- Files have no users of their own: readers: group, or all, in the target's config lets others
-- read a file that is made, and chmod one that is there, with its -wal and -shm.
`, target, path, shell.Command((&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=ro"}).String())), nil
	case "dir":
		return fmt.Sprintf(`-- The catalogue of the target %s is in the directory %s: for each source titles.json, which is
-- replaced as a whole, and changes.ndjson, which grows.
-- Files have no users of their own: readers: group, or all, in the target's config lets others
-- read files that are made, and chmod those that are there.
`, target, path), nil
	default:
		return "", errors.New("needs to begin with postgres://, sqlite:// or dir://")
	}
}

// grants are the statements for Postgres. They may be run again.
func grants(target string, u *url.URL, schema, user string) string {
	shown := *u
	shown.User = url.User(u.User.Username())
	query := shown.Query()
	query.Del("password")
	shown.RawQuery = query.Encode()
	role, in := identifier(user), identifier(schema)
	makeRole := fmt.Sprintf("BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %s) THEN CREATE ROLE %s LOGIN; END IF; END", literal(user), role)
	return fmt.Sprintf(`-- Lets %[1]s read the catalogue of the target %[2]s, and nothing else. Run it as the target's own user, who
-- has made the schema with the first delivery: psql %[3]s
DO %[4]s; -- needs CREATEROLE unless there is one; \password %[1]s sets its password
GRANT CONNECT ON DATABASE %[5]s TO %[1]s;
GRANT USAGE ON SCHEMA %[6]s TO %[1]s;
GRANT SELECT ON ALL TABLES IN SCHEMA %[6]s TO %[1]s;
ALTER DEFAULT PRIVILEGES IN SCHEMA %[6]s GRANT SELECT ON TABLES TO %[1]s;
`, role, target, shell.Command(shown.String()), literal(makeRole), identifier(strings.Trim(u.Path, "/")), in)
}

// identifier is a name in SQL.
func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal is a text in SQL.
func literal(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) { // whatever standard_conforming_strings says
		return " E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
