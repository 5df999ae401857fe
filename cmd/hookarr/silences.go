package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
)

func (c *cli) newSilences() *cobra.Command {
	return c.remote(group("silences", "Show, add and end silences: events that nobody wants to hear of for a while",
		c.newSilencesAdd(), c.newSilencesList(), c.newSilencesExpire()))
}

func (c *cli) newSilencesAdd() *cobra.Command {
	var n admin.NewSilence
	var until string
	cmd := c.tables(&cobra.Command{
		Use:   "add EXPRESSION",
		Short: "Cancel the deliveries of events that meet an expression, for a while",
		Long: `Add begins a silence. Deliveries of events that meet the expression, which is written as
the when of a route, are cancelled instead of attempted: those that come while the
silence is active, even if they wait until after its end, and those that wait already
when it begins. Attempts under way are finished. What was cancelled can be replayed
after the silence.

What Hookarr tells of itself is silenced only by a silence with --target.`,
		Example: `  hookarr silences add 'event.source == "sonarr"' --for 2h --comment "moving the library"
  hookarr silences add 'event.type == "health.issue"' --for 7d --target discord
  hookarr silences add true --until "2026-11-28 14:00"`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			n.Expression = args[0]
			if err := c.readEnd(&n, until); err != nil {
				return err
			}
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				added, err := s.AddSilence(cmd.Context(), n, "")
				if err != nil || c.json {
					return c.orJSON(added, err)
				}
				return c.say("silence %s is active until %s", added.ID, c.time(added.EndsAt))
			})
		},
	})
	flags := cmd.Flags()
	flags.StringVar(&n.For, "for", "", "how `LONG` it lasts, such as 90m, 2h or 7d")
	flags.StringVar(&until, "until", "", "the `TIME` when it ends, such as 2026-11-28 14:00")
	flags.StringVar(&n.Target, "target", "", "only for this `TARGET`")
	flags.StringVar(&n.Comment, "comment", "", "what others see as the reason: `TEXT`")
	completeFlag(cmd, "for", cobra.NoFileCompletions)
	completeFlag(cmd, "until", cobra.NoFileCompletions)
	completeFlag(cmd, "target", c.names(targetNames))
	completeFlag(cmd, "comment", cobra.NoFileCompletions)
	return cmd
}

// readEnd wants one of the two flags that say when a silence ends.
func (c *cli) readEnd(n *admin.NewSilence, until string) error {
	if (n.For == "") == (until == "") {
		return usagef("give --for 2h, or --until with a time such as 2026-11-28 14:00, one of them")
	}
	if until == "" {
		return nil
	}
	end, ok := admin.ReadClock(until, c.zone())
	if !ok {
		return usagef("--until: want a time such as 2026-11-28 14:00; --for takes how long")
	}
	n.Until = &end
	return nil
}

func (c *cli) newSilencesList() *cobra.Command {
	return c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the silences that are active, and those that ended within a week",
		Example: `  hookarr silences list
  hookarr silences list --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				list, err := s.ListSilences(cmd.Context())
				if err != nil {
					return err
				}
				return c.show(list, c.silenceRows(list))
			})
		},
	})
}

func (c *cli) silenceRows(list []admin.Silence) [][]string {
	ids := make([]string, len(list))
	for i, n := range list {
		ids[i] = n.ID
	}
	short := shorten(ids)
	rows := [][]string{{"ID", "STATE", "BEGUN", "UNTIL", "TARGET", "SILENCED", "BY", "EXPRESSION", "COMMENT"}}
	for _, n := range list {
		rows = append(rows, []string{
			short(n.ID), n.State, c.time(n.StartsAt), c.time(n.EndsAt), orDash(clean(n.Target, titleWidth)), strconv.Itoa(n.Silenced),
			clean(n.Who, titleWidth), clean(n.Expression, reasonWidth), clean(n.Comment, reasonWidth),
		})
	}
	return rows
}

func (c *cli) newSilencesExpire() *cobra.Command {
	return c.tables(&cobra.Command{
		Use:   "expire ID",
		Short: "End a silence now",
		Long: `Expire ends a silence now. What came while it was active stays silenced: hookarr events
replay sends it all the same.`,
		Example:           `  hookarr silences expire 0197a2c4-7a10`,
		ValidArgsFunction: first(c.silenceIDs, cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withOne(cmd, args[0], func(s *service) error {
				n, err := s.ExpireSilence(cmd.Context(), args[0])
				if err != nil || c.json {
					return c.orJSON(n, err)
				}
				return c.say("silence %s has ended, after %s", n.ID, counted(n.Silenced, "delivery", "deliveries"))
			})
		},
	})
}
