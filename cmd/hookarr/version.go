package main

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/timeout"
	"github.com/hookarr/hookarr/sdk"
)

// build is what the binary was made of.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	// Time is the commit's.
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// Protocol is the version of the contract with plugins.
	Protocol int `json:"plugin_protocol"`
	// Server is what answers; nil if none does.
	Server *admin.Version `json:"server,omitempty"`
}

func readBuild() build {
	b := build{
		Version:  "(devel)",
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Protocol: sdk.ProtocolVersion,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// serverTimeout is how long a server may take to say its version.
const serverTimeout = 2 * time.Second

// askVersion returns the version of the server, or nil if none answers.
func (c *cli) askVersion(ctx context.Context) (*admin.Version, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout.Of(serverTimeout))
	defer cancel()
	s, release, err := c.reach(ctx, needServer, false)
	if err != nil {
		if c.server == "" && c.socket == "" {
			err = nil // there may be none
		}
		return nil, err
	}
	v, err := s.Version(ctx)
	return &v, errors.Join(err, release())
}

func (c *cli) newVersion() *cobra.Command {
	return c.remote(c.tables(&cobra.Command{
		Use:   "version",
		Short: "Print the version, and that of the server if one answers",
		Example: `  hookarr version
  hookarr version --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := readBuild()
			var err error
			if b.Server, err = c.askVersion(cmd.Context()); err != nil {
				return err
			}
			if c.json {
				return c.printJSON(b)
			}
			commit := orDash(b.Commit)
			if b.Modified {
				commit += ", modified"
			}
			rows := [][]string{
				{"version", b.Version},
				{"commit", commit},
				{"go", b.Go + " " + b.Platform},
				{"plugin protocol", strconv.Itoa(b.Protocol)},
			}
			if v := b.Server; v != nil {
				rows = append(rows, []string{"server", clean(v.Version, titleWidth)}, []string{"server commit", clean(v.Commit, titleWidth)},
					[]string{"server runs", clean(v.Config, whole)}, []string{"configuration", clean(v.ConfigHash, titleWidth)})
			}
			return c.facts(rows)
		},
	}))
}
