package mediaserver

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// Target keeps one media server up to date. It has the powers of [Features].
type Target struct {
	server   Server
	options  Options
	config   Config
	paths    pathmap.Map
	instance string
	log      *slog.Logger

	cache libraryCache
	gates gates
}

// maxAnswer bounds an answer, in bytes: 1,000 items of a library are a few MiB.
const maxAnswer = 32 << 20

// New returns the target of a server that was made with the same env, and sets env's HTTP
// up for it. It does no I/O.
func New(env sdk.Env, s Server, o Options, c Config) (*Target, error) {
	paths, err := pathmap.New(c.Map)
	if err != nil {
		return nil, err
	}
	env.HTTP.LimitBody(maxAnswer)
	if c.InsecureSkipVerify {
		env.HTTP.InsecureSkipVerify()
	}
	if _, ok := s.(Looker); !ok && len(c.Anchors) > 0 {
		env.Warn("anchors", "have no effect: "+o.Name+" does not tell what is on its disks")
	}
	o.Settle = cmp.Or(o.Settle, 2*time.Second)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 10*time.Second)
	o.Pause = cmp.Or(o.Pause, 4*time.Second)
	o.Offline = cmp.Or(o.Offline, time.Minute)
	o.Refetch = cmp.Or(o.Refetch, time.Minute)
	return &Target{server: s, options: o, config: c, paths: paths, instance: env.Instance, log: cmp.Or(env.Log, slog.New(slog.DiscardHandler))}, nil
}

// Deliver has the server scan what the events changed. It says that the effect is to be
// proven, unless there is nothing to do.
func (t *Target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.answer(t.step(ctx, d, nil))
}

// Verify asks the server for the files, and has it scan what could not be scanned yet or
// what it has lost.
func (t *Target) Verify(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.answer(t.step(ctx, d, d.Accepted))
}

// answer says which status an error comes from.
func (t *Target) answer(r sdk.Receipt, err error) (sdk.Receipt, error) {
	if refused, ok := asRefusal(err); ok {
		r.Status, r.Excerpt = refused.Status, refused.Excerpt
	}
	return r, err
}

// run is one call of Deliver or Verify.
type run struct {
	*Target
	d       sdk.Delivery
	wanted  wanted
	folders []*folder
	state   state
	sight   *sight
	// until is when the call stops waiting for idle libraries.
	until time.Time
	// unseen are the changes that a scan waits for: the server's disk does not show them.
	unseen []*change
	// waiting says that a folder waits for its library to be idle.
	waiting bool
	proof   proof
}

func (t *Target) step(ctx context.Context, d sdk.Delivery, accepted *sdk.Receipt) (sdk.Receipt, error) {
	r := &run{Target: t, d: d, wanted: read(d.Events, t.paths), sight: t.look()}
	kept := t.options.Keeps && r.wanted.keep()
	if len(r.wanted.changes) == 0 {
		receipt := sdk.Receipt{Fallback: r.pathless()}
		if kept && receipt.Fallback == "" {
			receipt.Fallback = t.options.Name + " keeps what is gone until a person has its library cleaned: it was not told"
		}
		return receipt, nil
	}
	unplaced, err := t.place(ctx, &r.wanted)
	if err != nil {
		return sdk.Receipt{}, err
	}
	if len(unplaced) == len(r.wanted.changes) {
		return sdk.Receipt{}, t.unplacedError(ctx, unplaced)
	}
	r.folders = foldersOf(r.wanted.changes)
	r.state = stateOf(accepted, r.folders)
	if err := r.ask(ctx); err != nil {
		return sdk.Receipt{}, err
	}
	if d.Final {
		return r.final(ctx, unplaced)
	}
	scanned, err := r.scanDue(ctx)
	if err != nil {
		return sdk.Receipt{}, err
	}
	if !scanned && !r.waiting && len(r.unseen) == 0 && len(r.proof.missing) == 0 {
		return r.proven(ctx, unplaced)
	}
	if scanned {
		r.state.Asked, r.state.Held = 0, 0
	}
	return sdk.Receipt{
		State: r.state.encode(), VerifyAfter: r.pause(),
		ProveWithin: time.Duration(t.config.ProveWithin), Waits: r.waits(), Fallback: r.pathless(),
	}, nil
}

// deadline leaves half of the call's time for what is asked beside.
func (t *Target) deadline(ctx context.Context) time.Time {
	until := time.Now().Add(t.options.IdleTimeout)
	if end, ok := ctx.Deadline(); ok {
		if half := time.Now().Add(time.Until(end) / 2); half.Before(until) {
			return half
		}
	}
	return until
}

// pause is how long to wait before the next call.
func (r *run) pause() time.Duration {
	if r.waiting {
		return r.options.Pause
	}
	const most = 15
	times := max(r.state.Asked+2*r.state.Again, r.state.Held)
	if times >= 4 {
		return most * r.options.Pause
	}
	return r.options.Pause << times
}

// ask looks for what was scanned. Where the library is busy, nothing was asked in vain.
func (r *run) ask(ctx context.Context) error {
	scanned := r.d.Final
	for i := range r.folders {
		scanned = scanned || r.state.sent(i)
	}
	r.proof = lacking(provable(r.wanted.changes))
	if !scanned {
		return nil
	}
	return r.prove(ctx)
}

// lost is how often the server is asked in vain before a scan counts as lost.
const lost = 3

// scanDue scans the folders that were not scanned yet, and again those whose scan is
// lost.
func (r *run) scanDue(ctx context.Context) (scanned bool, err error) {
	if err := r.forget(ctx); err != nil {
		return false, err
	}
	r.until = r.deadline(ctx)
	done := map[string]bool{} // folders that this call scanned, by their paths
	coming := r.coming()
	for i, f := range r.folders {
		if r.state.sent(i) || f.comesLater(coming) {
			continue
		}
		ready, err := r.ready(ctx, f)
		if err != nil {
			return scanned, err
		}
		if !ready {
			continue
		}
		at, err := r.sight.existing(ctx, f)
		if err != nil {
			return scanned, err
		}
		if key := f.library.ID + "\x00" + at; !done[key] {
			ok, err := r.scan(ctx, f.scan(at, r.state.Again), r.until)
			if err != nil {
				return scanned, r.scanError(ctx, f, err)
			}
			if !ok {
				r.waiting = true
				continue
			}
			done[key] = true
		}
		r.state.setSent(i, true)
		scanned = true
	}
	if len(r.unseen) > 0 && !scanned {
		r.state.Held++
	}
	return scanned, nil
}

// forget takes folders whose scan came to nothing for ones that were not scanned.
func (r *run) forget(ctx context.Context) error {
	vain := false
	again := map[*folder]bool{}
	for i, f := range r.folders {
		if !r.state.sent(i) {
			continue
		}
		for _, c := range f.changes {
			if !r.proof.isMissing(c) {
				continue
			}
			// What is not there yet was not lost, and what is there again is not gone.
			if seen, err := r.sight.has(ctx, c.Path); err != nil {
				return err
			} else if !r.sight.blind() && seen == c.Gone {
				r.unseen = append(r.unseen, c)
				continue
			}
			again[f] = true
		}
		if again[f] {
			busy, err := r.busy(ctx, *f.library)
			if err != nil {
				return err
			}
			vain = vain || !busy
			again[f] = !busy
		}
	}
	if !vain {
		return nil
	}
	// A file that a scan came too early for is no reason to wait for more.
	appeared := r.state.Held > 0 && len(r.unseen) == 0
	if r.state.Asked++; r.state.Asked < lost && !appeared {
		return nil
	}
	r.state.Again++
	for i, f := range r.folders {
		if again[f] {
			r.state.setSent(i, false)
		}
	}
	return nil
}

// coming are the titles of which files are missing that are to be there.
func (r *run) coming() map[int]bool {
	titles := map[int]bool{}
	for _, c := range r.proof.missing {
		if !c.Gone {
			titles[c.title] = true
		}
	}
	return titles
}

// comesLater reports whether a folder has only files that went, of titles of which others
// are to come: were it scanned first, the server would take the title for deleted, and
// forget who watched it.
func (f *folder) comesLater(coming map[int]bool) bool {
	return !f.comes && slices.ContainsFunc(f.changes, func(c *change) bool { return coming[c.title] })
}

// patient is how often a scan waits for a disk to be as the application told.
const patient = 6

// ready reports whether the server's disk shows what the folder's scan is for, and that
// nothing is amiss with it. After a while a scan goes without what was only added, and with
// what is still there: neither costs anything.
func (r *run) ready(ctx context.Context, f *folder) (bool, error) {
	if err := r.sight.guard(ctx, f.library, f.path); err != nil {
		return false, err
	}
	unseen, replaced, added := 0, false, 0
	for _, c := range f.changes {
		seen, err := r.sight.has(ctx, c.Path)
		if err != nil {
			return false, err
		}
		if r.sight.blind() || seen != c.Gone || c.unproven {
			continue
		}
		r.unseen = append(r.unseen, c)
		unseen++
		if !c.Gone {
			added++
			replaced = replaced || !c.Fresh
		}
	}
	if unseen == 0 {
		return true, nil
	}
	return r.state.Held >= patient && !replaced && added < len(f.changes), nil
}

// scanError has the libraries read again when the server does not know one any more.
func (r *run) scanError(ctx context.Context, f *folder, err error) error {
	err = fmt.Errorf("have %s scan %s: %w", r.options.Name, f.path, err)
	if !isStale(err) {
		return err
	}
	r.cache.drop()
	if _, again := r.libraries(ctx, true); again != nil {
		return again
	}
	return sdk.RetryAfter(r.options.Pause, fmt.Errorf("%w: the library %q is not there any more", err, f.library.Name))
}
