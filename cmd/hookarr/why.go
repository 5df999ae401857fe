package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/event"
)

func (c *cli) newEventsWhy() *cobra.Command {
	return c.tables(&cobra.Command{
		Use:   "why ID",
		Short: "Tell what became of an event, and why",
		Long: `Why tells the story of an event: how it came in, what its decoder made of it, what each
route says of it now and which condition it does not meet, each delivery with its
attempts, what holds it, when it is tried next, and what operators did.`,
		Example: `  hookarr events why 0197a2c4-5b1e
  hookarr events why 0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f --json`,
		ValidArgsFunction: first(c.eventIDs, cobra.NoFileCompletions),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withOne(cmd, args[0], func(s *service) error {
				story, err := s.Story(cmd.Context(), args[0])
				if err != nil || c.json {
					return c.orJSON(story, err)
				}
				return c.tellStory(story)
			})
		},
	})
}

func (c *cli) tellStory(story admin.Story) error {
	e := story.Event
	lines := []string{
		fmt.Sprintf("Event %s of %s, received %s", e.ID, clean(e.Source, titleWidth), c.time(e.ReceivedAt)),
		"  " + outcome(story),
		"",
		"Let in: " + step(story.Auth),
		"Decoded: " + step(story.Decode),
	}
	if e.TraceID != "" {
		lines = append(lines, "Trace: "+e.TraceID)
	}
	if len(e.Repetitions) > 0 {
		lines = append(lines, "Repeated: "+c.repeated(e.Repetitions))
	}
	if len(story.Routes) > 0 {
		lines = append(lines, "", "Routes, as they are now:")
	}
	for _, v := range story.Routes {
		lines = append(lines, "  "+clean(v.Route, titleWidth)+": "+judgement(v))
	}
	for _, d := range e.Deliveries {
		lines = append(lines, "", fmt.Sprintf("To %s by route %s: %s", clean(d.Target, titleWidth), clean(orDash(d.Route), titleWidth), c.standing(d)))
		lines = append(lines, gathered(d)...)
		for _, a := range d.History {
			lines = append(lines, "  "+c.time(a.StartedAt)+"  "+attempted(a))
		}
		lines = append(lines, c.waiting(d)...)
		lines = append(lines, "  delivery "+d.ID)
	}
	if len(story.Actions) > 0 {
		lines = append(lines, "", "Operators, latest first:")
	}
	for _, a := range story.Actions {
		lines = append(lines, "  "+c.time(a.CreatedAt)+"  "+operated(a))
	}
	return c.say("%s", strings.Join(lines, "\n"))
}

// outcome is the story in a sentence.
func outcome(story admin.Story) string {
	e := story.Event
	switch {
	case e.State == event.Deferred:
		return "It waits for its decoder, and goes out once that runs."
	case e.State == event.Undecodable:
		return "It went nowhere, as no decoder understands it: once one does, hookarr events replay --redecode sends it."
	case e.State == event.Duplicate:
		return "It went nowhere, as it tells what another event had told."
	case len(e.Deliveries) > 0:
		counts := map[string]int{}
		for _, d := range e.Deliveries {
			counts[string(d.State)]++
		}
		return counted(len(e.Deliveries), "delivery", "deliveries") + ": " + states(counts) + "."
	case story.Event.Type == "":
		return "It went nowhere, as its decoder skipped it."
	case len(matching(story.Routes)) > 0:
		return "It went nowhere, though routes take it now: hookarr events replay sends it."
	default:
		return "It went nowhere, as no route takes it."
	}
}

func matching(verdicts []admin.Verdict) (matches []admin.Verdict) {
	for _, v := range verdicts {
		if v.Matches {
			matches = append(matches, v)
		}
	}
	return matches
}

func step(s admin.Step) string {
	if s.OK {
		return "yes, " + clean(s.Detail, whole)
	}
	return "no, " + clean(s.Detail, whole)
}

// judgement is what a route says of an event.
func judgement(v admin.Verdict) string {
	var parts []string
	switch {
	case !v.Matches:
		return "no, " + string(v.Failed) + ": " + clean(v.Reason, whole)
	case len(v.To) > 0:
		parts = append(parts, "yes, to "+clean(strings.Join(v.To, ", "), whole))
	default:
		parts = append(parts, "yes")
	}
	if len(v.Earlier) > 0 {
		parts = append(parts, "an earlier route leads to "+clean(strings.Join(v.Earlier, ", "), whole)+" already")
	}
	return strings.Join(parts, "; ")
}

// standing is where a delivery has come to.
func (c *cli) standing(d admin.Delivery) string {
	text := string(d.State)
	if d.Reason != "" {
		text += ", " + clean(d.Reason, whole)
	}
	if d.MessageID != "" {
		text += ", as message " + clean(d.MessageID, reasonWidth)
	}
	return text
}

// gathered says what a delivery has to do with others.
func gathered(d admin.Delivery) (lines []string) {
	switch {
	case d.Group == event.DigestKey:
		lines = append(lines, "  it is a digest of "+counted(d.Members, "event", "events"))
	case d.Members > 1:
		lines = append(lines, fmt.Sprintf("  it tells %d events, by %s", d.Members, clean(d.Group, reasonWidth)))
	}
	if d.SupersededBy != "" {
		lines = append(lines, "  delivery "+d.SupersededBy+" tells of it")
	}
	if d.Note != "" {
		lines = append(lines, "  "+clean(d.Note, whole))
	}
	return lines
}

// repeated says how often an event came again, and when it did last.
func (c *cli) repeated(all []admin.Repetition) string {
	times := "once"
	if len(all) > 1 {
		times = fmt.Sprintf("%d times", len(all))
	}
	return times + ", and dropped; the last at " + c.time(all[len(all)-1].SeenAt)
}

func attempted(a admin.Attempt) string {
	text := fmt.Sprintf("attempt %d took %s: %s", a.Number, took(a), a.Class)
	switch {
	case a.Ask > 0:
		text = fmt.Sprintf("ask %d for the proof took %s: %s", a.Ask, took(a), a.Class)
	case !a.Counted:
		text = fmt.Sprintf("an attempt that does not count took %s: %s", took(a), a.Class)
	}
	if a.Status != 0 {
		text += fmt.Sprintf(", status %d", a.Status)
	}
	if a.Message != "" {
		text += ", " + clean(a.Message, whole)
	}
	if a.Excerpt != "" {
		text += "; the answer began: " + clean(a.Excerpt, reasonWidth)
	}
	return text
}

// waiting is what a delivery waits for.
func (c *cli) waiting(d admin.Delivery) (lines []string) {
	switch {
	case d.State == event.Dead:
		return []string{"  it is not tried again by itself: hookarr deliveries retry " + d.ID + " tries it"}
	case !d.State.Live():
		return nil
	}
	if d.Hold != "" {
		line := "  " + clean(d.Target, titleWidth) + " takes nothing now: " + clean(d.Hold, whole)
		if d.HoldUntil != nil {
			line += ", until " + c.time(*d.HoldUntil)
		}
		if d.NextProbe != nil {
			line += ", next probe " + c.time(*d.NextProbe)
		}
		lines = append(lines, line)
	}
	if d.State == event.Verifying {
		return append(lines, c.proving(d)...)
	}
	switch {
	case d.ClosesAt != nil && d.Hold != "":
		lines = append(lines, "  more events may join it until then")
	case d.ClosesAt != nil:
		lines = append(lines, "  it waits for more events until "+c.time(*d.ClosesAt))
	case d.DueAt != nil:
		lines = append(lines, "  it is tried next at "+c.time(*d.DueAt))
	case d.Hold == "":
		lines = append(lines, "  it is due now")
	}
	return lines
}

// proving is what a delivery waits for that its endpoint has accepted.
func (c *cli) proving(d admin.Delivery) (lines []string) {
	if d.Proof != nil {
		lines = append(lines, "  it was accepted at "+c.proof(d))
	}
	switch {
	case d.DueAt != nil:
		lines = append(lines, "  its target is asked next at "+c.time(*d.DueAt))
	case d.Hold == "":
		lines = append(lines, "  its target is asked now")
	}
	return lines
}

// operated is what an operator did.
func operated(a admin.Action) string {
	text := fmt.Sprintf("%s by %s, %s", a.What, clean(a.Who, titleWidth), a.Via)
	if len(a.To) > 0 {
		text += ", to " + clean(strings.Join(a.To, ", "), whole)
	}
	if a.Redecode {
		text += ", decoded anew"
	}
	if a.Reason != "" {
		text += ", " + clean(a.Reason, whole)
	}
	return text + ": " + string(a.State)
}
