package ui

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// shownOfBulk is how many rows a bulk action shows of those that it is about.
const shownOfBulk = 5

// bulkForm asks whether everything that a filter matches is to be changed.
type bulkForm struct {
	What store.ActionKind
	// Path is where the form goes, and Back the list of what matches.
	Path, Back string
	// Filter says what is selected, and Hidden repeats it in the form.
	Filter []field
	Hidden []hidden
	Count  admin.Count
	// Sentence says what the form does, and Do what its button does.
	Sentence, Do string
	// Newest are some of the titles.
	Newest []string
	// Targets and Redecode are of a replay.
	Targets               []choice
	MayRedecode, Redecode bool
	// Problem is why nothing was done.
	Problem string
	// Key tells this form from others that are sent.
	Key string
}

type hidden struct{ Name, Value string }

func (u *UI) bulkPages() {
	for _, what := range []store.ActionKind{store.ActionRetry, store.ActionCancel} {
		u.page("GET /deliveries/"+string(what), "bulk", config.RoleOperate, func(r *http.Request) (view, error) {
			return u.askDeliveries(r, what, r.URL.Query())
		})
		u.action("POST /deliveries/"+string(what), config.RoleOperate, func(_ http.ResponseWriter, r *http.Request) (done, error) {
			return u.changeDeliveries(r, what)
		})
	}
	u.page("GET /events/replay", "bulk", config.RoleOperate, func(r *http.Request) (view, error) {
		return u.askReplays(r, r.URL.Query(), admin.Replay{})
	})
	u.action("POST /events/replay", config.RoleOperate, u.replayEvents)
}

// fixed gives a filter an end, so that what comes while somebody reads changes no count. It
// waits for the end of the millisecond, which is as exactly as ids tell times.
func fixed(until time.Time) time.Time {
	if until.IsZero() {
		until = time.Now().UTC().Truncate(time.Millisecond).Add(time.Millisecond)
		time.Sleep(time.Until(until))
	}
	return until
}

// selected are the fields of a filter that select something.
func selected(f filters) []field {
	return slices.DeleteFunc(slices.Clone(f.Fields), func(one field) bool { return one.Value == "" })
}

func hiddenOf(q url.Values) (list []hidden) {
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, value := range q[name] {
			list = append(list, hidden{name, value})
		}
	}
	return list
}

// unusable shows a filter that cannot be read: nothing can be done with it.
func unusable(form bulkForm, f filters) view {
	form.Filter, form.Problem = selected(f), "This filter cannot be used. Change it in the list."
	return view{Title: capital(string(form.What)) + " what matches", Data: form, Status: http.StatusUnprocessableEntity}
}

func (u *UI) askDeliveries(r *http.Request, what store.ActionKind, query url.Values) (view, error) {
	f, read := u.readDeliveryFilter("/deliveries", query, event.DeliveryStates())
	form := bulkForm{What: what, Key: event.NewID().String(), Path: "/deliveries/" + string(what), Back: address("/deliveries", query)}
	if read.Wrong() {
		return unusable(form, read), nil
	}
	if f.State == "" {
		// What the service takes it for, so that people read it.
		f.State = map[store.ActionKind]event.DeliveryState{store.ActionRetry: event.Dead, store.ActionCancel: event.Pending}[what]
	}
	f.Until = fixed(f.Until)
	values := deliveryValues(f)
	_, read = u.readDeliveryFilter("/deliveries", values, event.DeliveryStates())
	form.Back, form.Filter, form.Hidden = address("/deliveries", values), selected(read), hiddenOf(values)
	v := view{Title: capital(string(what)) + " what matches"}
	var err error
	if form.Count, err = u.Service.CountDeliveries(r.Context(), f, what); err == nil {
		var some admin.List[admin.Delivery]
		some, err = u.Service.ListDeliveries(r.Context(), f, admin.Page{Limit: shownOfBulk})
		for _, d := range some.Items {
			form.Newest = append(form.Newest, named(d.Title, d.EventID)+" → "+d.Target)
		}
	}
	if p, ok := u.refusal(err); ok {
		form.Problem, form.Count, err = sentence(p.Detail), admin.Count{}, nil
		v.Status = p.Status
	}
	form.Sentence = fmt.Sprintf("This %s %s.", map[store.ActionKind]string{store.ActionRetry: "retries", store.ActionCancel: "cancels"}[what],
		inWords(form.Count, "delivery", "deliveries"))
	form.Do = capital(string(what)) + " " + inWords(form.Count, "delivery", "deliveries")
	v.Data = form
	return v, err
}

func (u *UI) changeDeliveries(r *http.Request, what store.ActionKind) (done, error) {
	f, read := u.readDeliveryFilter("/deliveries", r.PostForm, event.DeliveryStates())
	begin := u.Service.RetryAll
	if what == store.ActionCancel {
		begin = u.Service.CancelAll
	}
	ask := func() (view, error) { return u.askDeliveries(r, what, r.PostForm) }
	return u.begin(r, read, ask, func(expect int) (admin.Action, error) {
		return begin(r.Context(), admin.PrincipalOf(r.Context()), f, expect)
	})
}

func (u *UI) askReplays(r *http.Request, query url.Values, chosen admin.Replay) (view, error) {
	f, read := u.readEventFilter(query)
	form := bulkForm{What: store.ActionReplay, Key: event.NewID().String(), Path: "/events/replay", Back: address("/events", query)}
	if read.Wrong() {
		return unusable(form, read), nil
	}
	f.Until = fixed(f.Until)
	values := eventValues(f)
	_, read = u.readEventFilter(values)
	form.Back, form.Filter, form.Hidden = address("/events", values), selected(read), hiddenOf(values)
	form.Targets, form.Redecode, form.MayRedecode = u.targetChoices(chosen.To), chosen.Redecode, u.Service.Decoder != nil
	ctx, by := r.Context(), admin.PrincipalOf(r.Context())
	var err error
	if form.Count, err = u.Service.CountEvents(ctx, by, f); err != nil {
		return view{}, err
	}
	some, err := u.Service.ListEvents(ctx, by, f, admin.Page{Limit: shownOfBulk})
	for _, e := range some.Items {
		form.Newest = append(form.Newest, named(e.Title, e.ID))
	}
	form.Sentence, form.Do = "This replays "+inWords(form.Count, "event", "events")+".", "Replay "+inWords(form.Count, "event", "events")
	return view{Title: "Replay what matches", Data: form}, err
}

func (u *UI) replayEvents(_ http.ResponseWriter, r *http.Request) (done, error) {
	f, read := u.readEventFilter(r.PostForm)
	replay := readReplay(r)
	ask := func() (view, error) { return u.askReplays(r, r.PostForm, replay) }
	return u.begin(r, read, ask, func(expect int) (admin.Action, error) {
		return u.Service.ReplayAll(r.Context(), admin.PrincipalOf(r.Context()), f, replay, expect)
	})
}

// begin begins a bulk action, or shows the form again: with the count of now, where that is
// another one than was agreed to.
func (u *UI) begin(r *http.Request, read filters, ask func() (view, error), start func(expect int) (admin.Action, error)) (done, error) {
	var problem *admin.Problem
	expect := formCount(r.PostForm.Get("expect_count"))
	if !read.Wrong() {
		if !u.sent.first(r.PostForm.Get("key")) {
			return done{To: "/actions", Notice: sentTwice}, nil
		}
		action, err := start(expect)
		p, refused := u.refusal(err)
		if !refused {
			return done{To: "/actions/" + action.ID, Notice: "The action has begun."}, err
		}
		problem = p
	}
	v, err := ask()
	if err != nil || problem == nil {
		return done{Page: "bulk", View: v}, err
	}
	form, _ := v.Data.(bulkForm)
	form.Problem = sentence(problem.Detail)
	if problem.Status == http.StatusConflict {
		form.Problem = fmt.Sprintf("Nothing was done: %s now, and not %d.", inWords(form.Count, "row matches", "rows match"), max(expect, 0))
	}
	v.Data, v.Status = form, problem.Status
	return done{Page: "bulk", View: v}, nil
}

// named is the title of an event, or its id where it has none.
func named(title, id string) string {
	if title == "" {
		return "Event " + short(id)
	}
	return cut(120, title)
}
