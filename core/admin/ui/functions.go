package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// functions are those of the templates.
func (u *UI) functions(base string) template.FuncMap {
	return template.FuncMap{
		"url":      func(to string, query ...any) (string, error) { return link(base, to, query...) },
		"asset":    func(name string) string { return base + u.assets.path(name) },
		"time":     timeTag,
		"ago":      agoTag,
		"bytes":    func(n int64) string { return humanize.IBytes(uint64(max(n, 0))) },
		"number":   func(n int) string { return humanize.Comma(int64(n)) },
		"plural":   plural,
		"short":    short,
		"json":     indented,
		"words":    func(v any) string { return strings.ReplaceAll(text(v), "_", " ") },
		"join":     strings.Join,
		"tone":     tone,
		"map":      pairs,
		"color":    color,
		"cut":      cut,
		"took":     func(ms float64) string { return elapsed(time.Duration(ms * float64(time.Millisecond))) },
		"previews": u.previews,
		"sentence": sentence,
	}
}

// timeTag is a time in UTC, which the script shows in the viewer's own zone.
func timeTag(v any) template.HTML {
	t, ok := timeOf(v)
	if !ok {
		return ""
	}
	return template.HTML(`<time datetime="` + t.Format(time.RFC3339Nano) + `">` + t.Format(time.DateTime) + ` UTC</time>`) //nolint:gosec // made of digits
}

// agoTag is a time as its distance from now, with the time itself to be read as title.
func agoTag(v any) template.HTML {
	t, ok := timeOf(v)
	if !ok {
		return ""
	}
	return template.HTML(`<time class="ago" datetime="` + t.Format(time.RFC3339Nano) + `" title="` + t.Format(time.DateTime) + ` UTC">` + //nolint:gosec // made of digits
		humanize.Time(t) + `</time>`)
}

// timeOf is a time in UTC, unless there is none.
func timeOf(v any) (t time.Time, ok bool) {
	switch v := v.(type) {
	case time.Time:
		t = v
	case *time.Time:
		if v != nil {
			t = *v
		}
	}
	return t.UTC(), !t.IsZero()
}

// elapsed is a duration as exactly as it is of interest.
func elapsed(d time.Duration) string { return d.Round(durationUnit(d)).String() }

// durationUnit is how exactly a duration is of interest.
func durationUnit(d time.Duration) time.Duration {
	switch {
	case d >= time.Minute:
		return time.Second
	case d >= time.Second:
		return 10 * time.Millisecond
	default:
		return 10 * time.Microsecond
	}
}

// plural is a number with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + many
}

// short is the beginning of an id that people tell apart. The first digits are a time.
func short(id string) string {
	if len(id) <= 13 {
		return id
	}
	return id[:13]
}

// indented is JSON in lines, or the text itself if it is no JSON.
func indented(v any) string {
	var raw []byte
	switch v := v.(type) {
	case json.RawMessage:
		raw = v
	case []byte:
		raw = v
	case string:
		raw = []byte(v)
	default:
		raw, _ = json.Marshal(v)
	}
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}

// tone is the class of the colour that a state or an outcome has.
func tone(state any) string {
	switch text(state) {
	case "delivered", "routed", "open", "ready", "ok", "done", "true":
		return "good"
	case "pending", "verifying", "running", "starting", "info":
		return "busy"
	case "deferred", "throttled", "quiet", "paused", "backoff", "superseded", "duplicate", "expired", "retryable", "interrupted":
		return "calm"
	case "dead", "undecodable", "failed", "refused", "quarantined", "unavailable", "stopped", "breaker", "auth", "config", "error",
		"permanent", "misconfigured", "unconfigured", "plugin_bug":
		return "bad"
	default:
		return "plain"
	}
}

// color is 0xRRGGBB for an attribute of SVG.
func color(rgb *int) string { return fmt.Sprintf("#%06x", *rgb&0xffffff) }

// cut is a text of at most as many characters, which foreign ones may not be.
func cut(most int, s string) string {
	for i := range s {
		if most--; most < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string {
	s = capital(s)
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// capital begins with a capital letter.
func capital(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[n:]
}

// pairs makes a map of names and values in turn, to give a part several values.
func pairs(list ...any) map[string]any {
	m := make(map[string]any, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		m[text(list[i])] = list[i+1]
	}
	return m
}
