package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/sdk"
)

func (c *cli) newSources() *cobra.Command {
	list := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the sources, and what was last seen of them",
		Long: `List shows the sources with the latest event of each type, and how far the history of
an application was read.`,
		Example: `  hookarr sources list
  hookarr sources list --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				sources, err := s.ListSources(cmd.Context())
				if err != nil {
					return err
				}
				return c.show(sources, c.sourceRows(sources))
			})
		},
	})
	return c.remote(group("sources", "Show sources", list))
}

func (c *cli) sourceRows(sources []admin.Source) [][]string {
	rows := [][]string{{"NAME", "PLUGIN", "AUTH", "HISTORY READ TO", "TYPE", "LAST SEEN"}}
	for _, v := range sources {
		auth, read := strings.Join(v.Auth, ", "), ""
		switch {
		case v.Name == sdk.SourceHookarr:
			auth = "built in"
		case !v.Configured:
			auth = "not configured"
		}
		if v.Catchup != nil {
			read = c.time(v.Catchup.ReadTo)
		}
		row := []string{clean(v.Name, titleWidth), orDash(v.Plugin), orDash(clean(auth, reasonWidth)), orDash(read)}
		if len(v.LastSeen) == 0 {
			rows = append(rows, append(row, "-", "never"))
		}
		for i, seen := range v.LastSeen {
			if i > 0 {
				row = []string{"", "", "", ""}
			}
			rows = append(rows, append(row, orDash(clean(string(seen.Type), titleWidth)), c.time(seen.At)))
		}
	}
	return rows
}
