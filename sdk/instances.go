package sdk

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk/internal/config"
	"github.com/hookarr/hookarr/sdk/internal/handshake"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
	"github.com/hookarr/hookarr/sdk/internal/process"
)

// stuckAfter is how long a call may go on after its context has ended, and stuckCall
// what is logged then.
const (
	stuckAfter = 10 * time.Second
	stuckCall  = handshake.StuckCall
)

// reader reads one instance's configuration, in which a draft is a key that may be wrong or
// missing; empty is none. It returns the function that builds the instance from it, and the
// configuration, or what is wrong with it; and what it warns of in either case.
type reader[T any] func(data []byte, draft string) (build func(context.Context, Env) (T, error), config any, problems, warned []config.Problem)

// instances holds a plugin's configured instances by name.
type instances[T any] struct {
	id   identity
	read reader[T]
	has  func(instance T, f Feature) bool
	// secrets learns those of every configuration before anything is done with it.
	secrets *knownSecrets
	log     process.Log

	// configuring is held while the set is changed; stopped says that it is not
	// changed any more.
	configuring sync.Mutex
	stopped     bool
	closing     sync.WaitGroup

	mu   sync.RWMutex
	live map[string]*instance[T]
}

// instance is one configured instance. It is closed when it is out of the set and
// its last call has ended.
type instance[T any] struct {
	name     string
	hash     [sha256.Size]byte
	value    T
	http     *HTTP
	log      *slog.Logger
	redactor redactor
	warnings []config.Problem
	calls    sync.WaitGroup
}

// configure replaces the set, or only judges it. The response has what is wrong; the
// instances are those that fit.
func (s *instances[T]) configure(ctx context.Context, req *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, []*instance[T], error) {
	wanted := req.GetInstances()
	s.configuring.Lock()
	defer s.configuring.Unlock()
	if s.stopped {
		return nil, nil, status.Error(codes.Unavailable, "the plugin is stopping")
	}
	s.mu.RLock()
	former := s.live
	s.mu.RUnlock()

	next := make(map[string]*instance[T], len(wanted))
	resp := &pluginv1.ConfigureResponse{}
	var fit []*instance[T]
	named := map[string]bool{}
	for _, w := range wanted {
		old, known := former[w.GetName()]
		if named[w.GetName()] {
			resp.Problems = append(resp.Problems, &pluginv1.Problem{Instance: w.GetName(), Message: "is configured twice"})
			continue
		}
		named[w.GetName()] = true
		var in *instance[T]
		var found, warned []config.Problem
		if known && old.hash == sha256.Sum256(w.GetConfig()) {
			in, warned = old, old.warnings
		} else {
			in, found, warned = s.build(ctx, w.GetName(), w.GetConfig(), "", toHostInfo(req.GetHost()))
		}
		for _, p := range found {
			resp.Problems = append(resp.Problems, toProblem(w.GetName(), p))
		}
		for _, p := range warned {
			resp.Warnings = append(resp.Warnings, toProblem(w.GetName(), p))
		}
		if len(found) == 0 {
			fit = append(fit, in)
			next[w.GetName()] = in
		} else if known {
			next[w.GetName()] = old
		}
	}
	if err := ctx.Err(); err != nil || req.GetValidateOnly() {
		s.closeExcept(next, former)
		if err != nil {
			return nil, nil, status.FromContextError(err).Err()
		}
		return resp, fit, nil
	}
	s.mu.Lock()
	s.live = next
	s.mu.Unlock()
	s.closeExcept(former, next)
	return resp, fit, nil
}

// build makes an instance and checks that it has what the plugin declares. It returns
// what is wrong, in which case there is no instance, and what there is to warn of. The draft
// is a key that may be wrong or missing; empty is none.
func (s *instances[T]) build(ctx context.Context, name string, data []byte, draft string, by HostInfo) (in *instance[T], problems, warned []config.Problem) {
	newInstance, settings, problems, warned := s.read(data, draft)
	s.secrets.add(settings)
	if len(problems) > 0 {
		r := newRedactor(settings)
		for i := range problems {
			problems[i].Message = r.line(problems[i].Message)
		}
		return nil, problems, warned
	}
	in = &instance[T]{name: name, hash: sha256.Sum256(data), redactor: newRedactor(settings)}
	in.http = &HTTP{userAgent: s.id.userAgent()}
	in.log = s.logger(in.redactor).With("plugin", s.id.Name, "instance", name)
	defer func() {
		if r := recover(); r != nil {
			in.log.ErrorContext(ctx, "plugin panicked", "method", "constructor", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			in, problems = nil, []config.Problem{{Message: "the plugin panicked while it read this: " + in.redactor.line(fmt.Sprint(r))}}
		}
	}()
	said := &warnings{}
	value, err := newInstance(ctx, Env{Instance: name, Log: in.log, HTTP: in.http, Host: by, warnings: said})
	in.warnings = slices.Concat(warned, said.close(in.redactor))
	if err != nil {
		problems = config.Problems(err)
		for i := range problems {
			problems[i].Message = in.redactor.line(problems[i].Message)
		}
		return nil, problems, in.warnings
	}
	in.value = value
	for _, f := range s.id.Features {
		if !s.has(value, f) {
			problems = append(problems, config.Problem{Message: fmt.Sprintf("the plugin declares the feature %s and does not have it, which is a bug in it", f)})
		}
	}
	if len(problems) > 0 {
		s.close(in)
		return nil, problems, in.warnings
	}
	return in, nil, in.warnings
}

func (s *instances[T]) logger(r redactor) *slog.Logger {
	return process.Log{Output: redactingWriter{Writer: s.log.Output, redactor: r}, Level: s.log.Level}.Logger()
}

// call runs f with the named instance, which is not closed before f returns.
func (s *instances[T]) call(ctx context.Context, name, method string, f func(in *instance[T]) error) error {
	s.mu.RLock()
	in, ok := s.live[name]
	if ok {
		in.calls.Add(1)
	}
	s.mu.RUnlock()
	if !ok {
		return status.Errorf(codes.FailedPrecondition, "no instance %q is configured", name)
	}
	defer in.calls.Done()
	return in.run(ctx, method, f)
}

// run runs f. A panic becomes an error of the kind that hosts take for a bug.
func (in *instance[T]) run(ctx context.Context, method string, f func(in *instance[T]) error) (err error) {
	defer in.watch(ctx, method)()
	defer func() {
		if r := recover(); r != nil {
			in.log.ErrorContext(ctx, "plugin panicked", "method", method, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = status.Errorf(codes.Internal, "the plugin panicked in %s: %s", method, in.redactor.line(fmt.Sprint(r)))
		}
	}()
	return f(in)
}

// watch names a call in the log that goes on long after its context has ended, when its
// host does not wait for it any more. The call's end calls what is returned.
func (in *instance[T]) watch(ctx context.Context, method string) (ended func()) {
	var over atomic.Bool
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(stuckAfter, func() {
			if !over.Load() {
				in.log.Error(stuckCall, "method", method, "after", stuckAfter)
			}
		})
	})
	return func() {
		stop()
		over.Store(true)
	}
}

// names returns the names of the instances in the set, in order.
func (s *instances[T]) names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := make([]string, 0, len(s.live))
	for name := range s.live {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// closeExcept closes the instances of one set that are not in another.
func (s *instances[T]) closeExcept(set, kept map[string]*instance[T]) {
	for name, in := range set {
		if kept[name] != in {
			s.close(in)
		}
	}
}

// close closes an instance once its calls have ended, in the background.
func (s *instances[T]) close(in *instance[T]) {
	s.closing.Go(in.close)
}

// close closes an instance once its calls have ended.
func (in *instance[T]) close() {
	defer func() {
		if r := recover(); r != nil {
			in.log.Error("plugin panicked", "method", "Close", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		}
	}()
	in.calls.Wait()
	defer in.http.close()
	if c, ok := any(in.value).(io.Closer); ok {
		if err := c.Close(); err != nil {
			in.log.Warn("close instance", "error", err)
		}
	}
}

// closeAll empties the set and waits for everything to be closed, or for ctx.
func (s *instances[T]) closeAll(ctx context.Context) {
	s.configuring.Lock()
	s.stopped = true
	s.mu.Lock()
	former := s.live
	s.live = nil
	s.mu.Unlock()
	s.closeExcept(former, nil)
	s.configuring.Unlock()
	closed := make(chan struct{})
	go func() {
		s.closing.Wait()
		close(closed)
	}()
	select {
	case <-closed:
	case <-ctx.Done():
	}
}
