package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/connect"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/timeout"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// arrivalTimeout is how long a test may take from the application to the
	// database, arrivalPoll the time between looks.
	arrivalTimeout = 15 * time.Second
	arrivalPoll    = 200 * time.Millisecond
)

// prove waits for the application's test to be in the database, which proves the whole
// way. Most applications test what they save, and are asked for a test if not.
func (c *cli) prove(ctx context.Context, result *connect.Connection, since time.Time, test func() (sdk.ConnectResult, error)) error {
	_, s, err := c.open(ctx)
	if err != nil {
		result.Problems = append(result.Problems, "the application is connected, and whether its test arrived cannot be seen: "+err.Error())
		return nil
	}
	defer func() { _ = s.Close() }()
	if err := arrival(ctx, s, result, since); err != nil || result.Event != "" {
		return err
	}
	tested, err := test()
	if err != nil {
		return connect.Explain(result.Source, err)
	}
	if result.Problems = append(result.Problems, tested.Problems...); len(result.Problems) > 0 {
		return nil
	}
	for until := time.Now().Add(timeout.Of(arrivalTimeout)); ; {
		if err := arrival(ctx, s, result, since); err != nil || result.Event != "" {
			return err
		}
		if time.Now().After(until) {
			result.Problems = append(result.Problems, fmt.Sprintf(
				"the application's test was answered, and has not arrived here within %s: does another server than this one answer at %s?",
				arrivalTimeout, result.URL))
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(arrivalPoll):
		}
	}
}

// arrival looks for the application's test in the database.
func arrival(ctx context.Context, s *store.Store, result *connect.Connection, since time.Time) error {
	events, err := s.ListEvents(ctx, store.EventFilter{Source: result.Source, Type: sdk.TypeTest, Limit: 1})
	if err == nil && len(events) > 0 && !events[0].ReceivedAt.Before(since) {
		result.Event = events[0].ID.String()
	}
	return err
}

func (c *cli) showConnection(r connect.Connection, w wish) error {
	if c.json {
		if err := c.printJSON(r); err != nil {
			return err
		}
		return verdict(r, w)
	}
	rows := [][]string{{"SETTING", "IS", "SHOULD BE"}}
	if !w.check && !w.dryRun {
		rows[0] = []string{"SETTING", "WAS", "IS"}
	}
	var lines []string
	for _, change := range r.Changes {
		if line, ok := inWords(change, w); ok {
			if line != "" {
				lines = append(lines, line)
			}
			continue
		}
		rows = append(rows, []string{change.Field, orDash(change.From), orDash(change.To)})
	}
	if len(rows) > 1 {
		if err := c.table(rows...); err != nil {
			return err
		}
	}
	for _, p := range r.Problems {
		c.tell(p)
	}
	for _, line := range append(lines, summary(r, w)) {
		if _, err := fmt.Fprintln(c.out, line); err != nil {
			return err
		}
	}
	return verdict(r, w)
}

// inWords says what becomes of a whole connection, which is no setting.
func inWords(change sdk.Change, w wish) (string, bool) {
	switch {
	case change.Field != "connection":
		return "", false
	case change.From == "none" && w.check:
		return "", true // the summary says it
	case change.From == "none" && w.dryRun:
		return "would add the webhook " + change.To, true
	case change.From == "none":
		return "added the webhook " + change.To, true
	case change.To == "none" && w.check:
		return "the webhook " + change.From + " leads here as well", true
	case change.To == "none" && w.dryRun:
		return "would remove the webhook " + change.From, true
	case change.To == "none":
		return "removed the webhook " + change.From, true
	default:
		return "", false
	}
}

func summary(r connect.Connection, w wish) string {
	name := strings.TrimSpace(r.App + " " + r.Version)
	switch {
	case len(r.Problems) > 0 && r.App == "":
		return "nothing was changed"
	case len(r.Problems) > 0 && w.remove:
		return "the webhook was not removed"
	case len(r.Problems) > 0 && r.Connection == "":
		return r.Source + " is not connected"
	case len(r.Problems) > 0:
		return r.Source + " is not connected as it should be"
	case w.remove && len(r.Changes) == 0:
		return name + " has no webhook to " + r.URL + ": there is nothing to remove"
	case w.remove:
		return name + " does not post to " + r.URL + " any more"
	case w.check && len(r.Changes) == 0, w.dryRun && len(r.Changes) == 0:
		return name + " is connected to " + r.URL
	case w.check && r.Connection == "":
		return name + " is not connected: hookarr connect " + r.Source + " connects it"
	case w.check:
		return name + " is not connected as it should be: hookarr connect " + r.Source + " mends it"
	case w.dryRun:
		return "nothing was changed"
	default:
		return fmt.Sprintf("%s is connected to %s; its test arrived as %s", name, r.URL, r.Event)
	}
}

// errDrift ends a check that found something: exit code 2.
var errDrift = errors.New("drift")

func verdict(r connect.Connection, w wish) error {
	switch {
	case len(r.Problems) > 0:
		return errReported
	case w.check && (len(r.Changes) > 0 || !r.Connected):
		return errDrift
	default:
		return nil
	}
}
