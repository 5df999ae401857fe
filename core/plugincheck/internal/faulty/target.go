package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// deliver posts the titles of events.
func (p *plugin) deliver(ctx context.Context, request object) (object, error) {
	s, err := p.instances.get(request)
	if err != nil {
		return nil, err
	}
	events, _ := request["events"].([]any)
	var titles []string
	for _, e := range events {
		var event struct{ Type, Title string }
		if err := json.Unmarshal(bytesOf(e), &event); err != nil {
			return nil, status.Error(codes.InvalidArgument, "an event is no JSON")
		}
		titles = append(titles, event.Title)
		switch {
		case p.is("knows-all-types") && event.Type != "media.imported":
			return object{"class": "CLASS_PERMANENT", "message": "unknown type"}, nil
		case p.is("refuses-long") && len(event.Title) > 1<<19:
			return object{"class": "CLASS_PERMANENT", "message": "too long"}, nil
		case p.is("dies-of-long") && len(event.Title) > 1<<19:
			os.Exit(2)
		case p.is("breaks-of-emoji") && strings.Contains(event.Title, "👩"):
			return nil, status.Error(codes.Internal, "surrogates")
		}
	}
	switch {
	case p.is("takes-one-event") && len(events) > 1:
		return object{"class": "CLASS_PERMANENT", "message": "one event only"}, nil
	case p.is("raw-breaks") && request["originals"] != nil:
		return nil, status.Error(codes.Internal, "what is that")
	case p.is("edit-breaks") && request["previous"] != nil:
		return nil, status.Error(codes.Internal, "cannot read state")
	case p.is("one-at-a-time") && !p.instances.alone.TryLock():
		return nil, status.Error(codes.ResourceExhausted, "busy")
	case p.is("one-at-a-time"):
		defer p.instances.alone.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
	if preview, _ := request["preview"].(bool); preview && !p.is("preview-sends") {
		return object{"class": "CLASS_OK", "requests": []any{object{"method": "POST", "url": "[redacted]", "body": encode(titles)}}}, nil
	}
	p.chat(s)
	return p.post(ctx, s, titles)
}

// chat logs and prints.
func (p *plugin) chat(s settings) {
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	switch p.fault {
	case "prints-later":
		_, _ = fmt.Fprintln(os.Stdout, "delivering")
	case "logs-secret":
		log.Debug("delivering", "token", s.token)
	case "logs-base64":
		log.Debug("delivering", "authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("user:"+s.token)))
	}
}

// post sends a request, and says what came of it.
func (p *plugin) post(ctx context.Context, s settings, titles []string) (object, error) {
	body, _ := json.Marshal(titles) // texts
	if p.is("forgets-deadline") {
		ctx = context.WithoutCancel(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return object{"class": "CLASS_MISCONFIGURED", "message": "the URL is none"}, nil
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		switch {
		case p.is("breaks-of-no-answer"):
			return nil, status.Error(codes.Internal, "no answer")
		case p.is("gives-up-on-no-answer"):
			return object{"class": "CLASS_PERMANENT", "message": "no answer"}, nil
		}
		return object{"class": "CLASS_RETRYABLE", "message": "no answer"}, nil
	}
	defer func() { _ = resp.Body.Close() }()
	const most = 4 << 10
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, most))
	excerpt := strings.ReplaceAll(string(answer), s.token, "[redacted]")
	if p.is("repeats-answer") {
		excerpt = string(answer)
	}
	return p.outcome(resp, excerpt), nil
}

func (p *plugin) outcome(resp *http.Response, excerpt string) object {
	o := object{"status": resp.StatusCode, "excerpt": excerpt}
	class := "CLASS_RETRYABLE"
	switch code := resp.StatusCode; {
	case p.is("always-ok"), code < 300:
		o["class"], o["receipt"], o["verify_after"] = "CLASS_OK", object{"message_id": "m1"}, "5s"
		return o
	case p.is("knows-no-classes"):
	case code == http.StatusTooManyRequests:
		class = "CLASS_THROTTLED"
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && !p.is("hears-no-pause") {
			o["retry_after"] = fmt.Sprintf("%ds", seconds)
		}
	case code == http.StatusUnauthorized, code == http.StatusNotFound:
		class = "CLASS_MISCONFIGURED"
	case code == http.StatusBadRequest, p.is("drops-of-500"):
		class = "CLASS_PERMANENT"
	}
	o["class"], o["message"] = class, resp.Status
	return o
}

func (p *plugin) test(ctx context.Context, request object) (object, error) {
	s, err := p.instances.get(request)
	switch {
	case err != nil:
		return nil, err
	case p.is("test-unserved"):
		return nil, status.Error(codes.Unimplemented, "no test")
	case p.is("test-sends-nothing"):
		return object{"outcome": object{"class": "CLASS_OK"}}, nil
	}
	o, err := p.post(ctx, s, []string{"Test"})
	return object{"outcome": o}, err
}

func (p *plugin) verify(_ context.Context, request object) (object, error) {
	delivery, _ := request["delivery"].(object)
	if _, err := p.instances.get(delivery); err != nil {
		return nil, err
	}
	if p.is("never-proven") {
		return object{"outcome": object{"class": "CLASS_OK", "verify_after": "5s"}}, nil
	}
	return object{"outcome": object{"class": "CLASS_OK"}}, nil
}

func (p *plugin) listFolders(_ context.Context, request object) (object, error) {
	if _, err := p.instances.get(request); err != nil {
		return nil, err
	}
	if p.is("folders-break") {
		return nil, status.Error(codes.Internal, "no disk")
	}
	return object{"roots": []any{object{"path": "/movies"}}}, nil
}
