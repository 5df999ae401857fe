package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// defaultLimit is how much a list shows, and maxPage what one request may ask for.
	defaultLimit = 50
	maxPage      = 1000
	// minPrefix is the least that is taken of an id, in hexadecimal digits.
	minPrefix = 4
)

// span is a time that flags give.
type span struct{ since, until string }

func (s *span) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.since, "since", "", "only of this `TIME` or later, such as 2h, 7d or 2026-11-28 14:00")
	cmd.Flags().StringVar(&s.until, "until", "", "only before this `TIME`")
	completeFlag(cmd, "since", cobra.NoFileCompletions)
	completeFlag(cmd, "until", cobra.NoFileCompletions)
}

func (s *span) read(zone *time.Location) (since, until time.Time, err error) {
	if since, err = readTime("since", s.since, zone); err == nil {
		until, err = readTime("until", s.until, zone)
	}
	return since, until, err
}

// readTime reads a time, or how long ago it was.
func readTime(flag, text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, ok := admin.ReadTime(text, time.Now(), zone); ok {
		return t, nil
	}
	return time.Time{}, usagef("--%s: want how long ago, such as 90m, 2h or 7d, or a time such as 2026-11-28 14:00", flag)
}

// eventFlags select events.
type eventFlags struct {
	source, typ, state, correlation, text string
	fields                                []string
	span
}

func (f *eventFlags) flags(c *cli, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.source, "source", "", "only of this `SOURCE`")
	flags.StringVar(&f.typ, "type", "", "only of this `TYPE`, such as media.imported")
	flags.StringVar(&f.state, "state", "", "only in this `STATE`: "+oneWordOf(event.States()))
	flags.StringVar(&f.correlation, "correlation", "", "only of the story with this `KEY`")
	flags.StringArrayVar(&f.fields, "field", nil, "only with this in the normalized form, as `PATH=VALUE`, such as media.title=Dune")
	f.span.flags(cmd)
	completeFlag(cmd, "source", c.names(sourceNames))
	completeFlag(cmd, "type", words(sdk.Types()))
	completeFlag(cmd, "state", words(event.States()))
	completeFlag(cmd, "correlation", cobra.NoFileCompletions)
	completeFlag(cmd, "field", cobra.NoFileCompletions)
}

// textFlag selects by what is read.
func textFlag(cmd *cobra.Command, text *string, where string) {
	cmd.Flags().StringVar(text, "text", "", "only with this `TEXT` in "+where)
	completeFlag(cmd, "text", cobra.NoFileCompletions)
}

func (f *eventFlags) read(c *cli) (admin.EventFilter, error) {
	filter := admin.EventFilter{Source: f.source, Type: sdk.Type(f.typ), Correlation: f.correlation, Text: f.text, Fields: f.fields}
	for _, field := range f.fields {
		if path, _, ok := strings.Cut(field, "="); !ok || path == "" {
			return filter, usagef("--field: want PATH=VALUE, such as media.title=Dune")
		}
	}
	var err error
	if filter.State, err = oneOf("state", f.state, event.States()); err != nil {
		return filter, err
	}
	c.warnNames("", f.source, filter.Type)
	filter.Since, filter.Until, err = f.span.read(c.zone())
	return filter, err
}

func (f *eventFlags) given() bool {
	return f.source != "" || f.typ != "" || f.state != "" || f.correlation != "" || f.text != "" || len(f.fields) > 0 || f.since != "" || f.until != ""
}

// deliveryFlags select deliveries.
type deliveryFlags struct {
	target, state, event, source, typ, route, text string
	span
}

func (f *deliveryFlags) flags(c *cli, cmd *cobra.Command, states []event.DeliveryState) {
	flags := cmd.Flags()
	flags.StringVar(&f.target, "target", "", "only to this `TARGET`")
	flags.StringVar(&f.state, "state", "", "only in this `STATE`: "+oneWordOf(states))
	flags.StringVar(&f.event, "event", "", "only of the event with this `ID`")
	flags.StringVar(&f.source, "source", "", "only of events of this `SOURCE`")
	flags.StringVar(&f.typ, "type", "", "only of events of this `TYPE`")
	flags.StringVar(&f.route, "route", "", "only by this `ROUTE`")
	textFlag(cmd, &f.text, "the reason or the event's title")
	f.span.flags(cmd)
	completeFlag(cmd, "target", c.names(targetNames))
	completeFlag(cmd, "state", words(states))
	completeFlag(cmd, "event", c.eventIDs)
	completeFlag(cmd, "source", c.names(sourceNames))
	completeFlag(cmd, "type", words(sdk.Types()))
	completeFlag(cmd, "route", c.names(routeNames))
}

func (f *deliveryFlags) read(c *cli, states []event.DeliveryState) (admin.DeliveryFilter, error) {
	filter := admin.DeliveryFilter{Target: f.target, Event: f.event, Source: f.source, Type: sdk.Type(f.typ), Route: f.route, Text: f.text}
	if f.event != "" {
		if err := checkID(f.event); err != nil {
			return filter, err
		}
	}
	var err error
	if filter.State, err = oneOf("state", f.state, states); err != nil {
		return filter, err
	}
	c.warnNames(f.target, f.source, filter.Type)
	filter.Since, filter.Until, err = f.span.read(c.zone())
	return filter, err
}

func (f *deliveryFlags) given() bool {
	return f.target != "" || f.state != "" || f.event != "" || f.source != "" || f.typ != "" || f.route != "" || f.text != "" || f.since != "" || f.until != ""
}

func limitFlag(cmd *cobra.Command, limit *int) {
	cmd.Flags().IntVar(limit, "limit", defaultLimit, "show at most `N`")
	completeFlag(cmd, "limit", cobra.NoFileCompletions)
}

func checkLimit(limit int) error {
	if limit < 1 {
		return usagef("--limit: want 1 or more")
	}
	return nil
}

// collect reads the pages of a list until there are as many items.
func collect[T any](limit int, page func(admin.Page) (admin.List[T], error)) ([]T, error) {
	all := []T{}
	for cursor := ""; ; {
		list, err := page(admin.Page{Limit: min(limit-len(all), maxPage), Cursor: cursor})
		if err != nil {
			return nil, err
		}
		all = append(all, list.Items...)
		if list.Next == nil || len(all) >= limit {
			return all, nil
		}
		cursor = *list.Next
	}
}

// checkID wants an id of the command line, or its first digits.
func checkID(text string) error {
	if _, _, ok := event.PrefixRange(text); !ok || len(strings.ReplaceAll(text, "-", "")) < minPrefix {
		return usagef("id %q: want a UUID or its first digits, such as 0197a2c4-5b1e", text)
	}
	return nil
}

func checkIDs(texts []string) error {
	for _, text := range texts {
		if err := checkID(text); err != nil {
			return err
		}
	}
	return nil
}

// oneOf reads a flag that has a few values; empty is any.
func oneOf[S ~string](flag, value string, known []S) (S, error) {
	names := make([]string, 0, len(known))
	for _, k := range known {
		if string(k) == value {
			return k, nil
		}
		names = append(names, string(k))
	}
	if value == "" {
		return "", nil
	}
	return "", usagef("--%s: want %s%s", flag, oneWordOf(known), config.Suggest(value, names))
}

// oneWordOf lists words: "a, b or c".
func oneWordOf[S ~string](known []S) string {
	var b strings.Builder
	for i, k := range known {
		switch {
		case i > 0 && i == len(known)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(k))
	}
	return b.String()
}

// states sums deliveries up: "2 delivered, 1 pending".
func states(counts map[string]int) string {
	var parts []string
	for _, state := range event.DeliveryStates() {
		if n := counts[string(state)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(parts, ", ")
}
