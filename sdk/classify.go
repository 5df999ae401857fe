package sdk

import (
	"errors"
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
// 429, and 503 with a Retry-After, are throttled; 408, 425 and 5xx are retryable; 3xx,
// 401, 403, 404, 405, 407, 410, 415 and 426 speak of the endpoint and are misconfigured;
// every other 4xx speaks of the delivery and is permanent. Retry-After is honoured wherever another attempt is. The message has the status
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
		status == http.StatusNotFound, status == http.StatusMethodNotAllowed,
		status == http.StatusProxyAuthRequired, status == http.StatusGone,
		status == http.StatusUnsupportedMediaType, status == http.StatusUpgradeRequired:
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
	// What is out of a float64's range comes as infinity.
	if seconds, err := strconv.ParseFloat(header, 64); err == nil || errors.Is(err, strconv.ErrRange) {
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
