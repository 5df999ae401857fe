package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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
	j := &job{client: c, app: p.app, request: r}
	err = j.run(ctx)
	if ctx.Err() != nil {
		return sdk.ConnectResult{}, fmt.Errorf("%s at %s did not answer in time: %w", c.app, c.base, ctx.Err())
	}
	if err != nil {
		j.result.Connected = false
		j.problem(err.Error())
	}
	return j.result, nil
}

// job is one call of Connect.
type job struct {
	client  *Client
	app     App
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
		return j.check(ours)
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

// connections returns all connections, and ours: those that lead to our URL, and else
// those that have our name.
func (j *job) connections(ctx context.Context) (all, ours []connection, err error) {
	if _, err := j.client.call(ctx, http.MethodGet, "notification", nil, nil, &all); err != nil {
		return nil, nil, err
	}
	rank := func(c connection) int {
		switch {
		case !c.webhook():
			return 0
		case samePlace(c.field("url"), j.request.URL):
			return 2
		case strings.EqualFold(c.name(), connectionName):
			return 1
		}
		return 0
	}
	ours = slices.DeleteFunc(slices.Clone(all), func(c connection) bool { return rank(c) == 0 })
	slices.SortStableFunc(ours, func(a, b connection) int { return rank(b) - rank(a) })
	return all, ours, nil
}

func (j *job) check(ours []connection) error {
	if len(ours) == 0 {
		j.change("connection", "none", connectionName)
		return nil
	}
	wanted, err := j.wanted(ours[0])
	if err != nil {
		return err
	}
	j.compare(ours[0], wanted)
	for _, more := range ours[1:] {
		j.change("connection", fmt.Sprintf("%q as well", more.name()), "one")
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
	j.compare(from, wanted)
	if masked(from.field("password")) && wanted.field("password") != "" {
		// Nobody can see which one the application has.
		j.change("password", "hidden by "+string(j.app.Name), "set again")
	}
	if len(j.result.Changes) == 0 {
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
	var schema []connection
	if _, err := j.client.call(ctx, http.MethodGet, "notification/schema", nil, nil, &schema); err != nil {
		return err
	}
	i := slices.IndexFunc(schema, connection.webhook)
	if i < 0 {
		return fmt.Errorf("%s has no connections of the kind Webhook", j.app.Name)
	}
	wanted, err := j.wanted(schema[i])
	if err != nil {
		return err
	}
	name := connectionName
	for n := 2; slices.ContainsFunc(all, func(c connection) bool { return strings.EqualFold(c.name(), name) }); n++ {
		name = fmt.Sprintf("%s %d", connectionName, n)
	}
	wanted.set("name", name)
	wanted.set("tags", []int{})
	var created connection
	if err := j.tested(ctx, http.MethodPost, "notification", wanted, &created); err != nil {
		return err
	}
	j.change("connection", "none", name)
	j.result.ConnectionID, j.result.Connected = created.id(), true
	return nil
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
	j.change("connection", c.name(), "none")
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
