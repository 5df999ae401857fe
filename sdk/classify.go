package sdk

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds a pause that an endpoint asks for, so that a nonsensical one
// cannot overflow. Hosts cap it again by the delivery's age.
const maxRetryAfter = 365 * 24 * time.Hour

// Classify returns the error that an endpoint's answer stands for, or nil for 2xx.
// 429, and 503 with a Retry-After, are throttled; 408, 425 and 5xx are retryable;
// 3xx, 401, 403, 404 and 410 are misconfigured; every other 4xx is permanent.
// Retry-After is honoured wherever another attempt is. The message has the status
// and neither the URL nor the body.
func Classify(resp *http.Response) error {
	status := resp.StatusCode
	if status >= 200 && status <= 299 {
		return nil
	}
	err := fmt.Errorf("the endpoint answered %s", statusText(status))
	after, asked := retryAfter(resp.Header.Get("Retry-After"), time.Now())
	switch {
	case status >= 300 && status <= 399:
		return Misconfigured(fmt.Errorf("%w: redirects are not followed, configure the final URL", err))
	case status == http.StatusUnauthorized, status == http.StatusForbidden,
		status == http.StatusNotFound, status == http.StatusGone:
		return Misconfigured(err)
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && asked:
		return Throttled(after, err)
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		return RetryAfter(after, err)
	case status >= 400 && status <= 499:
		return Permanent(err)
	default:
		return RetryAfter(after, err)
	}
}

func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// retryAfter reads a Retry-After header, which is seconds or a date (RFC 9110,
// section 10.2.3). Fractions of a second, which the RFC does not know, are taken.
func retryAfter(header string, now time.Time) (after time.Duration, ok bool) {
	header = strings.TrimSpace(header)
	if header == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(header, 64); err == nil {
		if math.IsNaN(seconds) || seconds < 0 {
			return 0, false
		}
		if seconds > maxRetryAfter.Seconds() {
			return maxRetryAfter, true
		}
		return time.Duration(seconds * float64(time.Second)), true
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), maxRetryAfter), true
}
