package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/sdk"
)

// printWhole prints an event with its deliveries.
func (c *cli) printWhole(e admin.Event) error {
	if err := c.printEvent(e); err != nil {
		return err
	}
	for _, d := range e.Deliveries {
		if err := c.table(nil); err != nil {
			return err
		}
		if err := c.printDelivery(d, false); err != nil {
			return err
		}
	}
	return nil
}

func (c *cli) printEvent(v admin.Event) error {
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
		{"request", requested(v.Request)},
	}
	for _, r := range v.Repetitions {
		rows = append(rows, []string{"repeated", c.time(r.SeenAt) + ", by " + string(r.Origin) + ", as " + r.ID})
	}
	return c.facts(rows)
}

// happened is when an event that was read from a history happened.
func (c *cli) happened(v admin.Event) string {
	var e struct{ Time time.Time }
	if v.Origin != sdk.OriginCatchup || json.Unmarshal(v.Event, &e) != nil {
		return ""
	}
	return c.time(e.Time) + ", read from the application's history"
}

// requested says what the event was made of.
func requested(r *admin.Request) string {
	if r == nil {
		return ""
	}
	from := clean(r.Method, titleWidth)
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

// printDelivery prints a delivery, what else is to be said of it, and its attempts; with
// sent also what they sent and were answered.
func (c *cli) printDelivery(v admin.Delivery, sent bool, more ...[]string) error {
	err := c.facts(append([][]string{
		{"delivery", v.ID},
		{"target", clean(v.Target+", by route "+v.Route, whole)},
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
		rows = append(rows, []string{number, c.time(a.StartedAt), took(a), string(a.Class), status, clean(a.Message, whole)})
	}
	if err := c.table(rows...); err != nil {
		return err
	}
	for _, a := range v.History {
		if err := c.printExchange(a, sent); err != nil {
			return err
		}
	}
	return nil
}

func took(a admin.Attempt) string {
	return time.Duration(a.ElapsedMS * float64(time.Millisecond)).Round(time.Millisecond).String()
}

// printExchange prints what an attempt was answered, and what it sent.
func (c *cli) printExchange(a admin.Attempt, sent bool) error {
	if a.Excerpt != "" {
		if err := c.say("  attempt %d was answered:\n%s", a.Number, indented(cleanLines(a.Excerpt))); err != nil {
			return err
		}
	}
	switch {
	case !sent:
		return nil
	case a.Request == "":
		return c.say("  what attempt %d sent is not known", a.Number)
	default:
		return c.say("  attempt %d sent:\n%s", a.Number, indented(cleanLines(a.Request)))
	}
}
