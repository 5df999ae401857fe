package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/access"
	"github.com/hookarr/hookarr/core/config"
)

const (
	// headerTimeout and maxHeaderBytes bound what a client that is not known yet may
	// cost. A head of many short fields costs 15 times its length.
	headerTimeout  = 5 * time.Second
	maxHeaderBytes = 16 << 10
	idleTimeout    = 2 * time.Minute
	// requestTimeout bounds the whole of a request: the server waits for the rest of its body
	// before it answers, whether anybody wants it or not. Whoever reads bodies or works for
	// longer sets his own. It is more than a provider may take for a sign-in, and less than
	// answerTimeout, so that there is an answer.
	requestTimeout = 12 * time.Second
	// answerTimeout bounds the sending of an answer, so that a client that reads nothing
	// cannot hold it. The intake, which may work for longer, sets its own.
	answerTimeout = 15 * time.Second
	// maxStreams is how many requests an HTTP/2 connection may have under way.
	maxStreams = 32
	// partingTime is how long requests under way may take at the end. It is more than a
	// sender waits for the database.
	partingTime = 6 * time.Second
)

var (
	errStarting = errors.New("starting")
	errDraining = errors.New("draining")
)

// servers are the listeners of a process: one for webhooks, and one for operators, health
// and metrics where they do not share that.
type servers struct {
	hooks, admin *http.Server
	// local is the operators' socket; nil where there is none.
	local       *http.Server
	config      *config.Config
	log         *slog.Logger
	listeners   listeners
	certificate certificate
	// state is why no webhook is taken now, or nil.
	state  atomic.Pointer[error]
	failed chan error
	// closing ends what operators wait for, such as the next line of the log.
	closing chan struct{}
}

func newServers(a *App, l listeners) (*servers, error) {
	s := &servers{config: a.config, log: a.log, listeners: l, failed: make(chan error, 3), closing: make(chan struct{})}
	s.state.Store(&errStarting)
	if err := s.certificate.load(a.config.TLS); err != nil {
		return nil, at(a.config, "tls.cert_file", err)
	}
	health := admin.Handler(admin.Options{
		Unready: func(ctx context.Context) string {
			if why := s.state.Load(); why != nil {
				return (*why).Error()
			}
			return a.database.check(ctx)
		},
		Degraded: a.sickPlugins,
		Warnings: a.space.warnings,
		Metrics:  a.metrics(),
		Registry: a.registry,
	})
	a.servers = s
	var err error
	if a.operators, err = newOperators(a, health); err != nil {
		return nil, err
	}
	other := atRoot("Webhooks are taken here. For the pages run hookarr open.", http.NotFoundHandler())
	switch {
	case a.config.Admin.Listen == "":
		other = atRoot("Webhooks are taken here. There are no pages, as admin.listen is not set.", health)
	case a.config.SharesListener():
		other = a.operators
	default:
		s.admin = s.server(withoutRedirects(a.operators))
	}
	if l.local != nil {
		s.local = s.server(withoutRedirects(a.operators.socket()))
		s.local.ConnContext = access.ConnContext
	}
	s.hooks = s.server(hooksFirst(s.whenOpen(a.intake), other))
	s.hooks.TLSConfig = s.certificate.config()
	return s, nil
}

// atRoot tells who opens the address of webhooks in a browser what it is for.
func atRoot(text string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, text+"\n") // a client that has gone cannot be told
	})
}

// hooksFirst sends to hooks whatever may be meant for it: what a proxy lets through as a
// webhook never reaches the other. A ServeMux would answer
// //hooks/x, /x/../hooks/x and /hooks with a redirect, which the Arr apps take for success:
// the event would be gone.
func hooksFirst(hooks, other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/hooks") || !isClean(r.URL.Path) {
			hooks.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
}

func (s *servers) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		IdleTimeout:       idleTimeout,
		WriteTimeout:      answerTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams, WriteByteTimeout: answerTimeout},
		ConnState:         watch,
		ConnContext:       withConn,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// whenOpen answers 503 until everything behind the intake runs.
func (s *servers) whenOpen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := s.state.Load(); why != nil {
			w.Header().Set("Retry-After", "5")
			http.Error(w, (*why).Error(), http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// listeners are the addresses that a process has taken. admin is nil where webhooks share
// theirs with health or with operators, and local without the operators' socket.
type listeners struct{ hooks, admin, local net.Listener }

func listen(ctx context.Context, c *config.Config) (l listeners, err error) {
	var lc net.ListenConfig
	if l.hooks, err = lc.Listen(ctx, "tcp", c.Listen); err != nil {
		return listeners{}, at(c, "listen", taken(err))
	}
	if c.Admin.Listen == "" || c.SharesListener() {
		return l, nil
	}
	if l.admin, err = lc.Listen(ctx, "tcp", c.Admin.Listen); err != nil {
		return listeners{}, errors.Join(at(c, "admin.listen", taken(err)), l.hooks.Close())
	}
	return l, nil
}

// taken adds what mends an address that another program has.
func taken(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: another program listens there, maybe another hookarr serve: stop it, or set another port", err)
	}
	return err
}

func (l listeners) close() error {
	err := l.hooks.Close()
	for _, other := range []net.Listener{l.admin, l.local} {
		if other != nil {
			err = errors.Join(err, other.Close())
		}
	}
	return err
}

// listenLocally takes the operators' socket. Where nobody has asked for it, a process
// works without.
func listenLocally(ctx context.Context, c *config.Config, log *slog.Logger) (net.Listener, error) {
	l, err := access.ListenSocket(ctx, c.AdminSocket())
	switch {
	case err == nil:
		return l, nil
	case c.Admin.Socket != "":
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	log.WarnContext(ctx, "no socket for commands: they reach this server by admin.listen alone", slog.Any("error", err))
	return nil, nil //nolint:nilnil // there is none
}

func (s *servers) serve() {
	hooks := newBoundedListener(s.listeners.hooks, maxConnections)
	serve := func() error { return s.hooks.Serve(hooks) }
	if s.config.TLS.Enabled() {
		serve = func() error { return s.hooks.ServeTLS(hooks, "", "") }
	}
	go s.run(serve)
	if s.local != nil {
		go s.run(func() error { return s.local.Serve(s.listeners.local) })
	}
	if s.admin != nil {
		go s.run(func() error { return s.admin.Serve(newBoundedListener(s.listeners.admin, maxConnections)) })
	}
}

// afterStart answers operators once everything runs, and until it is closed.
func (s *servers) afterStart(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.state.Load() == &errStarting {
			w.Header().Set("Retry-After", "1")
			admin.NewProblem(http.StatusServiceUnavailable, "the server is starting: try again in a moment").Write(w)
			return
		}
		// Who was let in may wait for long, such as for a reload. The end of the time to read
		// would be taken for his leaving.
		connection := http.NewResponseController(w)
		_ = connection.SetReadDeadline(time.Time{})
		_ = connection.SetWriteDeadline(time.Time{})
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go func() {
			select {
			case <-s.closing:
				cancel()
			case <-ctx.Done():
			}
		}()
		next.ServeHTTP(paced{w, answerTimeout}, r.WithContext(ctx))
	})
}

func (s *servers) run(serve func() error) {
	if err := serve(); !errors.Is(err, http.ErrServerClosed) {
		s.failed <- fmt.Errorf("serve: %w", err)
	}
}

func (s *servers) open() { s.state.Store(nil) }

// pages is the address of admin.listen.
func (s *servers) pages() string {
	if s.listeners.admin == nil {
		return s.config.Admin.Listen
	}
	return s.listeners.admin.Addr().String()
}

func (s *servers) addr() net.Addr { return s.listeners.hooks.Addr() }

// shutdown lets requests under way finish for partingTime, or until ctx ends, and then
// closes what is left: a stranger may stall a request for longer than anything else takes.
// The admin listener tells of the draining as long as it can.
func (s *servers) shutdown(ctx context.Context) error {
	s.state.Store(&errDraining)
	close(s.closing)
	var errs []error
	for _, server := range []*http.Server{s.hooks, s.admin, s.local} {
		if server != nil {
			errs = append(errs, s.part(ctx, server))
		}
	}
	return errors.Join(errs...)
}

func (s *servers) part(ctx context.Context, server *http.Server) error {
	parting, cancel := context.WithTimeout(ctx, partingTime)
	defer cancel()
	err := server.Shutdown(parting)
	if parting.Err() != nil {
		s.log.WarnContext(ctx, "requests interrupted that took too long")
		err = server.Close()
	}
	if err != nil {
		return fmt.Errorf("close listener: %w", err)
	}
	return nil
}

// warnUnsafe tells the operator of credentials that anybody on the way can read.
func (a *App) warnUnsafe(ctx context.Context) {
	current, encrypted := a.current.Load().config, a.config.TLS.Enabled()
	if !encrypted && !isLoopback(a.config.Listen) {
		for name, source := range current.Sources {
			if slices.ContainsFunc(source.Auth, func(auth config.Auth) bool { return auth.HMAC == nil }) {
				a.log.WarnContext(ctx, "credentials cross the network in clear: set tls, listen on loopback, or use hmac",
					slog.String("source", name), slog.String("listen", a.config.Listen))
			}
		}
	}
	switch at := a.config.Admin.Listen; {
	case at == "", isLoopback(at), encrypted && a.config.SharesListener():
	case strings.HasPrefix(current.Admin.ExternalOrigin(), "https://"): // a proxy encrypts
	default:
		a.log.WarnContext(ctx, "tokens and sessions of operators cross the network in clear: set admin.external_url to the https:// address "+
			"of a proxy in front, or tls with one address for listen and admin.listen", slog.String("listen", at))
	}
}

func isLoopback(listen string) bool {
	at, err := netip.ParseAddrPort(listen)
	return err == nil && at.Addr().IsLoopback() || strings.HasPrefix(listen, "localhost:")
}
