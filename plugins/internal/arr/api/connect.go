package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// connectionName is what our connection is called in the applications.
const connectionName = "Hookarr"

// Connect implements sdk.Connector.
func (p *Powers) Connect(ctx context.Context, r sdk.ConnectRequest) (sdk.ConnectResult, error) {
	c, err := p.ready()
	if err != nil {
		return sdk.ConnectResult{}, err
	}
	ctx, cancel := inTime(ctx)
	defer cancel()
	j := &job{client: c, app: p.app, source: p.instance, request: r}
	if err := j.run(ctx); err != nil {
		j.result.Connected = false
		j.problem(err.Error())
	}
	return j.result, nil
}

// job is one call of Connect.
type job struct {
	client  *Client
	app     App
	source  string
	request sdk.ConnectRequest
	result  sdk.ConnectResult
}

func (j *job) problem(text string) { j.result.Problems = append(j.result.Problems, text) }

func (j *job) change(field, from, to string) {
	j.result.Changes = append(j.result.Changes, sdk.Change{Field: field, From: from, To: to})
}

// run does what was asked for. Its error is one that a person can mend.
func (j *job) run(ctx context.Context) error {
	status, err := j.client.Status(ctx)
	if err != nil {
		return err
	}
	j.result.AppName, j.result.AppVersion = status.AppName, status.Version
	all, ours, err := j.connections(ctx)
	if err != nil {
		return err
	}
	if len(ours) > 0 {
		j.result.ConnectionID = ours[0].id()
	}
	switch j.request.Action {
	case sdk.ConnectCheck:
		return j.check(ctx, all, ours)
	case sdk.ConnectApply:
		return j.apply(ctx, all, ours)
	case sdk.ConnectRemove:
		return j.remove(ctx, ours)
	case sdk.ConnectTest:
		if len(ours) == 0 {
			j.problem(fmt.Sprintf("%s has no connection to Hookarr", j.app.Name))
			return nil
		}
		return j.test(ctx, ours[0])
	default:
		return fmt.Errorf("this plugin does not know the action %d", j.request.Action)
	}
}

// connections returns all connections, and ours: those that lead to our URL. Without
// any, it is one of our name from before the server moved, which remove leaves: it may
// be of a second server that has a source of the same name.
func (j *job) connections(ctx context.Context) (all, ours []connection, err error) {
	if _, err := j.client.call(ctx, http.MethodGet, "notification", nil, nil, &all); err != nil {
		return nil, nil, err
	}
	if all == nil {
		return nil, nil, fmt.Errorf("%s at %s answered with something that is no list of connections", j.client.app, j.client.base)
	}
	for _, c := range all {
		if c.webhook() && samePlace(c.field("url"), j.request.URL) {
			ours = append(ours, c)
		}
	}
	if len(ours) > 0 || j.request.Action == sdk.ConnectRemove {
		return all, ours, nil
	}
	for _, name := range j.names() {
		for _, c := range all {
			if c.webhook() && strings.EqualFold(c.name(), name) && sameSource(c.field("url"), j.request.URL) {
				return all, []connection{c}, nil
			}
		}
	}
	return all, nil, nil
}

// names are what our connection may be called.
func (j *job) names() []string {
	return []string{connectionName, fmt.Sprintf("%s (%s)", connectionName, j.source)}
}

func (j *job) check(ctx context.Context, all, ours []connection) error {
	if len(ours) == 0 {
		draft, err := j.draft(ctx, all)
		if err != nil {
			return err
		}
		j.change("connection", "none", draft.summary())
		return nil
	}
	wanted, err := j.wanted(ours[0])
	if err != nil {
		return err
	}
	if err := j.compare(ctx, ours[0], wanted); err != nil {
		return err
	}
	for _, more := range ours[1:] {
		j.change("connection", strconv.Quote(more.name()), "none")
	}
	j.result.Connected = len(j.result.Changes) == 0
	return nil
}

// apply tests what it saves: the application does so by itself, and saves nothing
// that fails.
func (j *job) apply(ctx context.Context, all, ours []connection) error {
	if len(ours) == 0 {
		return j.create(ctx, all)
	}
	wanted, err := j.wanted(ours[0])
	if err != nil {
		return err
	}
	if err := j.repair(ctx, ours[0], wanted); err != nil {
		return err
	}
	for _, more := range ours[1:] {
		if err := j.delete(ctx, more); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) repair(ctx context.Context, from, wanted connection) error {
	if err := j.compare(ctx, from, wanted); err != nil {
		return err
	}
	// Nobody can see which password the application has.
	again := masked(from.field("password")) && wanted.field("password") != ""
	if len(j.result.Changes) == 0 && !again {
		return j.test(ctx, from)
	}
	err := j.tested(ctx, http.MethodPut, "notification/"+url.PathEscape(wanted.id()), wanted, nil)
	if err != nil {
		j.result.Changes = nil
		return err
	}
	j.result.Connected = true
	return nil
}

func (j *job) create(ctx context.Context, all []connection) error {
	draft, err := j.draft(ctx, all)
	if err != nil {
		return err
	}
	var created connection
	if err := j.tested(ctx, http.MethodPost, "notification", draft, &created); err != nil {
		return err
	}
	j.change("connection", "none", draft.summary())
	j.result.ConnectionID, j.result.Connected = created.id(), true
	return nil
}

// draft is a connection to create beside those that there are.
func (j *job) draft(ctx context.Context, all []connection) (connection, error) {
	var schema []connection
	if _, err := j.client.call(ctx, http.MethodGet, "notification/schema", nil, nil, &schema); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(schema, connection.webhook)
	if i < 0 {
		return nil, fmt.Errorf("%s has no connections of the kind Webhook", j.app.Name)
	}
	draft, err := j.wanted(schema[i])
	if err != nil {
		return nil, err
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(all, func(c connection) bool { return strings.EqualFold(c.name(), name) })
	}
	names := j.names()
	for n := 2; taken(names[0]); n++ {
		names = append(names[1:], fmt.Sprintf("%s (%s) %d", connectionName, j.source, n))
	}
	draft.set("name", names[0])
	return draft, nil
}

func (j *job) remove(ctx context.Context, ours []connection) error {
	for _, c := range ours {
		if err := j.delete(ctx, c); err != nil {
			return err
		}
	}
	j.result.ConnectionID = ""
	return nil
}

func (j *job) delete(ctx context.Context, c connection) error {
	if _, err := j.client.call(ctx, http.MethodDelete, "notification/"+url.PathEscape(c.id()), nil, nil, nil); err != nil {
		return err
	}
	j.change("connection", strconv.Quote(c.name()), "none")
	return nil
}

// test makes the application post its test as it stands: a masked password means the
// one that it has.
func (j *job) test(ctx context.Context, c connection) error {
	if err := j.tested(ctx, http.MethodPost, "notification/test", c, nil); err != nil {
		return err
	}
	j.result.Connected = true
	return nil
}
