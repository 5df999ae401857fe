package plugincheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// maxDecoded bounds what one request may become, in bytes, beside the request itself.
const maxDecoded = 4 << 20

// source are the rows of decoding.
func (c *check) source() []step {
	return []step{
		c.configured("decode", c.decodePayloads),
		c.configured("bad-input", c.decodeBadly),
		c.configured("reconfigure", c.reconfigure),
	}
}

// decode decodes a request with a body. The id tells a repetition.
func (c *check) decode(ctx context.Context, body []byte, id string) (host.Decoded, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if id == "" {
		id = "01980000-0000-7000-8000-000000000001"
	}
	return c.client.Decode(ctx, instance, sdk.Request{
		ID: id, Method: http.MethodPost, Query: url.Values{}, Body: body, ReceivedAt: at,
		Header: http.Header{"Content-Type": {"application/json"}},
	})
}

// payloads are bodies that a source may know: those given, and those that applications often
// send, by the native types that the plugin lists.
func (c *check) payloads() [][]byte {
	all := c.opts.Payloads
	natives := []string{"Test", "test"}
	for _, t := range c.desc.EventTypes {
		natives = append(natives, t.Native...)
	}
	for _, native := range natives {
		for _, key := range []string{"eventType", "event", "type", "event_type"} {
			body, _ := json.Marshal(map[string]any{key: native, "title": "Check", "message": "Check", "instanceName": "Check"}) // strings always marshal
			all = append(all, body)
		}
	}
	return all
}

func (c *check) decodePayloads(ctx context.Context) (string, error) {
	events, skipped, invalid := 0, 0, 0
	var kinds []string
	for i, body := range c.payloads() {
		d, err := c.decodeTwice(ctx, body)
		if err != nil {
			return "", fmt.Errorf("the body %.80q: %w", body, err)
		}
		switch {
		case d.Event != nil:
			events++
			if len(kinds) < 3 && !strings.Contains(strings.Join(kinds, " "), string(d.Event.Type)) {
				kinds = append(kinds, string(d.Event.Type))
			}
		case d.Skip != "":
			skipped++
		default:
			invalid++
		}
		if i < len(c.opts.Payloads) && d.Event == nil {
			return "", fmt.Errorf("the body given, %.80q, becomes no event: %s%s", body, d.Skip, d.Invalid)
		}
	}
	if events == 0 {
		return "", skipf("none of %d bodies became an event: give one that does with --payload FILE", skipped+invalid)
	}
	return "the same event twice for the same request: " + strings.Join(kinds, ", "), nil
}

// decodeTwice decodes a body, and once more with another id.
func (c *check) decodeTwice(ctx context.Context, body []byte) (host.Decoded, error) {
	first, err := c.decode(ctx, body, "")
	if err != nil {
		return first, err
	}
	again, err := c.decode(ctx, body, "01980000-0000-7000-8000-000000000002")
	if err != nil {
		return first, fmt.Errorf("the second time: %w", err)
	}
	if (first.Event == nil) != (again.Event == nil) || first.Skip != again.Skip || first.Invalid != again.Invalid {
		return first, errors.New("the second time it decodes to something else: decoding is pure")
	}
	if first.Event == nil {
		return first, nil
	}
	one, other := withoutID(first.JSON), withoutID(again.JSON)
	switch {
	case first.Event.Type == "" || first.Event.Title == "":
		return first, errors.New("the event has no type or no title")
	case !bytes.Equal(one, other):
		return first, errors.New("the second time it decodes to another event: decoding is pure, with no time and no chance in it")
	case len(first.JSON) > len(body)+maxDecoded:
		return first, fmt.Errorf("the event has %d bytes", len(first.JSON))
	}
	return first, nil
}

// withoutID is an event without what it has of its request.
func withoutID(event []byte) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(event, &fields) != nil {
		return event
	}
	delete(fields, "id")
	out, _ := json.Marshal(fields) // it was JSON
	return out
}

func (c *check) decodeBadly(ctx context.Context) (string, error) {
	noJSON := [][]byte{[]byte("\xff\xfe\x00"), []byte("{"), []byte("<xml/>")}
	bodies := slices.Concat(noJSON, [][]byte{
		nil, []byte(" "), []byte("null"), []byte("true"), []byte("0"), []byte(`""`), []byte("[]"), []byte("{}"), []byte("[{}]"),
		[]byte(`{"eventType":null}`), []byte(`{"eventType":[]}`), []byte(`{"eventType":{"a":1},"title":7,"movie":[],"series":"x","message":{}}`),
		[]byte(`{"eventType":"SomeLaterType","event":"some.later.type","type":"later"}`),
		[]byte(strings.Repeat("[", 100_000)), []byte(strings.Repeat(`{"a":`, 100_000)),
		[]byte(`{"eventType":"Test","title":"` + strings.Repeat("a", 1<<20) + `"}`), bytes.Repeat([]byte("a"), 1<<20),
		[]byte("{\"eventType\":\"Test\",\"title\":\"👩‍👩‍👧‍👦 فيلم \\u0000 \\u202e\"}"),
	})
	for i, body := range bodies {
		d, err := c.decode(ctx, body, "")
		if err != nil && status.Code(err) == codes.Unavailable && !c.ended() {
			continue // it cannot at present
		}
		if err != nil {
			return "", fmt.Errorf("the body %.40q: %w: what will never decode is invalid", body, err)
		}
		if i < len(noJSON) && d.Event != nil {
			return "", fmt.Errorf("the body %.40q, which is no JSON, becomes an event of type %s: answer invalid", body, d.Event.Type)
		}
	}
	return fmt.Sprintf("none of %d broke it: no JSON, wrong types, 1 MiB, deep nesting", len(bodies)), nil
}
