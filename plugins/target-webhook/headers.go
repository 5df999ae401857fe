package webhook

import (
	"errors"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/hookarr/hookarr/sdk"
)

// The headers of the Standard Webhooks specification, in Go's spelling.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
)

// headerNames are those by which an endpoint knows what Standard Webhooks calls
// otherwise, or has no word for. An empty one is not sent.
type headerNames struct {
	Signature string `json:"signature" doc:"Header of a signature by the first secret, exactly as it is written: X-Revenge-Signature."`
	Event     string `json:"event" doc:"Header of the event's type, group for a group: X-Revenge-Event."`
	Delivery  string `json:"delivery" doc:"Header of the delivery's id, the same for every attempt: X-Revenge-Delivery, Idempotency-Key."`
	Timestamp string `json:"timestamp" doc:"Header of the time of the attempt, in seconds since 1970: X-Revenge-Timestamp."`
}

// configured returns the headers that have a name, by the key that gives it.
func (n headerNames) configured() map[string]string {
	all := map[string]string{"signature": n.Signature, "event": n.Event, "delivery": n.Delivery, "timestamp": n.Timestamp}
	maps.DeleteFunc(all, func(_, name string) bool { return name == "" })
	return all
}

// checkHeaders judges the names, and that no header is given twice.
func (c config) checkHeaders() error {
	var problems []error
	given := map[string]string{} // the key that gives a header, by the header
	for _, key := range slices.Sorted(maps.Keys(c.HeaderNames.configured())) {
		name := c.HeaderNames.configured()[key]
		key = "header_names." + key
		fault := headerFault(name, "")
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case fault != "":
		case canonical == "Content-Type" || canonical == "User-Agent" || canonical == "Authorization":
			fault = "says something else; choose another name"
		case given[canonical] != "":
			fault = "is the same as " + given[canonical] + "; choose another name"
		default:
			given[canonical] = key
		}
		if fault != "" {
			problems = append(problems, sdk.Problem(key, fault))
		}
	}
	if c.Traceparent {
		given["Traceparent"] = "traceparent"
	}
	authorization := c.authorization()
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		fault := headerFault(name, c.Headers[name].Reveal())
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if key := given[canonical]; fault == "" && key != "" {
			fault = "is set by " + key + "; remove one of them"
		}
		if canonical == "Authorization" {
			authorization = append(authorization, "headers."+name)
		}
		if fault != "" {
			problems = append(problems, sdk.Problem("headers."+name, fault))
		}
	}
	if len(authorization) > 1 {
		problems = append(problems, sdk.Problem(authorization[0], "sets the header Authorization, as "+strings.Join(authorization[1:], " and ")+" does; keep one of them"))
	}
	if c.Bearer != "" && !httpguts.ValidHeaderFieldValue(c.Bearer.Reveal()) {
		problems = append(problems, sdk.Problem("bearer", "has line breaks or control characters"))
	}
	if c.Basic != nil && strings.Contains(c.Basic.Username, ":") {
		problems = append(problems, sdk.Problem("basic.username", "has a colon, which ends the name in basic authentication"))
	}
	return errors.Join(problems...)
}

// authorization lists the keys that set the header of this name.
func (c config) authorization() []string {
	var keys []string
	if c.Bearer != "" {
		keys = append(keys, "bearer")
	}
	if c.Basic != nil {
		keys = append(keys, "basic")
	}
	return keys
}

// headerFault says what is wrong with a configured header, or nothing.
func headerFault(name, value string) string {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case headerID, headerTimestamp, "Webhook-Signature", "X-Hub-Signature-256":
		return "is set for every delivery; remove it"
	case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Trailer":
		return "belongs to the connection; remove it"
	}
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return "is not a header name"
	case !httpguts.ValidHeaderFieldValue(value):
		return "has a value with line breaks or control characters"
	default:
		return ""
	}
}

// header returns the headers that are the same for every delivery.
func (c config) header() http.Header {
	h := http.Header{}
	for name, value := range c.Headers {
		h.Set(name, value.Reveal())
	}
	if c.Bearer != "" {
		h.Set("Authorization", "Bearer "+c.Bearer.Reveal())
	}
	if c.Basic != nil {
		h.Set("Authorization", "Basic "+c.Basic.encoded.Reveal())
	}
	return h
}

// headerValue is s without what a header cannot have: the type of an event is whatever
// its source says.
func headerValue(s string) string {
	return strings.Map(func(r rune) rune {
		if !httpguts.ValidHeaderFieldValue(string(r)) {
			return -1
		}
		return r
	}, s)
}
