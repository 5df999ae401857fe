package main

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
)

const (
	// followPause is the time between looks for new events.
	followPause = time.Second
	// followOverlap is how far back each look goes: an event may be stored a moment after
	// others that were received later.
	followOverlap = 15 * time.Second
)

func (c *cli) newEvents() *cobra.Command {
	return c.remote(group("events", "Show what was received, and deliver it again",
		c.newEventsList(), c.newEventsShow(), c.newEventsBody(), c.newEventsWhy(), c.newEventsSearch(), c.newEventsReplay()))
}

func (c *cli) newEventsList() *cobra.Command {
	var f eventFlags
	var limit int
	var follow bool
	cmd := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the latest events",
		Long: `List shows the latest events, newest first. With --follow it shows the latest with the
newest last, and then each as it comes, until Ctrl-C.`,
		Example: `  hookarr events list
  hookarr events list --source radarr --type media.imported --limit 10
  hookarr events list --state undecodable --since 7d --json
  hookarr events list --follow`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := f.read(c)
			if err == nil {
				err = checkLimit(limit)
			}
			if err != nil {
				return err
			}
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				return c.listEvents(cmd.Context(), s, filter, limit, follow)
			})
		},
	})
	f.flags(c, cmd)
	limitFlag(cmd, &limit)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with each event as it comes")
	return cmd
}

func (c *cli) newEventsSearch() *cobra.Command {
	var f eventFlags
	var limit int
	cmd := c.tables(&cobra.Command{
		Use:   "search TEXT",
		Short: "Show the events that have a text",
		Long: `Search shows the events that have a text in their title, summary, normalized form or
body, newest first. Capitals do not matter.`,
		Example: `  hookarr events search Sintel
  hookarr events search "S01E02" --source sonarr --since 2w
  hookarr events search Bluray --field media.year=2010 --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.text = args[0]
			filter, err := f.read(c)
			if err == nil {
				err = checkLimit(limit)
			}
			if err != nil {
				return err
			}
			return c.withService(cmd.Context(), needDatabase, func(s *service) error {
				return c.listEvents(cmd.Context(), s, filter, limit, false)
			})
		},
	})
	f.flags(c, cmd)
	limitFlag(cmd, &limit)
	return cmd
}

func (c *cli) newEventsShow() *cobra.Command {
	return c.tables(&cobra.Command{
		Use:   "show ID",
		Short: "Show an event, its deliveries and their attempts",
		Example: `  hookarr events show 0197a2c4-5b1e
  hookarr events show 0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f --json`,
		ValidArgsFunction: first(c.eventIDs, cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withOne(cmd, args[0], func(s *service) error {
				e, err := s.Event(cmd.Context(), args[0])
				if err != nil || c.json {
					return c.orJSON(e, err)
				}
				return c.printWhole(e)
			})
		},
	})
}

// withOne runs f for one thing with an id.
func (c *cli) withOne(cmd *cobra.Command, id string, f func(*service) error) error {
	if err := checkID(id); err != nil {
		return err
	}
	return c.withService(cmd.Context(), needDatabase, f)
}

// orJSON prints a view, unless there is none.
func (c *cli) orJSON(view any, err error) error {
	if err != nil {
		return err
	}
	return c.printJSON(view)
}

func (c *cli) newEventsBody() *cobra.Command {
	var normalized bool
	cmd := &cobra.Command{
		Use:   "body ID",
		Short: "Print what was received",
		Long: `Body prints the body of an event's request, byte for byte, or the normalized event as
JSON.`,
		Example: `  hookarr events body 0197a2c4-5b1e > webhook.json
  hookarr events body 0197a2c4-5b1e --normalized`,
		ValidArgsFunction: first(c.eventIDs, cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withOne(cmd, args[0], func(s *service) error {
				body, err := s.Body(cmd.Context(), args[0], normalized)
				if err != nil {
					return err
				}
				if normalized {
					return c.say("%s", body)
				}
				_, err = exact(c.out).Write(body)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&normalized, "normalized", false, "print the normalized event")
	return cmd
}

func (c *cli) newEventsReplay() *cobra.Command {
	var f eventFlags
	var replay admin.Replay
	var yes bool
	cmd := c.tables(&cobra.Command{
		Use:   "replay [ID...]",
		Short: "Make new deliveries of stored events",
		Long: `Replay makes new deliveries of events that are stored: those with these ids, or all that
filters select, which are counted first. They go where the routes of today lead, or to
the targets of --to. Without a terminal, filters need --yes.`,
		Example: `  hookarr events replay 0197a2c4-5b1e
  hookarr events replay --source radarr --since 2h --to archive
  hookarr events replay --state undecodable --redecode --yes`,
		ValidArgsFunction: c.eventIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := f.read(c)
			if err == nil {
				err = eitherIDs(args, f.given(), "events replay", "--source radarr --since 2h")
			}
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			return c.withService(ctx, needDatabase, func(s *service) error {
				if len(args) > 0 {
					return c.each(args, "replayed", func(id string) (admin.Done, error) { return s.ReplayEvent(ctx, id, replay, "") })
				}
				return c.bulk(ctx, s, yes, bulk{
					verb: "replay", one: "event", noun: "events", list: "events list",
					count: func() (admin.Count, error) { return s.CountEvents(ctx, filter) },
					begin: func(expect int) (admin.Action, error) { return s.ReplayEvents(ctx, filter, replay, expect, "") },
				})
			})
		},
	})
	f.flags(c, cmd)
	textFlag(cmd, &f.text, "the title, summary, normalized form or body")
	cmd.Flags().StringArrayVar(&replay.To, "to", nil, "deliver to this `TARGET`, whatever the routes say; may be given again")
	cmd.Flags().BoolVar(&replay.Redecode, "redecode", false, "decode the stored request anew first, which needs a running server")
	yesFlag(cmd, &yes)
	completeFlag(cmd, "to", c.names(targetNames))
	return cmd
}

func (c *cli) listEvents(ctx context.Context, s *service, f admin.EventFilter, limit int, follow bool) error {
	events, err := collect(limit, func(p admin.Page) (admin.List[admin.Event], error) { return s.ListEvents(ctx, f, p) })
	if err != nil {
		return err
	}
	if !follow {
		return c.show(events, c.eventRows(events))
	}
	slices.Reverse(events)
	var oldest string
	if len(events) == limit {
		oldest = events[0].ID
		if f.Since.Before(storedAt(events[0])) {
			f.Since = storedAt(events[0])
		}
	}
	columns := layOut(c.eventRows(events))
	if c.width > 0 {
		columns.fit(c.width, c.eventRows(events))
	}
	if !c.json {
		if err := columns.print(c, c.eventRows(nil)); err != nil {
			return err
		}
	}
	for seen := map[string]time.Time{}; ; {
		if err := c.printNew(events, oldest, seen, columns); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followPause):
		}
		events, err = collect(maxFollowed, func(p admin.Page) (admin.List[admin.Event], error) {
			p.Oldest = true
			return s.ListEvents(ctx, recent(f, seen), p)
		})
		if err != nil {
			return unlessStopped(ctx, err)
		}
	}
}

// unlessStopped is an error of what goes on until the user ends it.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// storedAt is what a filter's times are compared with: an event's id has it.
func storedAt(e admin.Event) time.Time {
	id, err := uuid.Parse(e.ID)
	if err != nil {
		return e.ReceivedAt
	}
	return time.Unix(id.Time().UnixTime())
}

// recent narrows a filter to what may be new, by the times that the server gave, and
// forgets what is older.
func recent(f admin.EventFilter, seen map[string]time.Time) admin.EventFilter {
	for _, at := range seen {
		if since := at.Add(-followOverlap); since.After(f.Since) {
			f.Since = since
		}
	}
	for id, at := range seen {
		if at.Before(f.Since) {
			delete(seen, id)
		}
	}
	return f
}

// maxFollowed bounds what comes between two looks.
const maxFollowed = 100_000

// printNew prints the events that were not seen yet, and are no older than the oldest that
// was asked for.
func (c *cli) printNew(events []admin.Event, oldest string, seen map[string]time.Time, columns layout) error {
	var fresh []admin.Event
	for _, e := range events {
		if _, ok := seen[e.ID]; !ok && e.ID >= oldest {
			fresh = append(fresh, e)
		}
		seen[e.ID] = storedAt(e)
	}
	if !c.json {
		return columns.print(c, c.eventRows(fresh)[1:])
	}
	for _, e := range fresh {
		if err := c.printLine(e); err != nil {
			return err
		}
	}
	return nil
}

func (c *cli) eventRows(events []admin.Event) [][]string {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	short := shorten(ids)
	rows := [][]string{{"ID", "RECEIVED", "SOURCE", "TYPE", "STATE", "DELIVERIES", "TITLE", "REASON"}}
	for _, e := range events {
		rows = append(rows, []string{
			short(e.ID), c.time(e.ReceivedAt), e.Source, orDash(string(e.Type)), string(e.State), orDash(states(e.Counts)),
			orDash(clean(e.Title, titleWidth)), clean(e.Reason, reasonWidth),
		})
	}
	return rows
}
