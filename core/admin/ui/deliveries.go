package ui

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
)

// grouped is how many dead letters are sorted by their reasons, and shownReasons how many
// reasons are shown of a target.
const (
	grouped      = 500
	shownReasons = 5
)

func (u *UI) deliveryPages() {
	u.page("GET /deliveries", "deliveries", config.RoleView, u.listDeliveries)
	u.page("GET /dead", "dead", config.RoleView, u.listDead)
	u.page("GET /deliveries/{id}", "delivery", config.RoleView, u.showDelivery)
	u.action("POST /deliveries/{id}/retry", config.RoleOperate, u.changeOne(u.Service.Retry, "retried"))
	u.action("POST /deliveries/{id}/cancel", config.RoleOperate, u.changeOne(u.Service.Cancel, "cancelled"))
}

// deliveryList is a page of deliveries.
type deliveryList struct {
	position
	Filters filters
	Rows    []admin.Delivery
	// Count is how many match, if that was asked for, and CountPath asks for it.
	Count     *admin.Count
	CountPath string
	// Retry and Cancel are the pages that change what matches; empty where its state forbids
	// it.
	Retry, Cancel string
	// AnyState: the list is of several states, of which a bulk action takes one.
	AnyState bool
	// Dead are the dead letters by target, on their page.
	Dead []deadTarget
	// Grouped is how many of them were sorted by their reasons, if those are not all.
	Grouped int
}

func (u *UI) listDeliveries(r *http.Request) (view, error) {
	f, form := u.readDeliveryFilter("/deliveries", r.URL.Query(), event.DeliveryStates())
	return u.deliveryPage(r, view{Title: "Deliveries"}, f, form)
}

func (u *UI) listDead(r *http.Request) (view, error) {
	f, form := u.readDeliveryFilter("/dead", r.URL.Query(), []event.DeliveryState{event.Dead})
	v, err := u.deliveryPage(r, view{Title: "Dead letters"}, f, form)
	list, ok := v.Data.(deliveryList)
	if err != nil || v.Status != 0 || !ok || pageOf(r).Cursor != "" || !wholeTargets(f) {
		return v, err
	}
	list.Dead, list.Grouped, err = u.deadByTarget(r.Context(), f)
	v.Data = list
	return v, err
}

func (u *UI) deliveryPage(r *http.Request, v view, f admin.DeliveryFilter, form filters) (view, error) {
	page := pageOf(r)
	list := deliveryList{Filters: form}
	if form.Wrong() {
		v.Data, v.Status = list, http.StatusUnprocessableEntity
		return v, nil
	}
	query := deliveryValues(f)
	own := query
	if form.Path == "/dead" {
		own = with(query, "state", "")
	}
	found, err := u.Service.ListDeliveries(r.Context(), f, page)
	if p, ok := u.refusal(err); ok {
		if f.Event != "" && page.Cursor == "" {
			list.Filters.blame("event", sentence(p.Detail))
		} else {
			list.Filters.Problem = sentence(p.Detail)
		}
		list.First = address(form.Path, own)
		v.Data, v.Status = list, http.StatusUnprocessableEntity
		return v, nil
	}
	if err != nil {
		return v, err
	}
	list.Rows, list.position = found.Items, newPosition(form.Path, own, page.Cursor, len(found.Items), found.Next)
	list.CountPath = address(form.Path, with(own, "count", "1"))
	list.AnyState = f.State == ""
	if f.State == "" || retryable(f.State) {
		list.Retry = address("/deliveries/retry", query)
	}
	if f.State == "" || cancellable(f.State) {
		list.Cancel = address("/deliveries/cancel", query)
	}
	if wantsCount(r) {
		n, err := u.Service.CountDeliveries(r.Context(), f, "")
		if err != nil {
			return v, err
		}
		list.Count = &n
	}
	v.Data, v.Changes = list, followed(page, "deliveries")
	return v, nil
}

func retryable(s event.DeliveryState) bool {
	return s == event.Pending || s == event.Verifying || s == event.Dead || s == event.Cancelled
}

func cancellable(s event.DeliveryState) bool {
	return s == event.Pending || s == event.Verifying || s == event.Dead
}

// deadTarget is a target with dead letters.
type deadTarget struct {
	Name string
	// State is that of the target now, and Dead how many dead letters it has in all.
	State string
	Dead  int
	// Reasons are those of the newest, the most frequent first, and More how many others
	// there are.
	Reasons []deadReason
	More    int
	// Retry is the page that retries them all.
	Retry string
}

// deadReason is why dead letters are dead.
type deadReason struct {
	Text string
	N    int
	// List shows them, and Retry is the page that retries them.
	List, Retry string
}

// deadByTarget sorts the newest dead letters by target and reason. It returns how many these
// are, if there are more; how many a target has in all is counted all the time.
func (u *UI) deadByTarget(ctx context.Context, f admin.DeliveryFilter) (list []deadTarget, sorted int, err error) {
	targets, err := u.Service.ListTargets(ctx)
	if err != nil {
		return nil, 0, err
	}
	newest, err := u.Service.ListDeliveries(ctx, f, admin.Page{Limit: grouped})
	if err != nil {
		return nil, 0, err
	}
	reasons := map[string]map[string]int{}
	for _, d := range newest.Items {
		if reasons[d.Target] == nil {
			reasons[d.Target] = map[string]int{}
		}
		reasons[d.Target][d.Reason]++
	}
	for _, t := range targets {
		if t.Dead == 0 || f.Target != "" && t.Name != f.Target {
			continue
		}
		of := f
		of.Target = t.Name
		dead := deadTarget{Name: t.Name, State: t.State, Dead: t.Dead, Retry: address("/deliveries/retry", deliveryValues(of))}
		for text, n := range reasons[t.Name] {
			reason := deadReason{Text: text, N: n}
			if of.Text = searchable(text); of.Text != "" {
				q := deliveryValues(of)
				reason.List, reason.Retry = address("/dead", with(q, "state", "")), address("/deliveries/retry", q)
			}
			dead.Reasons = append(dead.Reasons, reason)
		}
		slices.SortFunc(dead.Reasons, func(a, b deadReason) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Text, b.Text)) })
		if more := len(dead.Reasons) - shownReasons; more > 0 {
			dead.Reasons, dead.More = dead.Reasons[:shownReasons], more
		}
		list = append(list, dead)
	}
	slices.SortStableFunc(list, func(a, b deadTarget) int { return b.Dead - a.Dead })
	if newest.Next != nil {
		sorted = len(newest.Items)
	}
	return list, sorted, nil
}

// wholeTargets reports whether a filter selects all dead letters of the targets that it has.
func wholeTargets(f admin.DeliveryFilter) bool {
	f.State, f.Target = "", ""
	return len(deliveryValues(f)) == 0
}

// searchable is the beginning of a text that a filter can ask for.
func searchable(text string) string {
	if i := strings.IndexFunc(text, unicode.IsControl); i >= 0 {
		text = text[:i]
	}
	if runes := []rune(text); len(runes) > maxText {
		text = string(runes[:maxText])
	}
	return strings.TrimSpace(text)
}

// shownDelivery is what the page of a delivery shows.
type shownDelivery struct {
	admin.Delivery
	MayRetry, MayCancel bool
}

func (u *UI) showDelivery(r *http.Request) (view, error) {
	ctx := r.Context()
	id, err := u.Service.FindDeliveryID(ctx, r.PathValue("id"))
	if err != nil {
		return view{}, u.gone(err, "delivery")
	}
	d, err := u.Service.FindDelivery(ctx, admin.PrincipalOf(ctx), id)
	if err != nil {
		return view{}, u.gone(err, "delivery")
	}
	// The list knows the event of each.
	of, err := u.Service.ListDeliveries(ctx, admin.DeliveryFilter{Event: d.EventID, Target: d.Target}, admin.Page{Limit: pageSize})
	if err != nil {
		return view{}, err
	}
	for _, one := range of.Items {
		if one.ID == d.ID {
			d.Source, d.Type, d.Title = one.Source, one.Type, one.Title
		}
	}
	return view{
		Title: "Delivery to " + d.Target, Changes: []string{"deliveries", "targets"},
		Data: shownDelivery{d, retryable(d.State), cancellable(d.State)},
	}, nil
}

// changeOne changes a delivery, and says what was done.
func (u *UI) changeOne(do func(context.Context, admin.Principal, []string) (admin.Done, error), was string) func(http.ResponseWriter, *http.Request) (done, error) {
	return func(_ http.ResponseWriter, r *http.Request) (done, error) {
		id := r.PathValue("id")
		made, err := do(r.Context(), admin.PrincipalOf(r.Context()), []string{id})
		if err != nil {
			return done{}, u.gone(err, "delivery")
		}
		for _, s := range made.Skipped {
			return done{}, admin.NewProblem(http.StatusConflict, "The delivery was not "+was+": "+s.Reason+".")
		}
		return done{To: admin.Local(r.PostForm.Get("next"), "/deliveries/"+id), Notice: "The delivery was " + was + "."}, nil
	}
}
