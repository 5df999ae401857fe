package main

import (
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func (c *cli) newSources() *cobra.Command {
	list := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the sources, and what was last seen of them",
		Long: `List shows the sources with the latest event of each type, how far the history of an
application was read, and when everything that it has was read last.`,
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
	show := c.tables(&cobra.Command{
		Use:   "show NAME",
		Short: "Show a source: its last events, its history, and its snapshot",
		Example: `  hookarr sources show radarr
  hookarr sources show radarr --json`,
		ValidArgsFunction: first(c.names(sourceNames), cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				v, err := s.Source(cmd.Context(), args[0])
				if err != nil || c.json {
					return c.orJSON(v, err)
				}
				return c.facts(c.sourceFacts(v))
			})
		},
	})
	return c.remote(group("sources", "Show sources", list, show, c.newOptions(host.KindSource, "  hookarr sources options radarr\n  hookarr sources options radarr --json")))
}

func (c *cli) sourceFacts(v admin.Source) [][]string {
	rows := [][]string{
		{"source", clean(v.Name, titleWidth)},
		{"plugin", orDash(v.Plugin)},
		{"auth", clean(strings.Join(v.Auth, ", "), whole)},
	}
	if v.Catchup != nil {
		rows = append(rows, []string{"history read to", c.time(v.Catchup.ReadTo)}, []string{"history waits", clean(v.Catchup.Trouble, whole)})
	}
	if v.Snapshot != nil {
		rows = append(rows, c.snapshotFacts(*v.Snapshot)...)
	}
	for _, seen := range v.LastSeen {
		rows = append(rows, []string{"last " + clean(string(seen.Type), titleWidth), c.time(seen.At)})
	}
	return rows
}

func (c *cli) snapshotFacts(s admin.Snapshot) [][]string {
	rows := [][]string{}
	if s.Phase != "" {
		rows = append(rows, []string{"snapshot now", progressOf(s)})
	}
	read := "never to its end"
	if s.EndedAt != nil {
		read = c.time(*s.EndedAt)
	}
	rows = append(rows, []string{"snapshot read", read})
	if s.Phase == "" && s.EndedRun == s.Run {
		rows = append(rows, []string{"snapshot", countsOf(s)})
	}
	return append(rows,
		[]string{"next snapshot", c.timeOf(s.NextAt)},
		[]string{"not told", clean(s.Withheld, whole)},
		[]string{"snapshot waits", clean(s.Trouble, whole)},
	)
}

func (c *cli) sourceRows(sources []admin.Source) [][]string {
	rows := [][]string{{"NAME", "PLUGIN", "AUTH", "HISTORY READ TO", "SNAPSHOT", "ITEMS", "TYPE", "LAST SEEN"}}
	for _, v := range sources {
		auth, read, snapshot, items := strings.Join(v.Auth, ", "), "", "", ""
		switch {
		case v.Name == sdk.SourceHookarr:
			auth = "built in"
		case !v.Configured:
			auth = "not configured"
		}
		if v.Catchup != nil {
			read = c.time(v.Catchup.ReadTo)
		}
		if v.Snapshot != nil {
			items = humanize.Comma(int64(v.Snapshot.Items))
			switch {
			case v.Snapshot.Trouble != "":
				snapshot = "waits"
			case v.Snapshot.Phase != "":
				snapshot = string(v.Snapshot.Phase)
			default:
				snapshot = c.timeOf(v.Snapshot.EndedAt)
			}
		}
		row := []string{clean(v.Name, titleWidth), orDash(v.Plugin), orDash(clean(auth, reasonWidth)), orDash(read), orDash(snapshot), orDash(items)}
		if len(v.LastSeen) == 0 {
			rows = append(rows, append(row, "-", "never"))
		}
		for i, seen := range v.LastSeen {
			if i > 0 {
				row = []string{"", "", "", "", "", ""}
			}
			rows = append(rows, append(row, orDash(clean(string(seen.Type), titleWidth)), c.time(seen.At)))
		}
	}
	return rows
}
