// Package live tells those who watch what has changed, so that they look again. It reads
// our own tables once a second while somebody watches: they have what every node does, and
// what was committed late.
package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
)

// Topic is what a change is of.
type Topic string

// The topics.
const (
	// Events came, or were decoded, or something became of their deliveries.
	Events Topic = "events"
	// Deliveries were made or changed, or an operator's action went on.
	Deliveries Topic = "deliveries"
	// Targets are held, throttled, or no more; their ids are names.
	Targets Topic = "targets"
	// Sources were read: their histories, or what they have. Their ids are names.
	Sources Topic = "sources"
	// Plugins are in another state; their ids are names with kinds.
	Plugins Topic = "plugins"
	// Silences began, ended, or have silenced something.
	Silences Topic = "silences"
	// Config is in use that was not before.
	Config Topic = "config"
	// Resync is everything: what a watcher has may be old.
	Resync Topic = "resync"
)

// Change says what has changed.
type Change struct {
	Topic Topic
	// IDs are of what has changed; none where that are too many, or is not known.
	IDs []string
}

// Store is what is read.
type Store interface {
	EventIDs(ctx context.Context, f store.EventFilter, limit int) ([]uuid.UUID, error)
	ChangedDeliveries(ctx context.Context, since time.Time, limit int) ([]store.ChangedDelivery, error)
	ListTargets(ctx context.Context) ([]store.Target, time.Time, error)
	ListSilences(ctx context.Context, past time.Duration) ([]store.Silence, time.Time, error)
	ListActions(ctx context.Context, f store.ActionFilter) ([]store.Action, error)
	SourceMarks(ctx context.Context, since time.Time) ([]store.SourceMark, error)
}

// Options are what a Hub looks at.
type Options struct {
	Store Store
	// Plugins are those of this process; nil is none.
	Plugins func() []pluginhost.Status
	// Config is the one in use: a reload brings another. Nil is none.
	Config func() *config.Config
	Log    *slog.Logger
	// Every is the time between two looks; 0 is a second.
	Every time.Duration
}

const (
	// MaxWatchers is how many may watch at once.
	MaxWatchers = 32
	// MaxOfOne is how many of them may be of one principal, who is to leave some for others.
	MaxOfOne = MaxWatchers / 2
	// buffered is how many changes a watcher may be behind: some looks' worth.
	buffered = 64
	// lookTimeout bounds one look, for databases that fall silent.
	lookTimeout = 10 * time.Second
)

// Errors of Watch.
var (
	// ErrFull says that MaxWatchers watch, or MaxOfOne of one principal.
	ErrFull = errors.New("too many pages are open: they look again by themselves every few seconds")
	// ErrClosed says that the hub was closed.
	ErrClosed = errors.New("the server stops")
)

// Hub tells watchers what has changed. It does nothing while nobody watches.
type Hub struct {
	Options

	mu       sync.Mutex
	watchers map[*watcher]struct{}
	looking  bool
	closed   bool
	done     sync.WaitGroup
	stop     context.CancelFunc
	running  context.Context //nolint:containedctx // of the looks, which belong to no watcher
}

// watcher is one who watches. It is new until the first look after it came: what it has
// seen before then may be old.
type watcher struct {
	who     watching
	changes chan Change
	fresh   bool
}

// watching is whom the watchers of one principal are known by, whatever the browser.
type watching struct{ name, via string }

// New returns a hub, which is to be closed.
func New(o Options) *Hub {
	if o.Every == 0 {
		o.Every = time.Second
	}
	h := &Hub{Options: o, watchers: map[*watcher]struct{}{}}
	h.running, h.stop = context.WithCancel(context.Background())
	return h
}

// Watch returns what changes from now on to the principal of ctx, beginning with a Resync, until ctx ends or the hub
// is closed: then the channel is. A watcher that is too slow gets a Resync for what it has
// missed.
func (h *Hub) Watch(ctx context.Context) (<-chan Change, error) {
	p := admin.PrincipalOf(ctx)
	w := &watcher{who: watching{p.Name, p.Via}, changes: make(chan Change, buffered), fresh: true}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, ErrClosed
	case len(h.watchers) >= MaxWatchers, h.count(w.who) >= MaxOfOne:
		return nil, ErrFull
	}
	h.watchers[w] = struct{}{}
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.drop(w)
	})
	if !h.looking {
		h.looking = true
		h.done.Go(h.look)
	}
	return w.changes, nil
}

// count is how many watchers somebody has. The lock is held.
func (h *Hub) count(who watching) (n int) {
	for w := range h.watchers {
		if w.who == who {
			n++
		}
	}
	return n
}

// drop ends a watcher, once. The lock is held.
func (h *Hub) drop(w *watcher) {
	if _, ok := h.watchers[w]; ok {
		delete(h.watchers, w)
		close(w.changes)
	}
}

// Close ends every watcher, and returns when nothing is looked at any more.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	for w := range h.watchers {
		h.drop(w)
	}
	h.mu.Unlock()
	h.stop()
	h.done.Wait()
}

// look looks again and again while somebody watches.
func (h *Hub) look() {
	tick := time.NewTicker(h.Every)
	defer tick.Stop()
	var m memory
	missed := false
	for {
		changes, err := h.compare(&m)
		switch {
		case err == nil:
			h.tell(changes, missed)
			missed = false
		case h.running.Err() == nil && !missed:
			h.Log.WarnContext(h.running, "what changes cannot be read: open pages stay as they are", slog.Any("error", err))
			missed = true
		}
		select {
		case <-tick.C:
		case <-h.running.Done():
		}
		if h.nobody() {
			return
		}
	}
}

// nobody reports whether nobody watches. The next one who does begins anew.
func (h *Hub) nobody() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.looking = len(h.watchers) > 0
	return !h.looking
}

func (h *Hub) compare(m *memory) ([]Change, error) {
	ctx, cancel := context.WithTimeout(h.running, lookTimeout)
	defer cancel()
	return m.compare(ctx, h.Options)
}

// tell tells every watcher. Those that came since the last look, and all after a look that
// failed, are to look at everything again.
func (h *Hub) tell(changes []Change, missed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		if w.fresh || missed {
			w.fresh = false
			w.add(Change{Topic: Resync})
			continue
		}
		for _, c := range changes {
			w.add(c)
		}
	}
}

// add puts a change behind the others, or a Resync into the place of all. Nobody else adds.
func (w *watcher) add(c Change) {
	select {
	case w.changes <- c:
		return
	default:
	}
	for len(w.changes) > 0 {
		select {
		case <-w.changes:
		default: // the watcher was faster
		}
	}
	w.changes <- Change{Topic: Resync}
}
