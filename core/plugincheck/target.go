package plugincheck

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// hangTries are those of a call whose endpoint does not answer: a busy computer gets more
	// than one.
	hangTries = 3
	// atOnce is how many deliveries are made at the same time.
	atOnce = 20
	// pauseAsked is what the endpoint asks for with 429.
	pauseAsked = 123 * time.Second
)

// target are the rows of deliveries.
func (c *check) target() []step {
	return []step{
		c.configured("deliver", c.deliverOne),
		c.configured("outcomes", c.tryAnswers),
		c.configured("unreachable", c.tryUnreachable),
		c.configured("deadline", c.tryHanging),
		c.configured("extremes", c.tryExtremes),
		c.configured("concurrent", c.deliverAtOnce),
		c.configured("reconfigure", c.reconfigure),
	}
}

// deliver makes one attempt. An error is a call that broke.
func (c *check) deliver(ctx context.Context, d host.Delivery) (host.Outcome, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	d.Record = true
	return c.client.Deliver(ctx, instance, d)
}

// knows reports whether the check's instance takes calls, whatever comes of them.
func (c *check) knows(ctx context.Context) bool {
	var err error
	if c.report.Kind == host.KindSource {
		_, err = c.decode(ctx, []byte("{}"), "")
	} else {
		_, err = c.deliver(ctx, delivery(0, sampleEvent()))
	}
	return status.Code(err) != codes.FailedPrecondition
}

// broke leaves of an error what is the plugin's own fault.
func broke(err error) error {
	switch status.Code(err) {
	case codes.OK, codes.Unavailable, codes.Aborted:
		if err != nil && errors.Is(err, host.ErrAnswer) {
			return err
		}
		return nil
	default:
		return err
	}
}

func (c *check) deliverOne(ctx context.Context) (string, error) {
	before, _ := c.endpoint.requests()
	o, err := c.deliver(ctx, delivery(1, sampleEvent()))
	if err != nil {
		return "", err
	}
	after, last := c.endpoint.requests()
	c.baseline, c.reached, c.receipt = o.Class, after > before, o.Receipt
	switch {
	case o.Class == sdk.ClassOK && c.reached:
		return "the endpoint took " + last, nil
	case o.Class == sdk.ClassOK:
		return "it says that the event is accepted; nothing came to the check's endpoint", nil
	case c.reached:
		return "", skipf("the check's endpoint answered %s with 200, and it says %s: %s; perhaps its endpoint answers in words of its own", last, o.Class, o.Message)
	case c.endpoint.wanted() != "":
		return "", skipf("it delivers to %s, where the check lets nothing go, and says %s: %s; %s", c.endpoint.wanted(), o.Class, o.Message, howToConfigure)
	default:
		return "", skipf("nothing came to the check's endpoint, and it says %s: %s; %s", o.Class, o.Message, howToConfigure)
	}
}

// needsEndpoint is why rows are skipped that need the endpoint's answers to count.
func (c *check) needsEndpoint() error {
	if !c.reached {
		return skipf("its deliveries do not come to the check's endpoint: if it speaks HTTP, %s", howToConfigure)
	}
	return nil
}

func (c *check) tryAnswers(ctx context.Context) (string, error) {
	if err := c.needsEndpoint(); err != nil {
		return "", err
	}
	defer c.endpoint.answers(nil)
	pause := http.Header{"Retry-After": {strconv.Itoa(int(pauseAsked.Seconds()))}}
	var wrong []error
	var judged []string
	for i, a := range []struct {
		status int
		header http.Header
		// want is the class, and also what is no loss.
		want, also sdk.Class
	}{
		{status: 200, want: c.baseline},
		{status: 500, want: sdk.ClassRetryable},
		{status: 503, want: sdk.ClassRetryable, also: sdk.ClassThrottled},
		{status: 429, header: pause, want: sdk.ClassThrottled},
		{status: 401, want: sdk.ClassMisconfigured},
		{status: 404, want: sdk.ClassMisconfigured},
		{status: 400, want: sdk.ClassPermanent},
	} {
		c.endpoint.answers(echo(a.status, a.header))
		before, _ := c.endpoint.requests()
		o, err := c.deliver(ctx, delivery(10+i, sampleEvent()))
		if err != nil {
			return "", fmt.Errorf("the endpoint answers %d, and the call breaks: %w: what the endpoint does belongs into the response", a.status, err)
		}
		if after, _ := c.endpoint.requests(); after == before || a.status == http.StatusOK {
			continue // it may know the endpoint's state from before, and what the endpoint says may count
		}
		judged = append(judged, strconv.Itoa(a.status))
		warning, failure := judgeAnswer(a.status, o, a.want, a.also)
		if failure != nil {
			wrong = append(wrong, failure)
		}
		if warning != "" {
			c.warn("%s", warning)
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return "", err
	}
	if len(judged) == 0 {
		return "", skipf("no request came when the endpoint refused them")
	}
	return "the endpoint's " + strings.Join(judged, ", ") + " have the outcomes that they should", nil
}

// judgeAnswer says whether a class loses or repeats what it must not.
func judgeAnswer(code int, o host.Outcome, want, also sdk.Class) (warning string, wrong error) {
	switch {
	case o.Class == sdk.ClassOK:
		return "", fmt.Errorf("the endpoint answers %d, and it says that the event is accepted: it would be lost", code)
	case o.Class == sdk.ClassThrottled && code == http.StatusTooManyRequests && o.RetryAfter != pauseAsked:
		return "", fmt.Errorf("the endpoint answers %d with Retry-After: %d, and it asks for a pause of %s", code, int(pauseAsked.Seconds()), o.RetryAfter)
	case o.Class == want, o.Class == also:
		return "", nil
	case o.Class == sdk.ClassPermanent && want != sdk.ClassPermanent:
		return "", fmt.Errorf("the endpoint answers %d, and it says %s: the event would be lost, %s is right", code, o.Class, want)
	case code == http.StatusTooManyRequests && o.RetryAfter != pauseAsked:
		return "", fmt.Errorf("the endpoint answers %d with Retry-After: %d, and it says %s after %s: %s is right, after as long", code,
			int(pauseAsked.Seconds()), o.Class, o.RetryAfter, want)
	case o.Class == sdk.ClassMisconfigured && want == sdk.ClassRetryable:
		return "", fmt.Errorf("the endpoint answers %d, and it says %s, which holds all deliveries: %s is right", code, o.Class, want)
	default:
		return fmt.Sprintf("the endpoint answers %d, and it says %s: %s is usual", code, o.Class, want), nil
	}
}

func (c *check) tryUnreachable(ctx context.Context) (string, error) {
	if err := c.needsEndpoint(); err != nil {
		return "", err
	}
	dead := fmt.Sprintf("http://127.0.0.1:%d", c.deadPort.number)
	if _, err := c.configure(ctx, c.moved(c.endpoint.url, dead)); err != nil {
		return "", fmt.Errorf("with the address of an endpoint that is down: %w: a configuration is judged without the network", err)
	}
	o, failed := c.deliver(ctx, delivery(30, sampleEvent()))
	if _, err := c.configure(ctx, c.config); err != nil {
		return "", err
	}
	switch {
	case failed != nil:
		return "", fmt.Errorf("nobody listens at the endpoint, and the call breaks: %w: what the endpoint does belongs into the response", failed)
	case o.Class != sdk.ClassRetryable && o.Class != sdk.ClassThrottled:
		return "", fmt.Errorf("nobody listens at the endpoint, and it says %s: retryable is right", o.Class)
	default:
		return fmt.Sprintf("nobody listens, and it says %s: %s", o.Class, o.Message), nil
	}
}

func (c *check) tryHanging(ctx context.Context) (string, error) {
	if err := c.needsEndpoint(); err != nil {
		return "", err
	}
	defer c.endpoint.answers(nil)
	var failure error
	for range hangTries {
		var detail string
		if detail, failure = c.hangOnce(ctx); failure == nil {
			return detail, nil
		}
	}
	return "", failure
}

func (c *check) hangOnce(ctx context.Context) (string, error) {
	gone := make(chan time.Time, 1)
	c.endpoint.answers(hang(gone))
	before, _ := c.endpoint.requests()
	w := c.opts.Windows
	ctx, cancel := context.WithTimeout(ctx, w.Deadline)
	defer cancel()
	start := time.Now()
	o, err := c.client.Deliver(ctx, instance, delivery(31, sampleEvent()))
	took := time.Since(start)
	if after, _ := c.endpoint.requests(); after == before {
		return "", skipf("no request came within %s", w.Deadline)
	}
	if code := status.Code(err); err != nil && code != codes.DeadlineExceeded && code != codes.Canceled {
		return "", fmt.Errorf("the endpoint does not answer, and the call breaks: %w", err)
	}
	if err == nil && o.Class != sdk.ClassRetryable && o.Class != sdk.ClassThrottled {
		return "", fmt.Errorf("the endpoint does not answer, and it says %s: retryable is right", o.Class)
	}
	timer := time.NewTimer(time.Until(start.Add(w.Deadline + w.Late)))
	defer timer.Stop()
	select {
	case at := <-gone:
		took = max(took, at.Sub(start))
	case <-timer.C:
		return "", fmt.Errorf("the endpoint does not answer, and %s after the call's deadline its request still goes on: pass the deadline of the call on to it", w.Late)
	}
	return fmt.Sprintf("ends a request without an answer after %s, of a deadline of %s", took.Round(time.Millisecond), w.Deadline), nil
}

func (c *check) tryExtremes(ctx context.Context) (string, error) {
	var wrong []error
	all := extremes()
	for i, e := range all {
		o, err := c.deliver(ctx, delivery(40+i, e.event))
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("%s: the call breaks: %w", e.what, err))
			if c.ended() {
				return "", errors.Join(wrong...)
			}
		case c.baseline == sdk.ClassOK && o.Class != sdk.ClassOK:
			wrong = append(wrong, fmt.Errorf("%s: it says %s, %s: send on what fits, and refuse no event for its text", e.what, o.Class, o.Message))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return "", err
	}
	return "takes texts of 1 MiB, emoji, text from right to left, control characters, and types and fields that it does not know", nil
}

func (c *check) deliverAtOnce(ctx context.Context) (string, error) {
	var wg sync.WaitGroup
	failures := make([]error, atOnce)
	start := time.Now()
	for i := range atOnce {
		wg.Go(func() {
			o, err := c.deliver(ctx, delivery(60+i, sampleEvent()))
			if err == nil && o.Class != c.baseline {
				err = fmt.Errorf("it says %s: %s", o.Class, o.Message)
			}
			failures[i] = err
		})
	}
	wg.Wait()
	for _, err := range failures {
		if err != nil {
			return "", fmt.Errorf("one of %d deliveries at once: %w", atOnce, err)
		}
	}
	return fmt.Sprintf("%d at once in %s", atOnce, time.Since(start).Round(time.Millisecond)), nil
}

// reconfigure puts configurations in place while calls run.
func (c *check) reconfigure(ctx context.Context) (string, error) {
	other := c.config
	if c.reached {
		other = c.moved("/hooks", "/hooks-2")
	}
	const times = 5
	calling, stop := context.WithCancel(ctx)
	defer stop()
	calls := make(chan int, 1)
	failed := make(chan error, 1)
	go func() {
		n := 0
		for ; calling.Err() == nil; n++ {
			if err := c.callOnce(ctx); err != nil {
				failed <- err
				break
			}
		}
		calls <- n
	}()
	var err error
	for range times {
		// Something has changed, and then something else.
		for _, config := range [][]byte{other, c.config} {
			if _, failure := c.configure(ctx, config); failure != nil {
				err = fmt.Errorf("while calls run, it refuses the configuration: %w", failure)
			}
		}
	}
	stop()
	n := <-calls
	select {
	case failure := <-failed:
		return "", fmt.Errorf("a call fails while the instance is configured anew: %w: put the new one in place first, and close the old one when its calls have ended", failure)
	default:
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d times while %d calls ran", 2*times, n), nil
}

// callOnce makes a call as the kind of plugin has it, and wants it to end as the first one did.
func (c *check) callOnce(ctx context.Context) error {
	if c.report.Kind == host.KindSource {
		_, err := c.decode(ctx, []byte("{}"), "")
		return broke(err)
	}
	o, err := c.deliver(ctx, delivery(90, sampleEvent()))
	if err == nil && o.Class != c.baseline {
		return fmt.Errorf("it says %s: %s", o.Class, o.Message)
	}
	return err
}
