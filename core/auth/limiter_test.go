package auth_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/auth"
)

func TestLimiter(t *testing.T) {
	t.Parallel()
	fails := func(l *auth.Limiter, addr string, at time.Time) int {
		for n := range 1000 {
			if l.Fail(netip.MustParseAddr(addr), at) {
				return n
			}
		}
		return -1
	}
	var l auth.Limiter
	require.Equal(t, 20, fails(&l, "192.0.2.1", now))
	require.Equal(t, 20, fails(&l, "192.0.2.2", now), "addresses do not share")
	require.Equal(t, 20, fails(&l, "2001:db8::1", now))
	require.Equal(t, 0, fails(&l, "2001:db8:0:ffff::1", now), "one site owns its /48")
	require.Equal(t, 20, fails(&l, "2001:db8:1::1", now))
	require.Equal(t, 10, fails(&l, "192.0.2.1", now.Add(10*time.Second)))
	require.True(t, func() bool {
		for range 21 {
			if l.Fail(netip.Addr{}, now) {
				return true
			}
		}
		return false
	}(), "clients without an address share one count")

	one, stranger := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.3")
	require.True(t, l.Throttled(one, now.Add(10*time.Second)))
	require.False(t, l.Throttled(one, now.Add(11*time.Second)))
	for range 100 {
		require.False(t, l.Throttled(stranger, now), "to ask is no failure")
	}

	addr := netip.MustParseAddr("10.0.0.1")
	for range 4000 {
		l.Fail(addr, now)
		addr = addr.Next()
	}
	require.Equal(t, 0, fails(&l, "192.0.2.2", now), "remembered while few others fail")
	for range 20000 {
		l.Fail(addr, now)
		addr = addr.Next()
	}
	require.Equal(t, 20, fails(&l, "192.0.2.2", now), "forgotten when memory is full")
}

func TestLimiterOfAnotherRate(t *testing.T) {
	t.Parallel()
	l := auth.Limiter{Burst: 2, Every: time.Minute}
	client, now := netip.MustParseAddr("192.0.2.1"), time.Now()
	require.False(t, l.Fail(client, now))
	require.False(t, l.Fail(client, now))
	require.True(t, l.Fail(client, now.Add(59*time.Second)))
	require.False(t, l.Fail(client, now.Add(time.Minute)))
}
