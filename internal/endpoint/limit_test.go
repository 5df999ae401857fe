package endpoint_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
)

const hello = `{"content":"a"}`

// So long a window does not end while a test runs.
const long = time.Hour

func TestDiscordHoldsToItsLimit(t *testing.T) {
	t.Parallel()
	d := endpoint.Discord{Limit: endpoint.Limit{Requests: 5, Window: long}}
	url := d.URL(serve(t, &d))
	for n := range 5 {
		got := send(t, http.MethodPost, url, hello)
		require.Equal(t, http.StatusNoContent, got.status)
		require.Equal(t, strconv.Itoa(4-n), got.header.Get("X-RateLimit-Remaining"))
		require.Equal(t, "5", got.header.Get("X-RateLimit-Limit"))
		reset, err := strconv.ParseFloat(got.header.Get("X-RateLimit-Reset-After"), 64)
		require.NoError(t, err)
		require.LessOrEqual(t, reset, long.Seconds())
		require.Positive(t, reset)
	}
	require.Zero(t, d.Traffic().Throttled)

	got := send(t, http.MethodPost, url, hello)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Equal(t, "0", got.header.Get("X-RateLimit-Remaining"))
	var told struct {
		RetryAfter float64 `json:"retry_after"`
	}
	require.NoError(t, json.Unmarshal([]byte(got.body), &told))
	require.Positive(t, told.RetryAfter)
	after, err := strconv.Atoi(got.header.Get("Retry-After"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, float64(after), told.RetryAfter)
	require.Zero(t, d.Traffic().Violations, "nobody had been asked to wait before")

	send(t, http.MethodPost, url, hello)
	traffic := d.Traffic()
	require.Len(t, traffic.Arrivals, 7)
	require.Equal(t, 2, traffic.Throttled)
	require.Equal(t, 1, traffic.Violations)
	require.Len(t, d.Messages(), 5)
}

func TestDiscordMayKeepItsLimitToItself(t *testing.T) {
	t.Parallel()
	d := endpoint.Discord{Limit: endpoint.Limit{Requests: 1, Window: long, NoHeaders: true, NoRetryAfter: true}}
	url := d.URL(serve(t, &d))
	got := send(t, http.MethodPost, url, hello)
	require.Equal(t, http.StatusNoContent, got.status)
	require.Empty(t, got.header.Get("X-RateLimit-Remaining"))

	for range 2 {
		got = send(t, http.MethodPost, url, hello)
		require.Equal(t, http.StatusTooManyRequests, got.status)
		require.Empty(t, got.header.Get("Retry-After"))
		require.Empty(t, got.header.Get("X-RateLimit-Reset-After"))
		require.NotContains(t, got.body, "retry_after")
	}
	require.Equal(t, 2, d.Traffic().Throttled)
	require.Zero(t, d.Traffic().Violations, "without a pause there is none to keep")
}

func TestAWindowEnds(t *testing.T) {
	t.Parallel()
	d := endpoint.Discord{Limit: endpoint.Limit{Requests: 1, Window: 50 * time.Millisecond}}
	url := d.URL(serve(t, &d))
	require.Equal(t, http.StatusNoContent, send(t, http.MethodPost, url, hello).status)
	time.Sleep(60 * time.Millisecond)
	require.Equal(t, http.StatusNoContent, send(t, http.MethodPost, url, hello).status)
	require.Equal(t, 2, d.Traffic().Busiest(long))
	require.Equal(t, 1, d.Traffic().Busiest(50*time.Millisecond))
}

func TestThrottleIsAPauseToo(t *testing.T) {
	t.Parallel()
	var d endpoint.Discord
	url := d.URL(serve(t, &d))
	d.Throttle(long)
	send(t, http.MethodPost, url, hello)
	send(t, http.MethodPost, url, hello)
	traffic := d.Traffic()
	require.Equal(t, 1, traffic.Throttled)
	require.Equal(t, 1, traffic.Violations)
}

func TestSlackHoldsToItsLimit(t *testing.T) {
	t.Parallel()
	s := endpoint.Slack{Limit: endpoint.Limit{Requests: 1, Window: long}}
	url := s.URL(serve(t, &s))
	require.Equal(t, http.StatusOK, send(t, http.MethodPost, url, `{"text":"a"}`).status)
	for range 2 {
		got := send(t, http.MethodPost, url, `{"text":"a"}`)
		require.Equal(t, http.StatusTooManyRequests, got.status)
		require.NotEmpty(t, got.header.Get("Retry-After"))
	}
	require.Equal(t, 2, s.Traffic().Throttled)
	require.Equal(t, 1, s.Traffic().Violations)
	require.Len(t, s.Messages(), 1)
}

func TestBusiest(t *testing.T) {
	t.Parallel()
	at := func(seconds ...float64) (all []time.Time) {
		for _, s := range seconds {
			all = append(all, time.Unix(0, int64(s*1e9)))
		}
		return all
	}
	require.Zero(t, endpoint.Traffic{}.Busiest(time.Second))
	require.Equal(t, 3, endpoint.Traffic{Arrivals: at(0, 1, 1.5, 1.9, 4)}.Busiest(time.Second))
	require.Equal(t, 5, endpoint.Traffic{Arrivals: at(0, .4, .8, 1.2, 1.6, 2, 2.4)}.Busiest(2*time.Second))
}
