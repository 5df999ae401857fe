package main

import (
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/spf13/cobra"

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

func (c *cli) newVersion() *cobra.Command {
	return c.tables(&cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Example: `  hookarr version
  hookarr version --json`,
		RunE: func(*cobra.Command, []string) error {
			b := readBuild()
			if c.json {
				return c.printJSON(b)
			}
			commit := orDash(b.Commit)
			if b.Modified {
				commit += ", modified"
			}
			return c.table(
				[]string{"version", b.Version},
				[]string{"commit", commit},
				[]string{"go", b.Go + " " + b.Platform},
				[]string{"plugin protocol", strconv.Itoa(b.Protocol)},
			)
		},
	})
}
