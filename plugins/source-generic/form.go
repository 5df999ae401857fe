package generic

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// payloadField is where senders of forms put their JSON: Plex, GitHub, Slack.
	payloadField = "payload"
	// maxFields is how many fields of a form are looked at, maxNamed how many of them
	// are named when it has no payload.
	maxFields = 1000
	maxNamed  = 5
)

// payload is the JSON of a request: its body, or a field of its form. What begins like
// JSON is no form, whatever its header says: curl says so of everything.
func payload(r sdk.Request) ([]byte, error) {
	start := bytes.TrimSpace(bytes.TrimPrefix(r.Body, []byte("\uFEFF")))
	if len(start) == 0 || start[0] == '{' || start[0] == '[' {
		return r.Body, nil
	}
	// Many senders say nothing, or nothing that makes sense.
	kind, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/x-www-form-urlencoded":
		return urlencoded(string(r.Body))
	case "multipart/form-data":
		return multiparted(r.Body, parameters["boundary"])
	default:
		return r.Body, nil
	}
}

func urlencoded(body string) ([]byte, error) {
	var names []string
	for field := range strings.SplitSeq(body, "&") {
		name, value, _ := strings.Cut(field, "=")
		if name == payloadField {
			text, err := url.QueryUnescape(value)
			if err != nil {
				return nil, fmt.Errorf("the field %s of the form is not encoded as a form's: %w", payloadField, err)
			}
			return []byte(text), nil
		}
		if names = append(names, name); len(names) == maxFields {
			break
		}
	}
	return nil, withoutPayload(names)
}

func multiparted(body []byte, boundary string) ([]byte, error) {
	if boundary == "" {
		return nil, errors.New("the body is a multipart form, and its Content-Type names no boundary")
	}
	var names []string
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxFields {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) && errors.Unwrap(err) == nil {
			break // Wrapped, it is the end of the body and not of the form.
		}
		if err != nil {
			return nil, fmt.Errorf("the body is a multipart form that breaks off or is damaged: %w", err)
		}
		if part.FormName() != payloadField {
			names = append(names, part.FormName())
			continue
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, fmt.Errorf("the field %s of the form breaks off: %w", payloadField, err)
		}
		return text, nil
	}
	return nil, withoutPayload(names)
}

// withoutPayload names the fields that a form has in the place of the one with JSON.
func withoutPayload(names []string) error {
	var named []string
	for _, name := range names {
		if name = arr.OneLine(name); name != "" && len(named) < maxNamed && !slices.Contains(named, name) {
			named = append(named, name)
		}
	}
	if len(named) == 0 {
		return fmt.Errorf("the body is a form without a field %s, where JSON is looked for", payloadField)
	}
	return fmt.Errorf("the body is a form without a field %s, where JSON is looked for; it has %s", payloadField, strings.Join(named, ", "))
}
