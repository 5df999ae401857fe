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
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/access"
	"github.com/hookarr/hookarr/core/admin/api"
	"github.com/hookarr/hookarr/core/admin/live"
	"github.com/hookarr/hookarr/core/admin/queueui"
	"github.com/hookarr/hookarr/core/admin/session"
	"github.com/hookarr/hookarr/core/admin/signin"
	"github.com/hookarr/hookarr/core/admin/ui"
	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/deliver"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// operators serves those who look after a process. The handler of the network is made anew
// with each configuration.
type operators struct {
	app    *App
	public http.Handler
	api    http.Handler
	// inside is the pages, for those who were let in.
	inside   http.Handler
	pages    *ui.UI
	sessions *session.Sessions
	// limiter counts failed sign-ins, over reloads too.
	limiter *auth.Limiter
	// queue is River's own page, which is off unless the configuration asks for it.
	queue *queueui.Page
	// changes tells open pages what to fetch anew.
	changes *live.Hub
	network atomic.Pointer[access.Handler]
}

func newOperators(a *App, public http.Handler) (*operators, error) {
	service := &admin.Service{
		Store: a.store, Settings: settings{a}, Operate: a.operate,
		Reloader: reloader{a}, Plugins: a.plugins, Decoder: a.plugins, Connector: a.plugins, Histories: histories{a}, Trier: trier{a},
		Program: a.program, Logs: a.logs, Folders: a.plugins, Choices: a.plugins, KnownPaths: a.folders.Known, NotReloaded: a.reloads.why, LowSpace: a.space.low.Load, Outage: a.store.Outage,
		Listens: a.servers.pages,
	}
	handler, err := api.New(api.Options{Service: service, Once: a.store, Log: a.log})
	if err != nil {
		return nil, fmt.Errorf("serve the operators' API: %w", err)
	}
	queue := &queueui.Page{Client: func() any { return a.queue }, Log: a.outage.River()}
	changes := live.New(live.Options{Store: a.store, Plugins: a.plugins.Status, Config: settings{a}.Config, Log: a.outage.Logger()})
	o := &operators{
		app: a, public: public, sessions: &session.Sessions{Store: a.store, Log: a.log}, limiter: access.NewLimiter(), queue: queue, changes: changes,
	}
	pages, err := ui.New(ui.Options{Service: service, Changes: &live.Stream{Hub: changes, Still: o.admitted}, Queue: queue, Log: a.log})
	if err != nil {
		return nil, fmt.Errorf("serve the operators' pages: %w", err)
	}
	o.pages, o.api, o.inside = pages, a.servers.afterStart(handler), a.servers.afterStart(pages)
	return o, o.admit(a.config)
}

// admit lets in whom a configuration names.
func (o *operators) admit(c *config.Config) error {
	network, err := access.Network(access.Options{
		Config: c, Shared: o.app.config.SharesListener(), LetIn: func(ctx context.Context) { proven(ctx, operator) },
		Limiter: o.limiter, Public: o.public, API: o.api, Pages: o.inside, Assets: http.HandlerFunc(o.pages.Assets),
		SignIn: signin.New(signin.Options{
			Config: c, Sessions: o.sessions, Once: o.app.store, Limiter: o.limiter, Pages: o.pages, Log: o.app.log,
		}),
		Problem: o.pages.Problem, Sessions: o.sessions, Log: o.app.log,
	})
	if err != nil {
		return fmt.Errorf("let operators in: %w", err)
	}
	o.network.Store(network)
	if !c.Admin.QueueUI {
		o.queue.Close()
	}
	return nil
}

// ServeHTTP serves the network.
func (o *operators) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.network.Load().ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, r)))
}

// requestKey finds the request of a stream as it came.
type requestKey struct{}

// admitted reports whether the handler that holds now lets in who was let in before.
func (o *operators) admitted(ctx context.Context) bool {
	r, ok := ctx.Value(requestKey{}).(*http.Request)
	return ok && o.network.Load().Admits(r)
}

// socket is the handler of the unix socket.
func (o *operators) socket() http.Handler { return access.Socket(o.public, o.api) }

// newOperate returns what carries out operators' actions.
func newOperate(a *App) *operate.Service {
	return operate.New(operate.Options{
		Store: a.store, Log: a.log, Redecoder: a.intake,
		Router:   func() operate.Router { return a.current.Load().routes },
		Targets:  func() []string { return slices.Sorted(maps.Keys(a.current.Load().config.Targets)) },
		Silenced: a.silences.Changed,
	})
}

// settings are those that hold now.
type settings struct{ app *App }

func (s settings) Config() *config.Config { return s.app.current.Load().config }
func (s settings) Routes() *route.Table   { return s.app.current.Load().routes }

// histories are read once everything runs.
type histories struct{ app *App }

func (h histories) Trouble(source string) (reason string, since time.Time) {
	return h.app.reader.Trouble(source)
}

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

// Preview returns what a target would send of a delivery, in the place of previous unless
// that is nil. A target that passes on the original request gets that of the stored event,
// or the event itself as one.
func (t trier) Preview(ctx context.Context, target string, work store.Work, previous *sdk.Receipt) (admin.Preview, error) {
	ctx, cancel := t.within(ctx, target)
	defer cancel()
	current := t.app.current.Load()
	switch is, _ := current.plan.Target(target); {
	case len(work.Events) > 1 && !is.Groups:
		return admin.Preview{}, admin.NewProblem(http.StatusConflict, "target "+target+" takes one event a delivery")
	case previous != nil && !is.Edits:
		return admin.Preview{}, admin.NewProblem(http.StatusConflict, "target "+target+" does not edit what it has sent")
	}
	d, err := deliver.Compose(work)
	if err != nil {
		return admin.Preview{}, err
	}
	d.Previous = previous
	if t.app.plugins.Info(host.KindTarget, target).NeedsOriginals {
		original, err := t.original(ctx, work.Event, d.Events[0])
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
		Target: target, Plugin: current.config.Targets[target].Plugin,
		Method: sent.Method, URL: sent.URL, Headers: sent.Header, ContentType: sent.Header.Get("Content-Type"),
		Body: sent.Body, Truncated: sent.Truncated, Fallback: sent.Fallback,
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

func (t trier) original(ctx context.Context, e event.Event, normalized json.RawMessage) (sdk.Request, error) {
	stored, err := t.app.store.LoadRequest(ctx, e.ID)
	if errors.Is(err, store.ErrNotFound) { // a sample
		return sdk.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}, Body: normalized}, nil
	}
	if err != nil {
		return sdk.Request{}, fmt.Errorf("read the request of event %s: %w", e.ID, err)
	}
	return sdk.Request{ID: e.ID.String(), Method: stored.Method, Header: stored.Header, Body: stored.Body}, nil
}
