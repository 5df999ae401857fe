package template

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"reflect"
	"strings"
	"text/template"
	"time"
	_ "time/tzdata" // a container often has no zones of its own
	"unicode"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// functions are what templates may call beside and, or, not and comparisons. The value comes
// last, so that it can be piped: {{.event.title | truncate 40 | upper}}. A value may be a
// text, a number, a list, or nothing; it is taken for the text that it prints as.
func (r *run) functions() map[string]any {
	return merged(map[string]any{
		"upper":     r.of(strings.ToUpper),
		"lower":     r.of(strings.ToLower),
		"title":     r.of(capitalized),         // every Word Like This
		"trim":      r.of(strings.TrimSpace),   // without spaces around it
		"truncate":  r.truncate,                // truncate 80 TEXT: at most 80 characters, … included
		"replace":   r.replace,                 // replace OLD NEW TEXT
		"contains":  r.test(strings.Contains),  // contains PART TEXT
		"hasPrefix": r.test(strings.HasPrefix), // hasPrefix BEGINNING TEXT
		"hasSuffix": r.test(strings.HasSuffix), // hasSuffix END TEXT
		"default":   fallback,                  // default OTHER VALUE: OTHER where VALUE is empty
		"change":    r.change,                  // change FROM TO: "FROM → TO", or the one that there is
		"json":      r.json,                    // as JSON, quotes included
		"urlescape": r.rawOf(url.QueryEscape),  // for a part of a URL
		"markdown":  r.rawOf(escapeMarkdown),   // with \ before what Markdown gives a meaning
		"html":      r.rawOf(html.EscapeString),
		"raw":       r.rawOf(func(s string) string { return s }), // not escaped for the service
		"print":     r.print,
		"println":   r.println,
		"printf":    r.printf,
	}, r.listFunctions(), r.eventFunctions())
}

// eventFunctions are those that know of media, times and sizes.
func (r *run) eventFunctions() map[string]any {
	return map[string]any{
		"size":     size,      // size BYTES: "14 GiB"
		"duration": duration,  // duration SECONDS: "1h 5m"
		"elapsed":  r.elapsed, // elapsed TIME LATER: seconds
		"date":     r.date,    // date LAYOUT TIME, or date LAYOUT ZONE TIME, with a layout of Go's
		"add":      add,
		"sub":      subtract,   // sub 5 2: 3
		"episodes": r.episodes, // episodes VALUE: "S02E01–E12", of episodes, an event or events
		// Those of the built-in message of an event, or of several as one.
		"headline": func(v any) (string, error) {
			m, err := r.message(v)
			return m.Headline, err
		},
		"emoji": func(v any) (string, error) {
			m, err := r.message(v)
			return m.Emoji, err
		},
		"color": func(v any) (string, error) {
			m, err := r.message(v)
			return hexColor(m.Color), err
		},
	}
}

func capitalized(s string) string {
	last := ' '
	return strings.Map(func(c rune) rune {
		before := last
		last = c
		if unicode.IsLetter(before) || unicode.IsDigit(before) || before == '\'' || before == '’' {
			return c
		}
		return unicode.ToTitle(c)
	}, s)
}

func (r *run) truncate(limit, v any) (string, error) {
	n, err := whole(limit)
	if err != nil {
		return "", err
	}
	s, err := r.text(v)
	if err != nil {
		return "", err
	}
	return message.Fit(s, int(min(max(n, 0), maxOutput)), message.Plain), nil
}

func (r *run) replace(from, to, v any) (string, error) {
	all, err := r.texts([]any{from, to, v})
	if err != nil {
		return "", err
	}
	if all[0] == "" {
		return all[2], nil
	}
	if n := strings.Count(all[2], all[0]); n*len(all[1]) > maxOutput {
		return "", errText
	}
	return r.bound(strings.ReplaceAll(all[2], all[0], all[1]))
}

func (r *run) test(f func(s, part string) bool) func(part, v any) (bool, error) {
	return func(part, v any) (bool, error) {
		all, err := r.texts([]any{part, v})
		if err != nil {
			return false, err
		}
		return f(all[1], all[0]), nil
	}
}

func fallback(other, v any) any {
	if truth, ok := template.IsTrue(v); ok && truth {
		return v
	}
	return other
}

func (r *run) change(from, to any) (string, error) {
	all, err := r.texts([]any{from, to})
	switch {
	case err != nil:
		return "", err
	case all[0] == "" || all[0] == all[1]:
		return all[1], nil
	case all[1] == "":
		return all[0], nil
	default:
		return r.bound(all[0] + " → " + all[1])
	}
}

func (r *run) json(v any) (raw, error) {
	if s, ok := v.(raw); ok {
		v = string(s)
	}
	if room(v, maxOutput) < 0 {
		return "", errText
	}
	s, err := r.bound(jsonText(v))
	return raw(s), err
}

func escapeMarkdown(s string) string { return message.Escaped(s, message.MarkdownEscape) }

// date writes a time, which is text as in the published form of events.
func (r *run) date(layout any, rest ...any) (string, error) {
	if len(rest) == 0 || len(rest) > 2 {
		return "", errors.New("date needs a layout, perhaps a zone, and a time")
	}
	all, err := r.texts(append([]any{layout}, rest...))
	if err != nil {
		return "", err
	}
	value := all[len(all)-1]
	if value == "" {
		return "", nil
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		if at, err = time.Parse(time.DateOnly, value); err != nil {
			return "", fmt.Errorf("%q is no time such as 2006-01-02T15:04:05Z, and no date such as 2006-01-02", shown(value))
		}
	}
	if len(all) == 3 {
		const stepsToRead = 100 // a file
		if _, err := r.step(stepsToRead); err != nil {
			return "", err
		}
		zone, err := time.LoadLocation(all[1])
		if err != nil {
			return "", noZone(all[1])
		}
		at = at.In(zone)
	}
	return r.bound(at.Format(all[0]))
}

func noZone(name string) error {
	return fmt.Errorf("there is no time zone %q; write one such as Europe/Berlin", shown(name))
}

var errNoEvent = errors.New("this needs an event, such as .event, or events")

// message returns the words of an event, or of events.
func (r *run) message(v any) (message.Message, error) {
	all, ok := v.(list)
	if !ok {
		all = list{v}
	}
	events := make([]sdk.Event, 0, len(all))
	const stepsEach, bytesPerStep = 100, 1024
	for _, v := range all {
		o, _ := v.(object)
		of, ok := r.data.events[reflect.ValueOf(o).Pointer()]
		if !ok {
			return message.Message{}, errNoEvent
		}
		if _, err := r.step(stepsEach + of.bytes/bytesPerStep); err != nil {
			return message.Message{}, err
		}
		events = append(events, of.event)
	}
	if len(events) == 0 {
		return message.Message{}, errNoEvent
	}
	return message.New(events...), nil
}
