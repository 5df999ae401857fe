package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/paths"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// items is a list that is never long.
type items[T any] struct {
	Items []T `json:"items"`
}

// values are those parameters that are not empty.
func values(all map[string]string) url.Values {
	v := url.Values{}
	for name, value := range all {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func eventQuery(f admin.EventFilter) url.Values {
	v := values(map[string]string{
		"source": f.Source, "type": string(f.Type), "state": string(f.State), "correlation_key": f.Correlation, "q": f.Text,
		"since": stamp(f.Since), "until": stamp(f.Until),
	})
	if len(f.Fields) > 0 {
		v["field"] = f.Fields
	}
	return v
}

func deliveryQuery(f admin.DeliveryFilter) url.Values {
	return values(map[string]string{
		"target": f.Target, "state": string(f.State), "event": f.Event, "source": f.Source, "type": string(f.Type), "route": f.Route,
		"q": f.Text, "since": stamp(f.Since), "until": stamp(f.Until),
	})
}

func paged(v url.Values, p admin.Page) url.Values {
	if p.Limit > 0 {
		v.Set("limit", strconv.Itoa(p.Limit))
	}
	if p.Cursor != "" {
		v.Set("cursor", p.Cursor)
	}
	if p.Oldest {
		v.Set("oldest", "true")
	}
	return v
}

// Version returns what answers.
func (c *Client) Version(ctx context.Context) (admin.Version, error) {
	return get[admin.Version](ctx, c, "/version", nil)
}

// Config returns the settings in use as YAML, without secrets.
func (c *Client) Config(ctx context.Context) ([]byte, error) {
	return c.do(ctx, request{method: http.MethodGet, path: "/config"})
}

// Reload takes the configuration that is there now into use, or says what it would change.
func (c *Client) Reload(ctx context.Context, dryRun bool) (admin.Reload, error) {
	return post[admin.Reload](ctx, c, "/reload", map[string]bool{"dry_run": dryRun}, "")
}

// Logs returns the lines of the server's log above a number, of a level or higher. It waits
// up to 25 s for the first.
func (c *Client) Logs(ctx context.Context, after uint64, level string, wait time.Duration) (admin.LogLines, error) {
	query := values(map[string]string{"level": level})
	query.Set("after", strconv.FormatUint(after, 10))
	query.Set("wait", strconv.Itoa(int(wait.Seconds())))
	return get[admin.LogLines](ctx, c, "/logs", query)
}

// ListEvents returns a page of events, newest first.
func (c *Client) ListEvents(ctx context.Context, f admin.EventFilter, p admin.Page) (admin.List[admin.Event], error) {
	return get[admin.List[admin.Event]](ctx, c, "/events", paged(eventQuery(f), p))
}

// CountEvents counts events.
func (c *Client) CountEvents(ctx context.Context, f admin.EventFilter) (admin.Count, error) {
	return get[admin.Count](ctx, c, "/events/count", eventQuery(f))
}

// Event returns an event by its id or the first digits of it.
func (c *Client) Event(ctx context.Context, id string) (admin.Event, error) {
	return get[admin.Event](ctx, c, "/events/"+url.PathEscape(id), nil)
}

// Story tells what became of an event, and why.
func (c *Client) Story(ctx context.Context, id string) (admin.Story, error) {
	return get[admin.Story](ctx, c, "/events/"+url.PathEscape(id)+"/story", nil)
}

// Body returns what was received, or the normalised event.
func (c *Client) Body(ctx context.Context, id string, normalized bool) ([]byte, error) {
	form := "raw"
	if normalized {
		form = "normalized"
	}
	return c.do(ctx, request{method: http.MethodGet, path: "/events/" + url.PathEscape(id) + "/body", query: url.Values{"form": {form}}})
}

// ReplayEvent makes new deliveries of an event. The key, if there is one, makes it happen
// once however often it is asked for.
func (c *Client) ReplayEvent(ctx context.Context, id string, r admin.Replay, key string) (admin.Done, error) {
	return post[admin.Done](ctx, c, "/events/"+url.PathEscape(id)+"/replay", r, key)
}

// ReplayEvents replays every event that a filter matches, if that are as many as expected.
func (c *Client) ReplayEvents(ctx context.Context, f admin.EventFilter, r admin.Replay, expect int, key string) (admin.Action, error) {
	body := struct {
		Filter admin.EventFilter `json:"filter"`
		admin.Replay
		Expect int `json:"expect_count"`
	}{f, r, expect}
	return post[admin.Action](ctx, c, "/events/replay", body, key)
}

// ListDeliveries returns a page of deliveries, newest first.
func (c *Client) ListDeliveries(ctx context.Context, f admin.DeliveryFilter, p admin.Page) (admin.List[admin.Delivery], error) {
	return get[admin.List[admin.Delivery]](ctx, c, "/deliveries", paged(deliveryQuery(f), p))
}

// CountDeliveries counts deliveries, or those that a bulk action would change.
func (c *Client) CountDeliveries(ctx context.Context, f admin.DeliveryFilter, what store.ActionKind) (admin.Count, error) {
	query := deliveryQuery(f)
	if what != "" {
		query.Set("for", string(what))
	}
	return get[admin.Count](ctx, c, "/deliveries/count", query)
}

// Delivery returns a delivery by its id or the first digits of it.
func (c *Client) Delivery(ctx context.Context, id string) (admin.Delivery, error) {
	return get[admin.Delivery](ctx, c, "/deliveries/"+url.PathEscape(id), nil)
}

// RetryDelivery gives a delivery more attempts.
func (c *Client) RetryDelivery(ctx context.Context, id, key string) (admin.Done, error) {
	return post[admin.Done](ctx, c, "/deliveries/"+url.PathEscape(id)+"/retry", nil, key)
}

// CancelDelivery gives a delivery up.
func (c *Client) CancelDelivery(ctx context.Context, id, key string) (admin.Done, error) {
	return post[admin.Done](ctx, c, "/deliveries/"+url.PathEscape(id)+"/cancel", nil, key)
}

// RetryDeliveries retries every delivery that a filter matches, if that are as many as
// expected.
func (c *Client) RetryDeliveries(ctx context.Context, f admin.DeliveryFilter, expect int, key string) (admin.Action, error) {
	return post[admin.Action](ctx, c, "/deliveries/retry", bulk{f, expect}, key)
}

// CancelDeliveries gives every delivery up that a filter matches, if that are as many as
// expected.
func (c *Client) CancelDeliveries(ctx context.Context, f admin.DeliveryFilter, expect int, key string) (admin.Action, error) {
	return post[admin.Action](ctx, c, "/deliveries/cancel", bulk{f, expect}, key)
}

type bulk struct {
	Filter admin.DeliveryFilter `json:"filter"`
	Expect int                  `json:"expect_count"`
}

// ListActions returns a page of what operators did, newest first.
func (c *Client) ListActions(ctx context.Context, p admin.Page) (admin.List[admin.Action], error) {
	return get[admin.List[admin.Action]](ctx, c, "/actions", paged(url.Values{}, p))
}

// Action returns an action.
func (c *Client) Action(ctx context.Context, id string) (admin.Action, error) {
	return get[admin.Action](ctx, c, "/actions/"+url.PathEscape(id), nil)
}

// StopAction ends a bulk action; what it has done stays.
func (c *Client) StopAction(ctx context.Context, id string) (admin.Action, error) {
	return post[admin.Action](ctx, c, "/actions/"+url.PathEscape(id)+"/stop", nil, "")
}

// ListTargets returns the targets by name.
func (c *Client) ListTargets(ctx context.Context) ([]admin.Target, error) {
	l, err := get[items[admin.Target]](ctx, c, "/targets", nil)
	return l.Items, err
}

// Target returns a target.
func (c *Client) Target(ctx context.Context, name string) (admin.Target, error) {
	return get[admin.Target](ctx, c, "/targets/"+url.PathEscape(name), nil)
}

// PauseTarget holds what goes to a target until it is resumed.
func (c *Client) PauseTarget(ctx context.Context, name, reason string) (admin.Target, error) {
	return post[admin.Target](ctx, c, "/targets/"+url.PathEscape(name)+"/pause", map[string]string{"reason": reason}, "")
}

// ResumeTarget ends the hold of a target.
func (c *Client) ResumeTarget(ctx context.Context, name string) (admin.Target, error) {
	return post[admin.Target](ctx, c, "/targets/"+url.PathEscape(name)+"/resume", nil, "")
}

// ProbeTarget tries a target on hold at once.
func (c *Client) ProbeTarget(ctx context.Context, name string) (admin.Target, error) {
	return post[admin.Target](ctx, c, "/targets/"+url.PathEscape(name)+"/probe", nil, "")
}

// RenameTarget gives what a target was to get to another.
func (c *Client) RenameTarget(ctx context.Context, name, to string) (admin.Action, error) {
	return post[admin.Action](ctx, c, "/targets/"+url.PathEscape(name)+"/rename", map[string]string{"to": to}, "")
}

// TestTarget has a target send its test.
func (c *Client) TestTarget(ctx context.Context, name, key string) (admin.Tested, error) {
	return post[admin.Tested](ctx, c, "/targets/"+url.PathEscape(name)+"/test", nil, key)
}

// Preview returns what a target would send, and has nothing sent.
func (c *Client) Preview(ctx context.Context, name string, of admin.PreviewOf) (admin.Preview, error) {
	return post[admin.Preview](ctx, c, "/targets/"+url.PathEscape(name)+"/preview", of, "")
}

// Paths compares the folders of applications with the libraries of a target.
func (c *Client) Paths(ctx context.Context, name string) (paths.Report, error) {
	return post[paths.Report](ctx, c, "/targets/"+url.PathEscape(name)+"/paths", nil, "")
}

// OptionKeys returns the settings of a source or a target whose values its plugin can tell.
func (c *Client) OptionKeys(ctx context.Context, kind host.Kind, name string) ([]host.OptionKey, error) {
	l, err := get[items[host.OptionKey]](ctx, c, "/"+string(kind)+"s/"+url.PathEscape(name)+"/options", nil)
	return l.Items, err
}

// Options returns the values that a setting of a source or a target may have.
func (c *Client) Options(ctx context.Context, kind host.Kind, name, key string) ([]sdk.Option, error) {
	l, err := get[items[sdk.Option]](ctx, c, "/"+string(kind)+"s/"+url.PathEscape(name)+"/options/"+url.PathEscape(key), nil)
	return l.Items, err
}

// ListSilences returns the silences that are active or ended lately.
func (c *Client) ListSilences(ctx context.Context) ([]admin.Silence, error) {
	l, err := get[items[admin.Silence]](ctx, c, "/silences", nil)
	return l.Items, err
}

// AddSilence begins a silence.
func (c *Client) AddSilence(ctx context.Context, n admin.NewSilence, key string) (admin.Silence, error) {
	return post[admin.Silence](ctx, c, "/silences", n, key)
}

// ExpireSilence ends a silence now.
func (c *Client) ExpireSilence(ctx context.Context, id string) (admin.Silence, error) {
	return post[admin.Silence](ctx, c, "/silences/"+url.PathEscape(id)+"/expire", nil, "")
}

// MakeLink makes a link that signs in once.
func (c *Client) MakeLink(ctx context.Context) (admin.Link, error) {
	return post[admin.Link](ctx, c, "/links", nil, "")
}

// ListSessions returns the browsers that are signed in.
func (c *Client) ListSessions(ctx context.Context) ([]admin.Session, error) {
	l, err := get[items[admin.Session]](ctx, c, "/sessions", nil)
	return l.Items, err
}

// RevokeSession signs a browser out.
func (c *Client) RevokeSession(ctx context.Context, id string) (admin.Session, error) {
	return post[admin.Session](ctx, c, "/sessions/"+url.PathEscape(id)+"/revoke", nil, "")
}

// RevokeSessions signs every browser out.
func (c *Client) RevokeSessions(ctx context.Context) (admin.Revoked, error) {
	return post[admin.Revoked](ctx, c, "/sessions/revoke", nil, "")
}

// Source returns a source by its name.
func (c *Client) Source(ctx context.Context, name string) (admin.Source, error) {
	return get[admin.Source](ctx, c, "/sources/"+url.PathEscape(name), nil)
}

// SyncSource has everything that the application of a source has read now.
func (c *Client) SyncSource(ctx context.Context, name string, wish admin.Sync, key string) (admin.Synced, error) {
	return post[admin.Synced](ctx, c, "/sources/"+url.PathEscape(name)+"/sync", wish, key)
}

// ListSources returns the sources by name.
func (c *Client) ListSources(ctx context.Context) ([]admin.Source, error) {
	l, err := get[items[admin.Source]](ctx, c, "/sources", nil)
	return l.Items, err
}

// ListRoutes returns the routes in use, in order.
func (c *Client) ListRoutes(ctx context.Context) ([]admin.Route, error) {
	l, err := get[items[admin.Route]](ctx, c, "/routes", nil)
	return l.Items, err
}

// TestRoutes says where an event would go.
func (c *Client) TestRoutes(ctx context.Context, s admin.Subject) (admin.Routing, error) {
	return post[admin.Routing](ctx, c, "/routes/test", s, "")
}

// ListPlugins returns the plugins in use.
func (c *Client) ListPlugins(ctx context.Context) ([]admin.Plugin, error) {
	l, err := get[items[admin.Plugin]](ctx, c, "/plugins", nil)
	return l.Items, err
}

// Plugin returns a plugin by its kind and name, such as target-discord.
func (c *Client) Plugin(ctx context.Context, name string) (admin.Plugin, error) {
	return get[admin.Plugin](ctx, c, "/plugins/"+url.PathEscape(name), nil)
}

// ReloadPlugin takes a plugin's binary that is there now into use.
func (c *Client) ReloadPlugin(ctx context.Context, name string) (admin.Plugin, error) {
	return post[admin.Plugin](ctx, c, "/plugins/"+url.PathEscape(name)+"/reload", nil, "")
}
