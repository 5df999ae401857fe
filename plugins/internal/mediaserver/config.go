package mediaserver

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// BlindConfig is what all targets of media servers are configured with. Those of servers
// that tell nothing of their disks have no more. Embed it, and call Problems from Validate.
type BlindConfig struct {
	URL         string         `json:"url" hookarr:"required,group=Server" jsonschema:"example=http://nas:8080" doc:"URL of the server, with its port."`
	Map         []pathmap.Pair `json:"map" hookarr:"group=Libraries" doc:"Folders of the applications and what the server calls them; the longest that fits is used. hookarr paths TARGET proposes them."`
	Libraries   []string       `json:"libraries" hookarr:"group=Libraries,options" doc:"Names of the libraries to keep up to date; none is all."`
	ProveWithin sdk.Duration   `json:"prove_within" hookarr:"default=30m,advanced" doc:"How long the server may take to show a file, before the delivery is given up."`

	InsecureSkipVerify bool `json:"insecure_skip_verify" hookarr:"advanced" doc:"Accept any TLS certificate, such as one that the server signed itself."`
}

// Config is the BlindConfig of servers that tell what they see on their disks.
type Config struct {
	BlindConfig
	Anchors []string `json:"anchors" hookarr:"group=Libraries" doc:"Files or folders that the server sees as long as its disks are mounted. While one is missing, nothing is scanned and the target waits."`
}

// Base is the URL without a slash at its end, to put paths after.
func (c *BlindConfig) Base() string { return strings.TrimRight(c.URL, "/") }

// Config is c with no anchors.
func (c *BlindConfig) Config() Config { return Config{BlindConfig: *c} }

// Problems is what is wrong with c that its tags cannot say.
func (c *BlindConfig) Problems() error {
	u, err := endpointurl.Parse("url", sdk.Secret(c.URL))
	if err == nil && (u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		err = sdk.Problem("url", "has more than a host, a port and a path; credentials have keys of their own")
	}
	problems := []error{err}
	if _, err := pathmap.New(c.Map); err != nil {
		problems = append(problems, err)
	}
	for i, name := range c.Libraries {
		if name == "" {
			problems = append(problems, sdk.Problem(fmt.Sprintf("libraries[%d]", i), "is empty; write the library's name"))
		}
	}
	if d := time.Duration(c.ProveWithin); d < time.Second || d > 7*24*time.Hour {
		problems = append(problems, sdk.Problem("prove_within", "is out of range; write 1s to 7d"))
	}
	return errors.Join(problems...)
}

// Problems is what is wrong with c that its tags cannot say.
func (c *Config) Problems() error {
	problems := []error{c.BlindConfig.Problems()}
	for i, a := range c.Anchors {
		if !pathmap.Absolute(a) {
			problems = append(problems, sdk.Problem(fmt.Sprintf("anchors[%d]", i), "is no absolute path; write it as the server sees it"))
		}
	}
	return errors.Join(problems...)
}

// Options say what a kind of server is called and how it is asked. Durations of zero are
// the defaults.
type Options struct {
	// Kind is the plugin's name, and Name what people call the server: plex, Plex.
	Kind, Name string
	// Settle is how long a server that was told to scan may take to say that it is busy. For
	// one that never says, it is the pause between two scans of a library. 2 s.
	Settle time.Duration
	// IdleTimeout is how long one call waits for a library to be idle. 10 s.
	IdleTimeout time.Duration
	// Pause is how long to wait before the server is asked for the first time; it doubles
	// with each time, up to 15 times as much. 4 s.
	Pause time.Duration
	// Offline is how long the target waits when a disk of the server is gone. 1 min.
	Offline time.Duration
	// Queues says that the server loses no scan while it is busy: Scan decides what has to wait
	// all the same, and returns ErrBusy.
	Queues bool
	// Keeps says that the server loses nothing before a person has its library cleaned:
	// nobody tells it what is gone, or waits for that.
	Keeps bool
	// Refetch is how long libraries are at least kept before they are read again for a path
	// that none has. 1 min.
	Refetch time.Duration
}
