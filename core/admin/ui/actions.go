package ui

import (
	"net/http"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
)

func (u *UI) actionPages() {
	u.page("GET /actions", "actions", config.RoleView, u.listActions)
	u.page("GET /actions/{id}", "action", config.RoleView, u.showAction)
	u.action("POST /actions/{id}/stop", config.RoleOperate, u.stopAction)
}

// actionList is a page of what operators did.
type actionList struct {
	position
	Rows    []admin.Action
	Problem string
}

func (u *UI) listActions(r *http.Request) (view, error) {
	page := pageOf(r)
	v := view{Title: "Actions", Changes: followed(page, "deliveries", "targets", "silences")}
	found, err := u.Service.ListActions(r.Context(), page)
	if p, ok := u.refusal(err); ok {
		v.Data, v.Status, v.Changes = actionList{position: position{First: "/actions"}, Problem: sentence(p.Detail)}, p.Status, nil
		return v, nil
	}
	v.Data = actionList{position: newPosition("/actions", nil, page.Cursor, pageSize, found.Next), Rows: found.Items}
	return v, err
}

// shownAction is what the page of an action shows.
type shownAction struct {
	admin.Action
	Running bool
	// Worked is how many of the rows it has come to, and Most is how many there are.
	Worked, Most int
	// List shows what a bulk action is of.
	List string
}

func (u *UI) showAction(r *http.Request) (view, error) {
	a, err := u.Service.FindAction(r.Context(), r.PathValue("id"))
	if err != nil {
		return view{}, u.gone(err, "action")
	}
	s := shownAction{Action: a, Running: a.State == store.ActionRunning, Worked: a.Done + a.Skipped}
	s.Most = max(a.Matched, s.Worked) // more may match than were counted
	switch {
	case a.Events != nil:
		s.List = address("/events", eventValues(*a.Events))
	case a.Filter != nil:
		s.List = address("/deliveries", deliveryValues(*a.Filter))
	}
	return view{Title: titleOfAction(a), Data: s, Changes: []string{"deliveries"}}, nil
}

func titleOfAction(a admin.Action) string { return capital(string(a.What)) + " by " + cut(60, a.Who) }

func (u *UI) stopAction(_ http.ResponseWriter, r *http.Request) (done, error) {
	a, err := u.Service.StopAction(r.Context(), admin.PrincipalOf(r.Context()), r.PathValue("id"))
	if err != nil {
		return done{}, u.gone(err, "action")
	}
	return done{To: "/actions/" + a.ID, Notice: "The action was stopped; what it has done stays."}, nil
}
