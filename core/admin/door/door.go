// Package door lets operators in: over a unix socket, whose users the system vouches for,
// and over the network with a token or a proxy's word.
package door

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
)

const (
	viaSocket = "socket"
	viaToken  = "token"
	viaProxy  = "proxy"
)

// Options are what a network door is made of.
type Options struct {
	// Config is all that says who may come in; it does not change.
	Config *config.Config
	// Limiter counts failed sign-ins, over all doors of a process.
	Limiter *auth.Limiter
	// Public answers what needs no credentials: health and metrics.
	Public http.Handler
	// API answers those who were let in.
	API http.Handler
	Log *slog.Logger
}

type network struct {
	Options
	tokens []token
	names  hosts
	origin *http.CrossOriginProtection
}

// token is a configured token by its hash, so that what is compared has one length.
type token struct {
	sum       [sha256.Size]byte
	principal admin.Principal
}

// Network returns the handler of admin.listen. It is cheap to make: a reload makes another.
func Network(o Options) (http.Handler, error) {
	n := &network{Options: o, names: newHosts(o.Config.Admin)}
	for _, t := range o.Config.Admin.Tokens {
		n.tokens = append(n.tokens, token{
			sum:       sha256.Sum256([]byte(t.Token.Reveal())),
			principal: admin.Principal{Name: t.Name, Via: viaToken, Role: t.Role},
		})
	}
	var err error
	if n.origin, err = newOriginCheck(o.Config.Admin); err != nil {
		return nil, err
	}
	return n, nil
}

// ServeHTTP answers for health and metrics with and without the base path: probes do not
// come through the proxy.
func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isPublic(r.URL.Path) {
		n.Public.ServeHTTP(w, r)
		return
	}
	path, below := strings.CutPrefix(r.URL.Path, n.Config.Admin.BasePath)
	if !below || !strings.HasPrefix(path, "/") {
		admin.NewProblem(http.StatusNotFound, "there is nothing here: every path begins with admin.base_path").Write(w)
		return
	}
	r = rebased(r, path, n.Config.Admin.BasePath)
	if isPublic(path) {
		n.Public.ServeHTTP(w, r)
		return
	}
	r.Host = n.host(r)
	n.strip(r)
	if !n.names.allow(r.Host) {
		admin.NewProblem(http.StatusForbidden, fmt.Sprintf(
			"%q is not a name of this server, so that the page of another may be asking: if it is one, put it into admin.hosts or admin.external_url", r.Host)).Write(w)
		return
	}
	if err := n.origin.Check(r); err != nil {
		admin.NewProblem(http.StatusForbidden, fmt.Sprintf(
			"the request comes from the page of another site: Origin is %q and Host is %q; if that is this server behind a proxy, set admin.external_url to what people open",
			r.Header.Get("Origin"), r.Host)).Write(w)
		return
	}
	p, ok := n.identify(r)
	if !ok {
		n.refuse(w, r)
		return
	}
	n.API.ServeHTTP(w, asked(r, p))
}

// asked returns the request as one of a principal.
func asked(r *http.Request, p admin.Principal) *http.Request {
	return r.WithContext(admin.WithPrincipal(r.Context(), p))
}

func isPublic(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/metrics"
}

// rebased returns a copy of the request without the base path, which may be changed.
func rebased(r *http.Request, path, base string) *http.Request {
	c := r.Clone(r.Context())
	c.URL.Path, c.URL.RawPath = path, strings.TrimPrefix(r.URL.RawPath, base)
	return c
}

// host is the name that the client used. A proxy may say which that was.
func (n *network) host(r *http.Request) string {
	if forwarded := r.Header.Get("X-Forwarded-Host"); forwarded != "" && auth.FromPeer(r, n.Config.TrustedProxies) {
		// The nearest proxy writes last.
		return strings.TrimSpace(forwarded[strings.LastIndexByte(forwarded, ',')+1:])
	}
	return r.Host
}

// identify returns who a token, or else a proxy, says that it is.
func (n *network) identify(r *http.Request) (admin.Principal, bool) {
	if given := credential(r); given != "" {
		sum, found := sha256.Sum256([]byte(given)), -1
		for i := range n.tokens {
			// Every token is compared, so that the time tells none.
			if subtle.ConstantTimeCompare(sum[:], n.tokens[i].sum[:]) == 1 {
				found = i
			}
		}
		if found >= 0 {
			return n.tokens[found].principal, true
		}
	}
	return n.forwarded(r)
}

// credential is what a client signs in with. A token in a URL would end in logs.
func credential(r *http.Request) string {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// refuse answers who was not let in. Too many failures of an address are told apart: who
// can sign in is never kept waiting.
func (n *network) refuse(w http.ResponseWriter, r *http.Request) {
	a := n.Config.Admin
	if len(a.Tokens) == 0 && a.ForwardAuth == nil {
		admin.NewProblem(http.StatusUnauthorized,
			"nobody may come in here yet: configure admin.tokens or admin.forward_auth, or use the unix socket on the server itself").Write(w)
		return
	}
	if credential(r) != "" {
		client := auth.Client(r, n.Config.TrustedProxies)
		if n.Limiter.Fail(client, time.Now()) {
			w.Header().Set("Retry-After", "1")
			admin.NewProblem(http.StatusTooManyRequests, "too many failed sign-ins from this address: wait a while and check the token").Write(w)
			return
		}
		n.Log.WarnContext(r.Context(), "sign-in refused", slog.String("client", client.String()))
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="hookarr"`)
	admin.NewProblem(http.StatusUnauthorized, "give a token of admin.tokens in the header X-Api-Key or Authorization: Bearer").Write(w)
}

// Socket returns the handler of the unix socket: its users are vouched for by the system,
// and no browser reaches it. Listeners' connections are told apart by ConnContext.
func Socket(public, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := peerOf(r.Context())
		if err != nil {
			admin.NewProblem(http.StatusForbidden, err.Error()).Write(w)
			return
		}
		if isPublic(r.URL.Path) {
			public.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, asked(r, p))
	})
}

type peerKey struct{}

// peer is the user at the other end of a connection.
type peer struct {
	uid int
	err error
}

func peerOf(ctx context.Context) (admin.Principal, error) {
	p, ok := ctx.Value(peerKey{}).(peer)
	if !ok {
		return admin.Principal{}, errNoPeer
	}
	if p.err != nil {
		return admin.Principal{}, p.err
	}
	return admin.Principal{Name: userName(p.uid), Via: viaSocket, Role: config.RoleOperate}, nil
}
