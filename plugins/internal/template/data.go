package template

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// Data is what templates see of the events of a delivery. It is not changed by them.
type Data struct {
	root object
	// events leads from an event that a template has at hand to what it was made of.
	events map[uintptr]original
}

// original is an event, and how much text is in it.
type original struct {
	event sdk.Event
	bytes int
}

// fields are the names that a template begins with.
type fields struct {
	Event   sdk.Event   `json:"event"`
	Events  []sdk.Event `json:"events"`
	Count   int         `json:"count"`
	Message words       `json:"message"`
}

// words are the built-in message.
type words struct {
	Headline string       `json:"headline"`
	Emoji    string       `json:"emoji"`
	Color    string       `json:"color"`
	Title    string       `json:"title"`
	URL      string       `json:"url"`
	Summary  string       `json:"summary"`
	Text     string       `json:"text"`
	List     []string     `json:"list"`
	Fields   []namedValue `json:"fields"`
	Links    []namedURL   `json:"links"`
	Image    string       `json:"image"`
	Footer   string       `json:"footer"`
}

type (
	namedValue struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	namedURL struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
)

// NewData prepares the events of a delivery, oldest first.
func NewData(events ...sdk.Event) *Data {
	d := &Data{events: map[uintptr]original{}}
	all := make(list, 0, len(events))
	lead, at := object{}, message.Lead(events)
	r := reader{members: map[reflect.Type][]memberOf{}}
	for i, e := range events {
		r.bytes = 0
		o := r.object(reflect.ValueOf(e))
		d.events[reflect.ValueOf(o).Pointer()] = original{e, r.bytes}
		all = append(all, o)
		if i == at {
			lead = o
		}
	}
	d.root = object{
		"event":   lead,
		"events":  all,
		"count":   len(events),
		"message": r.object(reflect.ValueOf(wordsOf(message.New(events...)))),
	}
	return d
}

func wordsOf(m message.Message) words {
	w := words{
		Headline: m.Headline, Emoji: m.Emoji, Color: hexColor(m.Color), Title: m.Title, URL: m.URL,
		Summary: m.Summary, Text: m.Text, List: m.List, Image: m.Image, Footer: m.Footer,
	}
	for _, f := range m.Fields {
		w.Fields = append(w.Fields, namedValue{f.Name, f.Value})
	}
	for _, l := range m.Links {
		w.Links = append(w.Links, namedURL{l.Name, l.URL})
	}
	return w
}

func hexColor(rgb int) string { return fmt.Sprintf("#%06X", rgb) }

// The values that templates work with, beside strings, numbers and booleans.
type (
	// object has the members that are not empty.
	object map[string]any
	list   []any
	// absent is a number that is not known: 0 to compare with, and nothing to print.
	absent        int
	absentDecimal float64
	// raw is text that is not escaped.
	raw string
)

func (o object) String() string {
	if len(o) == 0 {
		return ""
	}
	return jsonText(o)
}

func (absent) String() string        { return "" }
func (absentDecimal) String() string { return "" }

func (l list) String() string {
	texts := make([]string, 0, len(l))
	for _, v := range l {
		texts = append(texts, text(v))
	}
	return strings.Join(texts, ", ")
}

// reader makes of parts of events what templates see, and counts their text.
type reader struct {
	bytes int
	// members are those of the types that were met: a season has thousands of each.
	members map[reflect.Type][]memberOf
}

// memberOf is a field of a type, by its published name.
type memberOf struct {
	index    int
	name     string
	optional bool
}

// value returns nil for what is absent.
func (r *reader) value(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return r.value(v.Elem())
	case reflect.String:
		r.bytes += v.Len()
		// More of it could not be printed.
		return printable(sdk.Cut(v.String(), maxOutput, sdk.Bytes))
	case reflect.Slice:
		all := make(list, 0, v.Len())
		for i := range v.Len() {
			all = append(all, r.value(v.Index(i)))
		}
		return all
	case reflect.Map:
		o := make(object, v.Len())
		for it := v.MapRange(); it.Next(); {
			o[it.Key().String()] = r.value(it.Value())
		}
		return o
	case reflect.Struct:
		if t, ok := reflect.TypeAssert[time.Time](v); ok {
			return timeText(t)
		}
		return r.object(v)
	default:
		return v.Interface()
	}
}

// printable is s without control characters, which services refuse, and without those that
// turn the direction of the text that follows. Line feeds and tabs are kept.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || message.TurnsText(r)) {
			return -1
		}
		return r
	}, s)
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func (r *reader) object(v reflect.Value) object {
	o := object{}
	for _, m := range r.of(v.Type()) {
		member := v.Field(m.index)
		if m.optional && member.IsZero() {
			continue
		}
		if value := r.value(member); value != nil {
			o[m.name] = value
		}
	}
	return o
}

// of returns the members of a type.
func (r *reader) of(t reflect.Type) []memberOf {
	all, ok := r.members[t]
	if !ok {
		for f := range t.Fields() {
			_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			all = append(all, memberOf{f.Index[0], nameOf(f), options == "omitempty"})
		}
		r.members[t] = all
	}
	return all
}

// text returns what a value prints as.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case raw:
		return string(v)
	default:
		return fmt.Sprint(v)
	}
}

func jsonText(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}
