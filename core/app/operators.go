package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/api"
	"github.com/hookarr/hookarr/core/admin/door"
	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// operators are the doors of those who look after a process. The network's is made anew
// with each configuration.
type operators struct {
	app    *App
	public http.Handler
	api    http.Handler
	// limiter counts failed sign-ins, over reloads too.
	limiter auth.Limiter
	network atomic.Pointer[http.Handler]
}

func newOperators(a *App, public http.Handler) (*operators, error) {
	service := &admin.Service{
		Store: a.store, Settings: settings{a}, Operate: a.operate,
		Reloader: reloader{a}, Plugins: a.plugins, Decoder: a.plugins, Trier: trier{a}, Program: a.program, Logs: a.logs,
	}
	handler, err := api.New(api.Options{Service: service, Once: a.store, Log: a.log})
	if err != nil {
		return nil, fmt.Errorf("serve the operators' API: %w", err)
	}
	o := &operators{app: a, public: public, api: a.servers.afterStart(handler)}
	return o, o.admit(a.config)
}

// admit lets in whom a configuration names.
func (o *operators) admit(c *config.Config) error {
	network, err := door.Network(door.Options{Config: c, Limiter: &o.limiter, Public: o.public, API: o.api, Log: o.app.log})
	if err != nil {
		return fmt.Errorf("let operators in: %w", err)
	}
	o.network.Store(&network)
	return nil
}

// ServeHTTP is the network's door.
func (o *operators) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*o.network.Load()).ServeHTTP(w, r)
}

// socket is the handler of the unix socket.
func (o *operators) socket() http.Handler { return door.Socket(o.public, o.api) }

// newOperate returns what carries out operators' actions.
func newOperate(a *App) *operate.Service {
	return operate.New(operate.Options{
		Store: a.store, Log: a.log, Redecoder: a.intake,
		Router:  func() operate.Router { return a.current.Load().routes },
		Targets: func() []string { return slices.Sorted(maps.Keys(a.current.Load().config.Targets)) },
	})
}

// settings are those that hold now.
type settings struct{ app *App }

func (s settings) Config() *config.Config { return s.app.current.Load().config }
func (s settings) Routes() *route.Table   { return s.app.current.Load().routes }

type reloader struct{ app *App }

// Reload reads the configuration again.
func (r reloader) Reload(ctx context.Context, dryRun bool) (admin.Reload, error) {
	done, err := r.app.Reload(ctx, dryRun)
	return admin.Reload{Changes: done.Changes, NeedsRestart: done.NeedsRestart, Warnings: done.Warnings}, err
}

// trier asks the plugins of targets for what leaves no trace.
type trier struct{ app *App }

// TestTarget has a target send its test, within its own time-out.
func (t trier) TestTarget(ctx context.Context, target string) (admin.Tested, error) {
	ctx, cancel := t.within(ctx, target)
	defer cancel()
	o, err := t.app.plugins.Test(ctx, target, nil)
	if err != nil {
		return admin.Tested{}, err
	}
	return admin.Tested{
		Target: target, Class: o.Class, Status: o.Receipt.Status, Message: o.Message, Excerpt: o.Receipt.Excerpt,
	}, nil
}

// Preview returns what a target would send of an event. A target that passes on the
// original request gets that of the stored event, or the event itself as one.
func (t trier) Preview(ctx context.Context, target string, normalized json.RawMessage) (admin.Preview, error) {
	ctx, cancel := t.within(ctx, target)
	defer cancel()
	d := host.Delivery{ID: event.NewID().String(), Attempt: 1, Events: []json.RawMessage{normalized}}
	if t.app.plugins.Info(host.KindTarget, target).NeedsOriginals {
		original, err := t.original(ctx, normalized)
		if err != nil {
			return admin.Preview{}, err
		}
		d.Originals = []sdk.Request{original}
	}
	sent, err := t.app.plugins.Preview(ctx, target, d)
	if err != nil {
		return admin.Preview{}, err
	}
	return admin.Preview{
		Target: target, Method: sent.Method, URL: sent.URL, Headers: sent.Header, ContentType: sent.Header.Get("Content-Type"),
		Body: sent.Body, Truncated: sent.Truncated,
	}, nil
}

// within is the time-out of a target. One that left the configuration meanwhile has none,
// and the plugins do not know it.
func (t trier) within(ctx context.Context, target string) (context.Context, context.CancelFunc) {
	if c, ok := t.app.current.Load().config.Targets[target]; ok {
		return context.WithTimeout(ctx, c.Timeout)
	}
	return context.WithCancel(ctx)
}

func (t trier) original(ctx context.Context, normalized json.RawMessage) (sdk.Request, error) {
	var e struct{ ID uuid.UUID }
	if err := json.Unmarshal(normalized, &e); err != nil {
		return sdk.Request{}, fmt.Errorf("read event: %w", err)
	}
	stored, err := t.app.store.LoadRequest(ctx, e.ID)
	if errors.Is(err, store.ErrNotFound) { // a sample
		return sdk.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}, Body: normalized}, nil
	}
	if err != nil {
		return sdk.Request{}, fmt.Errorf("read the request of event %s: %w", e.ID, err)
	}
	return sdk.Request{ID: e.ID.String(), Method: stored.Method, Header: stored.Header, Body: stored.Body}, nil
}
