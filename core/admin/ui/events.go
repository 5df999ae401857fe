package ui

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
)

func (u *UI) eventPages() {
	u.page("GET /events", "events", config.RoleView, u.listEvents)
	u.page("GET /events/{id}", "event", config.RoleView, u.showEvent)
	u.page("GET /events/{id}/body", "body", config.RoleView, u.showBody)
	u.handle("GET /events/{id}/body/raw", config.RoleOperate, u.downloadRaw)
	u.handle("GET /events/{id}/body/normalized", config.RoleView, u.downloadNormalized)
	u.page("GET /events/{id}/replay", "replay", config.RoleOperate, u.askReplay)
	u.action("POST /events/{id}/replay", config.RoleOperate, u.replayEvent)
}

// eventList is a page of events.
type eventList struct {
	position
	Filters filters
	Rows    []eventRow
	// Count is how many match, if that was asked for, and CountPath asks for it.
	Count     *admin.Count
	CountPath string
	// Replay is the page that replays what matches.
	Replay string
}

type eventRow struct {
	admin.Event
	Outcome []stateCount
}

func (u *UI) listEvents(r *http.Request) (view, error) {
	f, form := u.readEventFilter(r.URL.Query())
	list := eventList{Filters: form}
	page := pageOf(r)
	v := view{Title: "Events", Changes: followed(page, "events", "deliveries")}
	if form.Wrong() {
		v.Data, v.Status, v.Changes = list, http.StatusUnprocessableEntity, nil
		return v, nil
	}
	by, query := admin.PrincipalOf(r.Context()), eventValues(f)
	found, err := u.Service.ListEvents(r.Context(), by, f, page)
	if p, ok := u.refusal(err); ok {
		list.Filters.Problem = sentence(p.Detail)
		list.First = address("/events", query)
		v.Data, v.Status, v.Changes = list, p.Status, nil
		return v, nil
	}
	if err != nil {
		return v, err
	}
	for _, e := range found.Items {
		list.Rows = append(list.Rows, eventRow{e, stateCounts(e.Counts)})
	}
	list.position = newPosition("/events", query, page.Cursor, len(list.Rows), found.Next)
	list.CountPath, list.Replay = address("/events", with(query, "count", "1")), address("/events/replay", query)
	if wantsCount(r) {
		n, err := u.Service.CountEvents(r.Context(), by, f)
		if err != nil {
			return v, err
		}
		list.Count = &n
	}
	v.Data = list
	return v, nil
}

// eventStory is what the page of an event shows.
type eventStory struct {
	admin.Story
	// Outcome is the story in a sentence.
	Outcome string
	Size    int64
	// Same is the list of the events with the same correlation key, if it can be asked for.
	Same string
	// Original is the event that a duplicate repeats.
	Original string
}

func (u *UI) showEvent(r *http.Request) (view, error) {
	id, err := u.Service.FindEventID(r.Context(), r.PathValue("id"))
	if err != nil {
		return view{}, u.gone(err, "event")
	}
	story, err := u.Service.Tell(r.Context(), admin.PrincipalOf(r.Context()), id)
	if err != nil {
		return view{}, u.gone(err, "event")
	}
	s := eventStory{Story: story, Outcome: outcome(story)}
	if story.Event.Request != nil {
		s.Size = int64(story.Event.Request.Bytes)
	}
	if key := story.Event.CorrelationKey; key != "" && noText(key) == "" {
		s.Same = address("/events", values("correlation_key", key))
	}
	if story.Event.State == event.Duplicate {
		if original, err := uuid.Parse(strings.TrimPrefix(story.Event.Reason, "repeats ")); err == nil {
			s.Original = original.String()
		}
	}
	return view{Title: named(story.Event.Title, story.Event.ID), Data: s, Changes: []string{"events", "deliveries"}}, nil
}

// outcome is the story of an event in a sentence, with what to do.
func outcome(story admin.Story) string {
	e := story.Event
	matches := slices.ContainsFunc(story.Routes, func(v admin.Verdict) bool { return v.Matches })
	switch {
	case e.State == event.Deferred:
		return "It waits for its decoder, and goes out once that runs."
	case e.State == event.Undecodable:
		return "It went nowhere: no decoder understands it. Once one does, replay it and have it decoded anew."
	case e.State == event.Duplicate:
		return "It went nowhere: another event had told the same."
	case len(e.Deliveries) > 0:
		counts := map[string]int{}
		for _, d := range e.Deliveries {
			counts[string(d.State)]++
		}
		var parts []string
		for _, c := range stateCounts(counts) {
			parts = append(parts, fmt.Sprintf("%d %s", c.N, c.State))
		}
		return plural(len(e.Deliveries), "delivery", "deliveries") + ": " + strings.Join(parts, ", ") + "."
	case e.Type == "":
		return "It went nowhere: its decoder skipped it."
	case matches:
		return "It went nowhere when it came, though routes take it now: replay it to send it."
	default:
		return "It went nowhere: no route takes it."
	}
}

// gone says of what is not there why that may be. Other errors stay what they are.
func (u *UI) gone(err error, what string) error {
	p, ok := u.refusal(err)
	if !ok || p.Status != http.StatusNotFound {
		return err
	}
	kept := u.Service.Settings.Config().Retention
	detail := sentence(p.Detail) + " "
	switch what {
	case "event":
		detail += "Events are kept for " + span(kept.Events) + ", and longer while a delivery needs them."
	case "delivery":
		detail += "Deliveries are kept as long as their event, which is " + span(kept.Events) + "; dead letters " + span(kept.DeadLetters) + "."
	default:
		detail += "The list has those that are kept."
	}
	return admin.NewProblem(http.StatusNotFound, detail)
}

// replayForm asks how an event is replayed.
type replayForm struct {
	Event admin.Event
	// Leads are the targets that the routes in use lead to.
	Leads   []string
	Targets []choice
	// Redecode is offered where there is a request to decode, and a decoder.
	MayRedecode, Redecode bool
	Problem               string
	// Key tells this form from others that are sent.
	Key string
}

// choice is a box to tick.
type choice struct {
	Name   string
	Chosen bool
}

func (u *UI) askReplay(r *http.Request) (view, error) {
	return u.replayPage(r, admin.Replay{})
}

func (u *UI) replayPage(r *http.Request, chosen admin.Replay) (view, error) {
	ctx := r.Context()
	id, err := u.Service.FindEventID(ctx, r.PathValue("id"))
	if err != nil {
		return view{}, u.gone(err, "event")
	}
	e, err := u.Service.FindEvent(ctx, admin.PrincipalOf(ctx), id)
	if err != nil {
		return view{}, u.gone(err, "event")
	}
	form := replayForm{
		Event: e, Key: event.NewID().String(), Targets: u.targetChoices(chosen.To), Redecode: chosen.Redecode || e.State == event.Undecodable,
		MayRedecode: u.Service.Decoder != nil && e.Request != nil && e.Request.Bytes > 0,
	}
	if len(e.Event) > 0 {
		routing, err := u.Service.TestRoutes(ctx, admin.Subject{Event: e.ID})
		if err != nil {
			return view{}, err
		}
		form.Leads = routing.Targets
	}
	return view{Title: "Replay " + named(e.Title, e.ID), Data: form}, nil
}

// targetChoices are the configured targets.
func (u *UI) targetChoices(chosen []string) []choice {
	var all []choice
	for _, name := range u.targets() {
		all = append(all, choice{name, slices.Contains(chosen, name)})
	}
	return all
}

func (u *UI) replayEvent(_ http.ResponseWriter, r *http.Request) (done, error) {
	replay := readReplay(r)
	if !u.sent.first(r.PostForm.Get("key")) {
		return done{To: "/events/" + r.PathValue("id"), Notice: sentTwice}, nil
	}
	made, err := u.Service.Replay(r.Context(), admin.PrincipalOf(r.Context()), []string{r.PathValue("id")}, replay)
	problem, refused := u.refusal(err)
	switch {
	case refused && problem.Status == http.StatusUnprocessableEntity:
	case err != nil:
		return done{}, u.gone(err, "event")
	case len(made.Skipped) > 0:
		problem = admin.NewProblem(http.StatusConflict, "The event was not replayed: "+made.Skipped[0].Reason+".")
	default:
		return done{To: "/events/" + r.PathValue("id"), Notice: "The event was replayed."}, nil
	}
	v, err := u.replayPage(r, replay)
	if err != nil {
		return done{}, err
	}
	form, _ := v.Data.(replayForm)
	form.Problem = sentence(problem.Detail)
	v.Data, v.Status = form, problem.Status
	return done{Page: "replay", View: v}, nil
}

// sentTwice is the notice after a form that was sent before.
const sentTwice = "This was done already: the form was sent twice."

// readReplay reads how events are to be replayed.
func readReplay(r *http.Request) admin.Replay {
	return admin.Replay{To: r.PostForm["to"], Redecode: r.PostForm.Get("redecode") != ""}
}
