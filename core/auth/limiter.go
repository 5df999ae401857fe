package auth

import (
	"cmp"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// failureBurst, and one more after failureEvery, are far more than a sender with an
	// old secret needs and far less than guessing does.
	failureBurst = 20
	failureEvery = time.Second
	// maxClients bounds the memory of a Limiter: 2 x maxClients entries of about 200
	// bytes.
	maxClients = 4096
)

// Limiter counts failed authentications by client address. The zero value is ready
// and may be used concurrently.
type Limiter struct {
	// Burst failures are forgiven at once, and one more after each Every: 20 and a second
	// when zero.
	Burst int
	Every time.Duration

	mu sync.Mutex
	// recent and older hold the clients by when they last failed: a full recent
	// becomes older, and what was older is forgotten.
	recent, older map[netip.Prefix]*rate.Limiter
}

// Fail records a failure and reports whether the client has failed too often.
func (l *Limiter) Fail(client netip.Addr, now time.Time) bool {
	key := Network(client)
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.find(key)
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Every(cmp.Or(l.Every, failureEvery)), cmp.Or(l.Burst, failureBurst))
	}
	if l.recent[key] == nil {
		if l.recent == nil || len(l.recent) >= maxClients {
			l.older, l.recent = l.recent, make(map[netip.Prefix]*rate.Limiter)
		}
		l.recent[key] = limiter
	}
	return !limiter.AllowN(now, 1)
}

// Throttled reports whether one more failure of the client would be one too many.
func (l *Limiter) Throttled(client netip.Addr, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.find(Network(client))
	return limiter != nil && limiter.TokensAt(now) < 1
}

// find returns nil for clients that have not failed of late.
func (l *Limiter) find(key netip.Prefix) *rate.Limiter {
	if limiter, ok := l.recent[key]; ok {
		return limiter
	}
	return l.older[key]
}

// Network is what one client is known by: an IPv4 address, or the /48 that an IPv6
// site may be given (RFC 6177), in which it may choose addresses freely. Neighbours
// that share it lose nothing: who can authenticate is never throttled.
func Network(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() {
		bits = 48
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
