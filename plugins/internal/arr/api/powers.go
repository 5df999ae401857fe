package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// App is what the powers have to know of an application.
type App struct {
	Name arr.App
	// API is the version of the API: v3, v1.
	API string
	// Reader returns what knows the titles of an installation.
	Reader func(Library) Reader
	// Stock returns what knows everything that an installation has.
	Stock func(Library) Stock
	// Unwanted are the flags of a connection that stay off. All others are turned on.
	Unwanted []string
}

// Reader knows the titles of an application. It may be used for one call.
type Reader interface {
	// Part says what the webhook of a record's event is about, so that records of the
	// same are told together. It is empty for records that no webhook tells.
	Part(r *Record) string
	// Tell makes the event of what a webhook told, with the webhook's fingerprint and
	// correlation key. The event's time is filled in by the caller. What no webhook
	// tells after all is skipped by sdk.Skip.
	Tell(ctx context.Context, t Told) (sdk.Event, error)
	// Details returns an event with what the application knows of the titles and files
	// in e. Its lists are in the order of e's or have ids.
	Details(ctx context.Context, e sdk.Event) (sdk.Event, error)
}

// Features are the powers of every source that has Powers.
func Features() []sdk.Feature {
	return []sdk.Feature{
		sdk.FeatureFetch, sdk.FeatureHistory, sdk.FeatureConnect, sdk.FeatureFolders, sdk.FeatureSnapshot,
	}
}

// Powers are the optional powers of an application's source. Source plugins embed it.
type Powers struct {
	app            App
	client         *Client
	instance       string
	applicationURL string
	log            *slog.Logger
	stuck          stuck
	// clockTold is how far off the application's clock was last said to be, a
	// time.Duration.
	clockTold atomic.Int64
	snapshots snapshots
}

// New returns the powers of a configured instance. Without base_url and api_key they
// say that they need them.
func New(env sdk.Env, c Config, app App) *Powers {
	p := &Powers{app: app, instance: env.Instance, applicationURL: c.ApplicationURL, log: cmp.Or(env.Log, slog.New(slog.DiscardHandler))}
	if c.BaseURL != "" {
		p.client = newClient(env.HTTP, c, app.Name, app.API)
	}
	return p
}

// ready returns the client of a configured API.
func (p *Powers) ready() (*Client, error) {
	if p.client == nil {
		return nil, &unconfigured{p.instance}
	}
	return p.client, nil
}

func (p *Powers) reader(c *Client, s Status, lenient bool) Reader {
	return p.app.Reader(p.library(c, s, lenient))
}

func (p *Powers) library(c *Client, s Status, lenient bool) Library {
	return Library{Client: c, Status: s, App: p.app.Name, ApplicationURL: p.applicationURL, Lenient: lenient}
}

// inTime leaves a tenth of the time for saying what took the rest.
func inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/10))
}

// tellClock says that the application's clock is off, once for each minute that it
// moves.
func (p *Powers) tellClock(ctx context.Context, ahead time.Duration) {
	off := ahead.Truncate(time.Minute)
	if p.clockTold.Swap(int64(off)) != int64(off) && off != 0 {
		p.log.WarnContext(ctx, "the application's clock is off: its history is read by that clock", slog.Duration("ahead", ahead))
	}
}

// unconfigured says that the powers lack what they need.
type unconfigured struct{ instance string }

func (u *unconfigured) Error() string {
	return fmt.Sprintf("set base_url and api_key in sources.%s.config", u.instance)
}

func (u *unconfigured) Is(target error) bool { return target == errors.ErrUnsupported }
