package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/event"
)

const (
	// keyWindow is how long an Idempotency-Key stands for one request.
	keyWindow = 24 * time.Hour
	// maxAnswers bounds the answers that are kept; they are a few KiB each.
	maxAnswers = 1000
)

// Claimer remembers keys over restarts and for all nodes. store.Store is one.
type Claimer interface {
	// Claim takes a key that is free or older than window, and returns whose it is then.
	Claim(ctx context.Context, key string, window time.Duration, owner uuid.UUID) (uuid.UUID, error)
	// Unclaim gives a key back.
	Unclaim(ctx context.Context, key string) error
}

// once makes requests with an Idempotency-Key once. That a key was used is in the
// database, so that no crash has anything done twice; the answers are in memory, as only
// a client that still waits asks for them. Where the answer is gone, the client is told
// so and looks at the actions.
type once struct {
	claims Claimer

	mu      sync.Mutex
	answers map[string]*answer
	// order has the keys, oldest first.
	order []string
}

type answer struct {
	// sum tells the request from others.
	sum  string
	done bool
	// value is what the operation returned.
	value any
	at    time.Time
}

func newOnce(claims Claimer) *once { return &once{claims: claims, answers: map[string]*answer{}} }

// makeOnce does what a request asks for, or returns what it did before. A request that was
// refused has done nothing and may be made again; one that failed may have done it.
func makeOnce[O any](ctx context.Context, o *once, operation, key string, request any, do func() (*O, error)) (*O, error) {
	if key == "" {
		return do()
	}
	p := admin.PrincipalOf(ctx)
	// By its digest: a key may be as long and strange as a client likes.
	own := "once:" + digest(p.Via, p.Name, key)
	sum := digest(operation, request)
	a, known, err := o.begin(ctx, own, sum)
	if err != nil {
		return nil, err
	}
	if known {
		value, ok := a.(*O)
		if !ok {
			return nil, otherRequest()
		}
		return value, nil
	}
	out, err := do()
	o.end(own, out, err == nil)
	if _, refused := errors.AsType[*admin.Problem](err); refused && o.claims != nil {
		if undo := o.claims.Unclaim(context.WithoutCancel(ctx), own); undo != nil {
			return nil, fmt.Errorf("%w; give its key back: %w", err, undo)
		}
	}
	return out, err
}

// begin returns the answer of a request that was made before.
func (o *once) begin(ctx context.Context, key, sum string) (value any, known bool, err error) {
	o.mu.Lock()
	a := o.answers[key]
	if a != nil && time.Since(a.at) < keyWindow {
		defer o.mu.Unlock()
		switch {
		case a.sum != sum:
			return nil, false, otherRequest()
		case !a.done:
			return nil, false, admin.NewProblem(http.StatusConflict, "the request with this Idempotency-Key is under way: ask again in a moment")
		}
		return a.value, true, nil
	}
	o.put(key, &answer{sum: sum, at: time.Now()})
	o.mu.Unlock()
	if o.claims == nil {
		return nil, false, nil
	}
	id := event.NewID()
	owner, err := o.claims.Claim(ctx, key, keyWindow, id)
	if err == nil && owner == id {
		return nil, false, nil
	}
	o.end(key, nil, false)
	if err != nil {
		return nil, false, fmt.Errorf("remember Idempotency-Key: %w", err)
	}
	return nil, false, admin.NewProblem(http.StatusConflict,
		"a request with this Idempotency-Key was made before, and its answer is not kept: GET "+Prefix+"/actions shows what it did; take a new key for a new request")
}

// end keeps the answer of a request, or forgets one that failed.
func (o *once) end(key string, value any, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if a := o.answers[key]; a != nil && ok {
		a.done, a.value = true, value
		return
	}
	delete(o.answers, key)
	o.order = slices.DeleteFunc(o.order, func(k string) bool { return k == key })
}

func (o *once) put(key string, a *answer) {
	o.order = append(slices.DeleteFunc(o.order, func(k string) bool { return k == key }), key)
	o.answers[key] = a
	for len(o.order) > maxAnswers {
		delete(o.answers, o.order[0])
		o.order = o.order[1:]
	}
}

func otherRequest() error {
	return admin.NewProblem(http.StatusUnprocessableEntity, "this Idempotency-Key was used for another request: take a new one for each")
}

// digest tells requests apart by their JSON, which each of them is made of.
func digest(parts ...any) string {
	sum := sha256.New()
	_ = json.NewEncoder(sum).Encode(parts)
	return hex.EncodeToString(sum.Sum(nil))
}
