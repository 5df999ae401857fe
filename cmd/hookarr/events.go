package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

func (c *cli) newEvents() *cobra.Command {
	var source, typ string
	page := page[event.State]{states: eventStates()}
	list := c.tables(&cobra.Command{
		Use:   "list",
		Short: "Show the latest events",
		Example: `  hookarr events list
  hookarr events list --source radarr --type media.imported --limit 10
  hookarr events list --state undecodable --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, before, err := page.read()
			if err != nil {
				return err
			}
			return c.listEvents(cmd.Context(), store.EventFilter{
				Source: source, Type: sdk.Type(typ), State: state, Before: before, Limit: page.limit,
			})
		},
	})
	list.Flags().StringVar(&source, "source", "", "only of this `SOURCE`")
	list.Flags().StringVar(&typ, "type", "", "only of this `TYPE`, such as media.imported")
	page.flags(list, "event")
	completeFlag(list, "source", c.names(sourceNames))
	completeFlag(list, "type", words(sdk.Types()))

	var body string
	bodies := []string{"raw", "normalized"}
	show := c.tables(&cobra.Command{
		Use:   "show ID",
		Short: "Show an event, its deliveries and their attempts",
		Example: `  hookarr events show 0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f
  hookarr events show 0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f --body raw`,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := readID(args[0])
			if err != nil {
				return err
			}
			which, err := oneOf("body", body, bodies)
			if err != nil {
				return err
			}
			return c.withStore(cmd.Context(), func(_ *config.Config, s *store.Store) error {
				return c.showEvent(cmd.Context(), s, id, which)
			})
		},
	})
	show.Flags().StringVar(&body, "body", "", "print nothing but the body: raw, as it was received, or normalized")
	completeFlag(show, "body", words(bodies))
	return group("events", "Show what was received", list, show)
}

func (c *cli) listEvents(ctx context.Context, f store.EventFilter) error {
	return c.withStore(ctx, func(cfg *config.Config, s *store.Store) error {
		c.warnUnknown("source", f.Source, append(sourceNames(cfg), sdk.SourceHookarr))
		c.warnUnknownType(f.Type)
		events, err := s.ListEvents(ctx, f)
		if err != nil {
			return fmt.Errorf("list events: %w", err)
		}
		views := make([]eventView, 0, len(events))
		rows := [][]string{{"ID", "RECEIVED", "SOURCE", "TYPE", "STATE", "DELIVERIES", "TITLE", "REASON"}}
		for _, e := range events {
			v := viewEventSummary(e)
			views = append(views, v)
			rows = append(rows, []string{
				v.ID, c.time(e.ReceivedAt), e.Source, orDash(string(e.Type)), string(e.State), orDash(states(v.Counts)),
				orDash(clean(e.Title, titleWidth)), clean(e.Reason, reasonWidth),
			})
		}
		return c.show(views, rows)
	})
}

func (c *cli) showEvent(ctx context.Context, s *store.Store, id uuid.UUID, body string) error {
	e, deliveries, err := s.FindEvent(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no event %s", id)
	}
	if err != nil {
		return fmt.Errorf("find event: %w", err)
	}
	switch body {
	case "raw":
		_, err := exact(c.out).Write(e.Request.Body)
		return err
	case "normalized":
		if len(e.Normalized) == 0 {
			return fmt.Errorf("event %s is %s: it has no normalized form", id, e.State)
		}
		_, err := fmt.Fprintf(c.out, "%s\n", e.Normalized)
		return err
	}
	targets, _, err := s.ListTargets(ctx)
	if err != nil {
		return fmt.Errorf("list targets: %w", err)
	}
	view := viewEvent(e)
	for _, d := range deliveries {
		_, attempts, err := s.FindDelivery(ctx, d.ID)
		if err != nil {
			return fmt.Errorf("find delivery: %w", err)
		}
		v := viewDelivery(d, attempts)
		v.held(targets)
		view.Deliveries = append(view.Deliveries, v)
	}
	repetitions, err := s.ListRepetitions(ctx, id, maxRepetitions)
	if err != nil {
		return fmt.Errorf("list repetitions: %w", err)
	}
	for _, r := range repetitions {
		view.Repetitions = append(view.Repetitions, repetitionView{ID: r.ID.String(), SeenAt: r.SeenAt, Origin: r.Origin})
	}
	if c.json {
		return c.printJSON(view)
	}
	if err := c.printEvent(view); err != nil {
		return err
	}
	for _, d := range view.Deliveries {
		if err := c.table(nil); err != nil {
			return err
		}
		if err := c.printDelivery(d); err != nil {
			return err
		}
	}
	return nil
}

// maxRepetitions bounds those that are shown.
const maxRepetitions = 100

func (c *cli) printEvent(v eventView) error {
	rows := [][]string{
		{"event", v.ID},
		{"source", v.Source},
		{"state", string(v.State)},
		{"reason", clean(v.Reason, whole)},
		{"received", c.time(v.ReceivedAt)},
		{"happened", c.happened(v)},
		{"type", string(v.Type)},
		{"title", clean(v.Title, reasonWidth)},
		{"summary", clean(v.Summary, reasonWidth)},
		{"correlation", clean(v.CorrelationKey, reasonWidth)},
		{"request", requested(*v.Request)},
	}
	for _, r := range v.Repetitions {
		rows = append(rows, []string{"repeated", c.time(r.SeenAt) + ", by " + string(r.Origin) + ", as " + r.ID})
	}
	return c.facts(rows)
}

// happened is when an event that was read from a history happened.
func (c *cli) happened(v eventView) string {
	var e struct{ Time time.Time }
	if v.Origin != sdk.OriginCatchup || json.Unmarshal(v.Event, &e) != nil {
		return ""
	}
	return c.time(e.Time) + ", read from the application's history"
}

// requested says what the event was made of.
func requested(r requestView) string {
	from := r.Method
	if from == "" {
		from = "record of the application's history"
	}
	return fmt.Sprintf("%s, %d bytes", from, r.Bytes)
}

// facts prints the rows that say something.
func (c *cli) facts(rows [][]string) error {
	var said [][]string
	for _, r := range rows {
		if r[1] != "" {
			said = append(said, r)
		}
	}
	return c.table(said...)
}

// printDelivery prints a delivery, what else is to be said of it, and its attempts.
func (c *cli) printDelivery(v deliveryView, more ...[]string) error {
	err := c.facts(append([][]string{
		{"delivery", v.ID},
		{"target", v.Target + ", by route " + v.Route},
		{"state", string(v.State)},
		{"reason", clean(v.Reason, whole)},
		{"attempts", strconv.Itoa(v.Attempts)},
		{"next attempt", c.timeOf(v.DueAt)},
		{"target waits", clean(v.Hold, whole)},
		{"until", c.timeOf(v.HoldUntil)},
		{"next probe", c.timeOf(v.NextProbe)},
		{"message", clean(v.MessageID, reasonWidth)},
	}, more...))
	if err != nil || len(v.History) == 0 {
		return err
	}
	rows := [][]string{{"  ATTEMPT", "STARTED", "TOOK", "CLASS", "STATUS", "MESSAGE"}}
	for _, a := range v.History {
		number, status := "  "+strconv.Itoa(a.Number), "-"
		if !a.Counted {
			number = "  -" // not counted
		}
		if a.Status != 0 {
			status = strconv.Itoa(a.Status)
		}
		took := time.Duration(a.ElapsedMS * float64(time.Millisecond)).Round(time.Millisecond)
		rows = append(rows, []string{number, c.time(a.StartedAt), took.String(), string(a.Class), status, clean(a.Message, whole)})
	}
	return c.table(rows...)
}
