package fakearr

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Outcome is what became of an event on its way to one connection.
type Outcome string

// The outcomes. Only what was delivered arrived; the rest is lost.
const (
	Delivered Outcome = "delivered"
	// Refused events were answered with a status of 400 or more.
	Refused Outcome = "refused"
	// Failed events got no answer, or could not be made into a request.
	Failed Outcome = "failed"
	// Dropped events were not sent: the connection is blocked after failures.
	Dropped Outcome = "dropped"
)

// Event is something that happened and that connections can ask for, or a test of a
// connection.
type Event struct {
	// Type is what webhooks call it.
	Type       string
	Time       time.Time
	TitleID    int
	DownloadID string
	// Body is empty when the application cannot make it.
	Body []byte
	// Posts has an entry for each connection that asks for the event.
	Posts []Post
}

// Post is an event's way to one connection.
type Post struct {
	ConnectionID int
	Connection   string
	Outcome      Outcome
	// Status is zero when there was no answer.
	Status int
	Err    error
}

// Events returns what happened, oldest first.
func (a *Arr) Events() []Event {
	a.state.Lock()
	defer a.state.Unlock()
	out := slices.Clone(a.events)
	for i := range out {
		out[i].Posts = slices.Clone(out[i].Posts)
	}
	return out
}

// Count returns how many posts had an outcome.
func (a *Arr) Count(o Outcome) int {
	n := 0
	for _, e := range a.Events() {
		for _, p := range e.Posts {
			if p.Outcome == o {
				n++
			}
		}
	}
	return n
}

// happening is an event before anybody was told.
type happening struct {
	kind string
	// flag asks for the event; also must be set too, unless empty.
	flag, also string
	// title is nil for events of the application itself.
	title    *Title
	download string
	body     object
	// broken is why the body cannot be made.
	broken error
	// forgiven failures do not count against the connection.
	forgiven bool
}

// announce tells every connection that asks for it, one after the other.
func (a *Arr) announce(ctx context.Context, h happening) {
	body, err := a.write(h)
	e := Event{Type: h.kind, DownloadID: h.download, Body: body}
	if h.title != nil {
		e.TitleID = h.title.ID
	}
	a.state.Lock()
	e.Time = a.now()
	index := len(a.events)
	a.events = append(a.events, e)
	type recipient struct {
		connection *connection
		settings   settings
		post       Post
		blocked    bool
	}
	var to []recipient
	for _, c := range a.connections {
		if a.wants(c, h) {
			p := Post{ConnectionID: c.id, Connection: c.name, Outcome: Dropped, Err: err}
			to = append(to, recipient{c, c.settings, p, c.backoff.blocked(e.Time)})
		}
	}
	a.state.Unlock()
	for _, r := range to {
		p := r.post
		if !r.blocked {
			if err == nil {
				p.Status, p.Err = a.send(ctx, r.settings, body)
			}
			p.Outcome = outcome(p.Err)
		}
		a.state.Lock()
		a.events[index].Posts = append(a.events[index].Posts, p)
		if !r.blocked && (p.Err == nil || !h.forgiven) {
			a.settle(r.connection, p.Err)
		}
		a.state.Unlock()
	}
}

func outcome(err error) Outcome {
	var refused *statusError
	switch {
	case err == nil:
		return Delivered
	case errors.As(err, &refused):
		return Refused
	default:
		return Failed
	}
}

// settle counts a success or failure.
func (a *Arr) settle(c *connection, err error) {
	if err == nil {
		c.backoff.succeeded()
		return
	}
	c.backoff.failed(a.now(), a.started)
}

func (a *Arr) wants(c *connection, h happening) bool {
	if !a.enabled(c) || !c.flags[h.flag] || h.also != "" && !c.flags[h.also] {
		return false
	}
	if h.title == nil || len(c.tags) == 0 {
		return true
	}
	return slices.ContainsFunc(a.tagIDs(h.title.Tags), func(id int) bool { return slices.Contains(c.tags, id) })
}

// write makes the body: what is particular to the event, then the envelope.
func (a *Arr) write(h happening) ([]byte, error) {
	if h.broken != nil {
		return nil, h.broken
	}
	o := append(slices.Clone(h.body), member{"eventType", h.kind}, member{"instanceName", a.opts.InstanceName})
	if !slices.Contains(a.profile.withoutURL, h.kind) {
		o = append(o, member{"applicationUrl", a.opts.ApplicationURL})
	}
	return indented(o)
}

// test posts the test event, and counts it when the connection is a saved one.
func (a *Arr) test(ctx context.Context, c *connection) error {
	body, err := a.write(happening{kind: "Test", body: a.family.test()})
	if err != nil {
		return err
	}
	status, err := a.send(ctx, c.settings, body)
	a.state.Lock()
	defer a.state.Unlock()
	a.events = append(a.events, Event{Type: "Test", Time: a.now(), Body: body, Posts: []Post{
		{ConnectionID: c.id, Connection: c.name, Outcome: outcome(err), Status: status, Err: err},
	}})
	if saved := a.connection(c.id); saved != nil {
		a.settle(saved, err)
	}
	return err
}
