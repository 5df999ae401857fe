package catalogue

import (
	"errors"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// config is where one catalogue is kept.
type config struct {
	URL         string       `json:"url" hookarr:"required,title=Place" jsonschema:"example=sqlite:///var/lib/hookarr/catalogue.db" doc:"Where the catalogue is kept: postgres://user@host/database, sqlite:///path/to/catalogue.db, or dir:///path/to/directory for JSON files. Paths are absolute."`
	Password    sdk.Secret   `json:"password" doc:"Password of the user in Postgres. It is not part of the URL, which errors show."`
	Schema      string       `json:"schema" hookarr:"default=hookarr_catalogue,advanced" doc:"The schema in Postgres, which is made when it is missing. It is the catalogue's alone."`
	Readers     string       `json:"readers" hookarr:"default=owner,enum=owner|group|all,advanced" doc:"Who may read files that are made: the user that Hookarr runs as, its group too, or everybody."`
	KeepChanges sdk.Duration `json:"keep_changes" hookarr:"default=2160h,advanced" doc:"How long changes are kept for those who follow them, such as 90d. JSON files keep the latest 16 to 32 MB."`
}

// place is a URL's kind of catalogue.
type place string

const (
	placePostgres place = "postgres"
	placeSQLite   place = "sqlite"
	placeDir      place = "dir"
)

// minKept is the least time for which changes are kept, so that nobody who follows them
// misses any over a short outage.
const minKept = time.Hour

// Validate checks what the tags cannot say.
func (c config) Validate() error {
	where, _, err := c.place()
	problems := []error{err}
	if c.Password != "" && err == nil && where != placePostgres {
		problems = append(problems, sdk.Problem("password", "is for Postgres: files have none"))
	}
	// Postgres cuts longer names off, and keeps those with pg_ to itself.
	if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$-]{0,62}$`).MatchString(c.Schema) || strings.HasPrefix(c.Schema, "pg_") {
		problems = append(problems, sdk.Problem("schema", "needs 1 to 63 letters of a to z, digits, _, $ and -, not beginning with a digit or pg_"))
	}
	if c.KeepChanges < sdk.Duration(minKept) {
		problems = append(problems, sdk.Problem("keep_changes", "needs 1h or more"))
	}
	return errors.Join(problems...)
}

// place returns where the catalogue is kept: what follows is the URL for Postgres, or the
// path. The problem does not repeat the URL, which may have a password in it by mistake.
func (c config) place() (place, string, error) {
	scheme, rest, _ := strings.Cut(c.URL, "://")
	switch scheme {
	case "postgres", "postgresql":
		return placePostgres, c.URL, checkServer(c.URL)
	case "sqlite", "dir":
		if !path.IsAbs(rest) || strings.ContainsAny(rest, "\x00") {
			return "", "", sdk.Problem("url", "needs an absolute path, as "+scheme+":///var/lib/hookarr/catalogue has: plugins run in a directory of their own, where a relative path would lead to nowhere that lasts")
		}
		if scheme == "sqlite" && strings.HasSuffix(rest, "/") {
			return "", "", sdk.Problem("url", "needs the path of a file: "+scheme+":///var/lib/hookarr/catalogue.db")
		}
		return place(scheme), path.Clean(rest), nil
	default:
		return "", "", sdk.Problem("url", "needs to begin with postgres://, sqlite:// or dir://")
	}
}

// checkServer checks the URL of a database in Postgres.
func checkServer(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || strings.Trim(u.Path, "/") == "" || u.User.Username() == "" {
		return sdk.Problem("url", "is no URL of a database: write postgres://user@host/database")
	}
	if _, ok := u.User.Password(); ok || u.Query().Has("password") {
		return sdk.Problem("url", "has a password in it: write that in the key password, or name a file with it in password_file; the URL is shown in errors")
	}
	if u.Hostname() != "" {
		if err := sdk.CheckHost(u.Hostname()); err != nil {
			return sdk.Problem("url", err.Error()+"; write that of the database server")
		}
	}
	return nil
}

// mode is that of files which are made.
func (c config) mode() fs.FileMode {
	switch c.Readers {
	case "group":
		return 0o640
	case "all":
		return 0o644
	default:
		return 0o600
	}
}
