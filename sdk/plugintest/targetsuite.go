package plugintest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// wait bounds what a test waits for, never what it measures.
const wait = 30 * time.Second

// TargetSuite says how to hold a target that speaks HTTP to what hosts rely on.
type TargetSuite struct {
	// Config returns a valid configuration that delivers to endpointURL. It should
	// have every secret that the target can be given.
	Config func(endpointURL string) any
	// PublicURL says that the URL is no credential, and that it may show: what is secret is
	// elsewhere in the configuration. Else the URL has a token in its path, which nothing
	// must show.
	PublicURL bool
	// Accepts judges a request the way the real endpoint would. Nil accepts any.
	Accepts func(r *http.Request) error
	// Answer writes what the endpoint answers to a request that it accepts. Nil is
	// an empty 200.
	Answer func(w http.ResponseWriter)
	// IdempotencyKey returns the key by which the endpoint knows a repetition. Nil is
	// for endpoints that know none.
	IdempotencyKey func(r *http.Request) string
	// Class returns the class of an answer with a status and an empty body, where
	// the endpoint differs from sdk.Classify. Nil, or an empty class, is no difference.
	Class func(status int) sdk.Class
	// Asks says that the target asks its endpoint before it acts, as that of a media server
	// does: it needs whole answers, sends nothing for events that it has no use for, and may
	// refuse for good what the endpoint has no place for.
	Asks bool
}

func (s TargetSuite) class(status int) sdk.Class {
	if s.Class != nil {
		if c := s.Class(status); c != "" {
			return c
		}
	}
	class, _ := sdk.ClassOf(sdk.Classify(&http.Response{StatusCode: status, Header: http.Header{}}))
	return class
}

// TestTarget holds a target plugin to what hosts rely on: what it says of itself
// and its configuration, the class of every status, pauses, deadlines, secrets,
// concurrency, idempotency, extreme events and reconfiguration. What it declares, it must
// have: a test reaches the endpoint, and a preview does not.
func TestTarget[C any](t *testing.T, info sdk.Info, ctor sdk.NewTarget[C], suite TargetSuite) {
	t.Helper()
	run := func(name string, check func(t *testing.T, target *Target, e *endpoint)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEndpoint(t, suite)
			check(t, StartTarget(t, info, ctor, suite.Config(e.url())), e)
		})
	}
	run("describe", checkTargetDescription)
	run("configuration", checkTargetProblems)
	run("every event type", checkEvents)
	run("every status", checkStatuses)
	run("endless answers", checkEndless)
	run("pauses", checkPauses)
	run("deadline", checkDeadline)
	run("no connection", checkNoConnection)
	run("secrets", checkSecrets)
	run("concurrency", checkConcurrency)
	run("idempotency", checkIdempotency)
	run("extremes", checkExtremes)
	run("reconfigure", checkReconfigure)
	run("options", checkTargetOptions)
	run("test", checkTest)
	run("preview", checkPreview)
}

func checkTargetDescription(t *testing.T, target *Target, _ *endpoint) {
	t.Helper()
	checkDescription(t, target.Plugin, host.KindTarget)
}

func checkTargetProblems(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	checkProblems(t, target.Plugin, Config(t, e.suite.Config(e.url())))
}

func checkTargetOptions(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	checkOptions(t, target.Plugin, Config(t, e.suite.Config(e.url())))
}

func deliver(t *testing.T, target *Target, d host.Delivery) host.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	o, err := target.Deliver(ctx, d)
	require.NoError(t, err)
	return o
}

// deliveryID returns an id of the form that hosts use.
func deliveryID(n int) string { return fmt.Sprintf("01980000-0000-7000-8000-%012d", n) }

func checkEvents(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	for i, event := range Events() {
		before := e.count()
		o := deliver(t, target, Delivery(t, deliveryID(i), event))
		require.Equal(t, sdk.ClassOK, o.Class, "%s: %s %v", event.Type, o.Message, e.refusals())
		require.True(t, e.suite.Asks || e.count() > before, "%s: nothing was sent", event.Type)
	}
	require.Positive(t, e.count(), "nothing was sent")
}

func checkStatuses(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	d := Delivery(t, deliveryID(0), EventOf(sdk.TypeMediaImported))
	// A status below 200 is no answer in HTTP.
	for status := 200; status <= 599; status++ {
		e.answers(func(w http.ResponseWriter, r *http.Request) {
			if status == http.StatusOK {
				e.accept(w, r)
				return
			}
			w.WriteHeader(status)
		})
		o := deliver(t, target, d)
		require.Equal(t, e.suite.class(status), o.Class, "status %d: %s", status, o.Message)
		if !e.suite.Asks || o.Class != sdk.ClassOK {
			require.Equal(t, status, o.Receipt.Status)
		}
		require.Equal(t, o.Class == sdk.ClassOK, o.Message == "", "status %d: only a failure has a message", status)
	}
}

// checkEndless wants the status alone to decide: to send once more what was accepted
// is to deliver it twice.
func checkEndless(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	d := Delivery(t, deliveryID(0), EventOf(sdk.TypeMediaImported))
	statuses := []int{http.StatusInternalServerError, http.StatusUnauthorized}
	if !e.suite.Asks {
		statuses = append(statuses, http.StatusOK)
	}
	for _, status := range statuses {
		e.answers(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(status)
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(50 * time.Millisecond)
			}
		})
		o := deliver(t, target, d)
		require.Equal(t, e.suite.class(status), o.Class, "status %d and a body that never ends: %s", status, o.Message)
		require.Equal(t, status, o.Receipt.Status)
	}
}

func checkPauses(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	d := Delivery(t, deliveryID(0), EventOf(sdk.TypeMediaImported))
	answer := func(status int, retryAfter string) host.Outcome {
		e.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(status)
		})
		return deliver(t, target, d)
	}
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		o := answer(status, "1234")
		require.Equal(t, sdk.ClassThrottled, o.Class, "status %d with Retry-After", status)
		require.Equal(t, 1234*time.Second, o.RetryAfter, "status %d", status)
		for _, huge := range []string{"1e300", "1e999", "inf", "Fri, 31 Dec 9999 23:59:59 GMT"} {
			o = answer(status, huge)
			require.Equal(t, sdk.ClassThrottled, o.Class, "status %d with Retry-After %s", status, huge)
			require.Greater(t, o.RetryAfter, 24*time.Hour, "Retry-After %s is cut, not dropped", huge)
		}

		at := time.Now().Add(2 * time.Hour)
		o = answer(status, at.UTC().Format(http.TimeFormat))
		require.Equal(t, sdk.ClassThrottled, o.Class, "status %d with a date in Retry-After", status)
		require.WithinDuration(t, at, time.Now().Add(o.RetryAfter), 5*time.Minute, "status %d with a date", status)

		for _, nonsense := range []string{"soon", "NaN", "-5", "-inf"} {
			require.Zero(t, answer(status, nonsense).RetryAfter, "a Retry-After that is nonsense is none: %s", nonsense)
		}
	}
}

func checkDeadline(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	arrived, abandoned := make(chan struct{}), make(chan struct{})
	e.answers(func(_ http.ResponseWriter, r *http.Request) {
		// Only after the body is read does the server see the client go.
		buf := make([]byte, 4096)
		for {
			if _, err := r.Body.Read(buf); err != nil {
				break
			}
		}
		close(arrived)
		<-r.Context().Done()
		close(abandoned)
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	returned := make(chan error, 1)
	d := Delivery(t, deliveryID(0), EventOf(sdk.TypeMediaImported))
	go func() {
		_, err := target.Deliver(ctx, d)
		returned <- err
	}()
	receive(t, arrived, "the endpoint got no request")
	cancel()
	receive(t, abandoned, "the target goes on with a request whose context has ended")
	require.Error(t, <-returned)
}

func receive(t *testing.T, c <-chan struct{}, message string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(wait):
		require.FailNow(t, message)
	}
}

func checkNoConnection(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	configure(t, target, e.suite.Config(e.deadURL(t)))
	o := deliver(t, target, Delivery(t, deliveryID(0), EventOf(sdk.TypeMediaImported)))
	require.Equal(t, sdk.ClassRetryable, o.Class, o.Message)
	require.Zero(t, o.Receipt.Status)
	require.NotEmpty(t, o.Message)
	require.NotContains(t, o.Message, token)
}

func configure(t *testing.T, target *Target, config any) {
	t.Helper()
	problems, err := target.Configure(t.Context(), Config(t, config))
	require.NoError(t, err)
	require.Empty(t, problems)
}

func checkSecrets(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	desc, err := target.Describe(t.Context())
	require.NoError(t, err)
	secrets := secretsOf(t, desc.ConfigSchema, Config(t, e.suite.Config(e.url())))
	clean := func(where, text string) {
		for _, s := range secrets {
			require.NotContains(t, text, s, "%s shows a secret", where)
		}
		require.NotContains(t, text, token, "%s shows the URL: make it an sdk.Secret, or set PublicURL if it is none", where)
	}
	d := Delivery(t, deliveryID(0), EventOf(sdk.TypeMediaImported))
	for _, status := range []int{200, 204, 301, 400, 401, 404, 413, 429, 500, 503} {
		e.answers(echo(status))
		o := deliver(t, target, d)
		clean("the message", o.Message)
		clean("the excerpt", o.Receipt.Excerpt)
		if o.Sent != nil {
			clean("the request", fmt.Sprint(*o.Sent))
		}
	}
	e.answers(func(w http.ResponseWriter, _ *http.Request) {
		// An answer that is none: the connection breaks.
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = c.Close()
		}
	})
	clean("the message", deliver(t, target, d).Message)
	configure(t, target, e.suite.Config(e.deadURL(t)))
	clean("the message", deliver(t, target, d).Message)
	clean("the log", target.Logs())
}

func checkConcurrency(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	const deliveries = 50
	var wg sync.WaitGroup
	outcomes := make([]host.Outcome, deliveries)
	errs := make([]error, deliveries)
	for i := range deliveries {
		d := Delivery(t, deliveryID(i), EventOf(sdk.Types()[i%len(sdk.Types())]))
		wg.Go(func() { outcomes[i], errs[i] = target.Deliver(t.Context(), d) })
	}
	wg.Wait()
	for i := range deliveries {
		require.NoError(t, errs[i])
		require.Equal(t, sdk.ClassOK, outcomes[i].Class, "%s %v", outcomes[i].Message, e.refusals())
	}
}

func checkIdempotency(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	if e.suite.IdempotencyKey == nil {
		t.Skip("the endpoint knows no idempotency key")
	}
	var mu sync.Mutex
	var keys []string
	e.answers(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		keys = append(keys, e.suite.IdempotencyKey(r))
		mu.Unlock()
		e.accept(w, r)
	})
	d := Delivery(t, deliveryID(1), EventOf(sdk.TypeMediaImported))
	deliver(t, target, d)
	d.Attempt = 2
	deliver(t, target, d)
	deliver(t, target, Delivery(t, deliveryID(2), EventOf(sdk.TypeMediaImported)))
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, keys, 3)
	require.NotEmpty(t, keys[0])
	require.Equal(t, keys[0], keys[1], "a later attempt needs the same key")
	require.NotEqual(t, keys[0], keys[2], "another delivery needs another key")
}

func checkReconfigure(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	other := newEndpoint(t, e.suite)
	stop, stopped := make(chan struct{}), make(chan string, 1)
	d := Delivery(t, deliveryID(0), EventOf(sdk.TypeMediaImported))
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			o, err := target.Deliver(t.Context(), d)
			if err != nil || o.Class != sdk.ClassOK {
				stopped <- fmt.Sprintf("delivery %d: %s %s %v", i, o.Class, o.Message, err)
				return
			}
		}
	}()
	for range 5 {
		configure(t, target, e.suite.Config(other.url()))
		configure(t, target, e.suite.Config(e.url()))
	}
	close(stop)
	require.Empty(t, <-stopped, "a delivery failed while the instance was configured anew")

	configure(t, target, e.suite.Config(other.url()))
	before := other.count()
	deliver(t, target, Delivery(t, deliveryID(0), EventOf(sdk.TypeMediaImported)))
	require.Greater(t, other.count(), before, "the new configuration is not in use")

	// Twice: what is gone is not closed again.
	for range 2 {
		_, err := target.client.Configure(t.Context(), nil, false)
		require.NoError(t, err)
	}
	_, err := target.Deliver(t.Context(), Delivery(t, deliveryID(0), EventOf(sdk.TypeMediaImported)))
	require.Error(t, err, "an instance that is gone takes deliveries")
	target.stop()
	require.NotContains(t, target.Logs(), "plugin panicked")
	require.NotContains(t, target.Logs(), "close instance", "Close returned an error")
}
