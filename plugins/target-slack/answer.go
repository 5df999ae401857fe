package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// answer is what Slack says of a message: the whole body of an incoming webhook's answer
// is its word, ok or an error; its Web API and what imitates it answer with JSON.
type answer struct {
	// accepted and refused are what a member ok says; neither without one.
	accepted, refused bool
	// word is empty for what is none of Slack's, such as a proxy's page.
	word string
	// channel and ts name the message that was posted or edited.
	channel, ts string
	// needed is the scope that the token lacks.
	needed string
	// aboutImage says that Slack could not fetch a picture.
	aboutImage bool
}

func read(body []byte) answer {
	var a struct {
		OK                         any
		Error, Channel, TS, Needed string
	}
	// A member of another type leaves the others as they are.
	_ = json.Unmarshal(body, &a)
	if a.OK == nil && a.Error == "" {
		return answer{word: wordOf(string(body))}
	}
	return answer{
		accepted: a.OK == true, refused: a.OK == false, word: wordOf(a.Error),
		channel: a.Channel, ts: a.TS, needed: scopeOf(a.Needed),
		aboutImage: bytes.Contains(body, []byte("image")),
	}
}

// wordOf returns s when it looks like one of Slack's words.
func wordOf(s string) string {
	const longest = 64
	return of(strings.TrimSpace(s), longest, "abcdefghijklmnopqrstuvwxyz0123456789_")
}

// scopeOf returns s when it looks like one of Slack's scopes, or a list of some.
func scopeOf(s string) string {
	const longest = 100
	return of(s, longest, "abcdefghijklmnopqrstuvwxyz:.,_")
}

// of returns s when it begins with a letter and has at least two characters, all of them
// these.
func of(s string, longest int, these string) string {
	if len(s) < 2 || len(s) > longest || s[0] < 'a' || s[0] > 'z' || strings.Trim(s, these) != "" {
		return ""
	}
	return s
}

// judge returns the class that an answer's word stands for, if it is known, and what a
// person can do about a misconfigured one.
type judge func(a answer) (class sdk.Class, fix string)

// explain classifies a refusal by Slack's own word, which says more than the status. A
// word that is not known leaves the status to decide, unless that is 200.
func explain(resp *sdk.Response, err error, classOf judge) error {
	a, taken := read(resp.Body), err == nil
	if taken && !a.refused {
		return nil
	}
	if taken {
		err = fmt.Errorf("the endpoint answered %d and refused", resp.Status)
	}
	said := err
	if a.word != "" {
		said = fmt.Errorf("%w: %s", err, a.word)
	}
	if class, after := sdk.ClassOf(err); class == sdk.ClassThrottled {
		return sdk.Throttled(after, said)
	}
	switch class, fix := classOf(a); {
	case class == sdk.ClassThrottled:
		return sdk.Throttled(pause(resp.Header), said)
	case class == sdk.ClassRetryable:
		return sdk.RetryAfter(pause(resp.Header), said)
	case class == sdk.ClassMisconfigured:
		return sdk.Misconfigured(fmt.Errorf("%w: %s", said, fix))
	case class == sdk.ClassPermanent, taken && !passing(a.word):
		return sdk.Permanent(said)
	default:
		return said
	}
}

// passing reports whether a word that is not known speaks of trouble inside Slack. A
// refusal without a word accuses nobody.
func passing(word string) bool {
	return word == "" || word == "service_unavailable" || strings.HasSuffix(word, "_error")
}

// pause is the pause that the answer asks for, whatever its status.
func pause(h http.Header) time.Duration {
	_, after := sdk.ClassOf(sdk.Classify(&http.Response{StatusCode: http.StatusTooManyRequests, Header: h}))
	return after
}
