package ui

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// maxTried bounds a body that is tried, in bytes. Its form has up to three for each.
	maxTried     = 1 << 20
	maxTriedForm = 3*maxTried + maxForm
)

func (u *UI) routePages() {
	u.page("GET /routes", "routes", config.RoleView, u.showRoutes)
	u.page("POST /routes/test", "routes", config.RoleOperate, u.tryBody)
}

// routesPage is the routes, and where an event would go.
type routesPage struct {
	Routes  []admin.Route
	Sources []string
	Types   []sdk.Type
	// Asked is what was asked for, Result the answer to it and Problem why there is none.
	Asked   admin.Subject
	Result  *admin.Routing
	Problem *admin.Problem
}

func (u *UI) routesPage() routesPage {
	return routesPage{Routes: u.Service.ListRoutes(), Types: sdk.Types(), Sources: u.sources()}
}

// showRoutes answers for a sample or a stored event too, so that the answer has an address.
func (u *UI) showRoutes(r *http.Request) (view, error) {
	q := r.URL.Query()
	p := u.routesPage()
	p.Asked = admin.Subject{Event: strings.TrimSpace(q.Get("event")), Sample: sdk.Type(q.Get("sample")), Source: q.Get("source")}
	v := view{Title: "Routes", Changes: []string{"config"}}
	if p.Asked.Event == "" && p.Asked.Sample == "" {
		v.Data = p
		return v, nil
	}
	return u.try(r, v, p)
}

// tryBody says where the events of a pasted body would go. It is stored nowhere.
func (u *UI) tryBody(r *http.Request) (view, error) {
	p := u.routesPage()
	v := view{Title: "Routes"}
	p.Asked, p.Problem = readBody(r)
	return u.try(r, v, p)
}

// readBody returns what was pasted, also where it cannot be tried.
func readBody(r *http.Request) (admin.Subject, *admin.Problem) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxTriedForm)
	if err := r.ParseForm(); err != nil {
		return admin.Subject{}, unreadForm(err)
	}
	asked := admin.Subject{Source: r.PostForm.Get("source"), Body: r.PostForm.Get("body")}
	if contentType := strings.TrimSpace(r.PostForm.Get("content_type")); contentType != "" {
		asked.Headers = http.Header{"Content-Type": {contentType}}
	}
	switch {
	case len(asked.Body) > maxTried:
		return asked, admin.NewProblem(http.StatusRequestEntityTooLarge,
			fmt.Sprintf("The body has %s, and at most %s are tried here.", humanize.IBytes(uint64(len(asked.Body))), humanize.IBytes(maxTried)))
	case strings.TrimSpace(asked.Body) == "":
		return asked, admin.NewProblem(http.StatusUnprocessableEntity, "Paste the body of a request.")
	}
	return asked, nil
}

// try adds where an event would go, unless it is known already why that cannot be said.
func (u *UI) try(r *http.Request, v view, p routesPage) (view, error) {
	if p.Problem == nil {
		result, err := u.Service.TestRoutes(r.Context(), p.Asked)
		if problem, ok := u.refusal(err); ok {
			p.Problem = problem
		} else if err != nil {
			return v, err
		} else {
			p.Result = &result
		}
	}
	if p.Problem != nil {
		v.Status = p.Problem.Status
	}
	v.Data = p
	return v, nil
}
