package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/event"
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
		{"request", requested(v.Request, v.Origin)},
		{"trace", v.TraceID},
	}
	for _, r := range v.Repetitions {
		rows = append(rows, []string{"repeated", c.time(r.SeenAt) + ", by " + string(r.Origin) + ", as " + r.ID})
	}
	return c.facts(rows)
}

// happened is when an event that was read from a history happened.
func (c *cli) happened(v admin.Event) string {
	var e struct{ Time time.Time }
	if v.Origin == sdk.OriginSnapshot {
		return "found by a snapshot of what the application has"
	}
	if v.Origin != sdk.OriginCatchup || json.Unmarshal(v.Event, &e) != nil {
		return ""
	}
	return c.time(e.Time) + ", read from the application's history"
}

// requested says what the event was made of.
func requested(r *admin.Request, origin sdk.Origin) string {
	if r == nil {
		return ""
	}
	from := clean(r.Method, titleWidth)
	switch {
	case from != "":
	case origin == sdk.OriginSnapshot:
		from = "what the application has or had"
	case origin == sdk.OriginTarget:
		return "none: a target told it of its own"
	case origin == sdk.OriginHookarr:
		return "none: Hookarr tells it of itself"
	default:
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
		{next(v), c.timeOf(v.DueAt)},
		{"accepted", c.proof(v)},
		{"target waits", clean(v.Hold, whole)},
		{"until", c.timeOf(v.HoldUntil)},
		{"next probe", c.timeOf(v.NextProbe)},
		{"message", clean(v.MessageID, reasonWidth)},
		{"events", c.members(v)},
		{"told by", v.SupersededBy},
		{"note", clean(v.Note, whole)},
	}, more...))
	if err != nil || len(v.History) == 0 {
		return err
	}
	rows := [][]string{{"  ATTEMPT", "STARTED", "TOOK", "CLASS", "STATUS", "MESSAGE"}}
	for _, a := range v.History {
		number, status := "  "+strconv.Itoa(a.Number), "-"
		switch {
		case a.Ask > 0:
			number = fmt.Sprintf("  proof, ask %d", a.Ask)
		case !a.Counted:
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

// next is what comes next of a delivery.
func next(v admin.Delivery) string {
	if v.State == event.Verifying {
		return "next ask"
	}
	return "next attempt"
}

// proof says what is known of the proof of a delivery that its endpoint has accepted.
func (c *cli) proof(v admin.Delivery) string {
	if v.Proof == nil {
		return ""
	}
	said := fmt.Sprintf("%s, asked %s for proof", c.time(v.Proof.AcceptedAt), counted(v.Proof.Asks, "time", "times"))
	if v.State == event.Verifying {
		said += ", to be there by " + c.time(v.Proof.By)
	}
	return said
}

// members says how many events a delivery has that may have several.
func (c *cli) members(v admin.Delivery) string {
	if v.Group == "" {
		return ""
	}
	said := fmt.Sprintf("%d, by %s", v.Members, clean(v.Group, reasonWidth))
	if v.Group == event.DigestKey {
		said = fmt.Sprintf("%d, as a digest", v.Members)
	}
	switch {
	case v.ClosesAt == nil:
	case v.Hold != "":
		said += ", more may join while the target is on hold"
	default:
		said += ", more may join until " + c.time(*v.ClosesAt)
	}
	return said
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
	case a.Request == "" && a.Class == sdk.ClassOK:
		return c.say("  what attempt %d sent was not kept, as it was delivered: it is kept of failed attempts alone", a.Number)
	case a.Request == "":
		return c.say("  what attempt %d sent is not known", a.Number)
	default:
		return c.say("  attempt %d sent:\n%s", a.Number, indented(cleanLines(a.Request)))
	}
}
