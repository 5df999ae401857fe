package ui

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// maxText bounds a value of a filter in characters, and maxFields how many fields of the
	// normalised form one may ask for.
	maxText   = 500
	maxFields = 10
)

// field is an input of a form of filters.
type field struct {
	Name, Label, Value string
	// Hint is an example.
	Hint string
	// Problem is why the value is not taken.
	Problem string
	// Meant is a question about a value that is none of the choices.
	Meant string
	// Choices are values that are offered; with Closed there are no others.
	Choices []string
	Closed  bool
	// Time is what the value of a time means.
	Time time.Time
}

// filters are a form that selects rows of a list.
type filters struct {
	// Path is that of the list.
	Path   string
	Fields []field
	// Problem is what is wrong with no field alone.
	Problem string
}

// Given reports whether anything is asked for.
func (f filters) Given() bool {
	return slices.ContainsFunc(f.Fields, func(one field) bool { return one.Value != "" })
}

// Wrong reports whether the form is to be shown again.
func (f filters) Wrong() bool {
	return f.Problem != "" || slices.ContainsFunc(f.Fields, func(one field) bool { return one.Problem != "" })
}

// blame says below a field why its value is not taken.
func (f filters) blame(name, problem string) {
	for i := range f.Fields {
		if f.Fields[i].Name == name {
			f.Fields[i].Problem = problem
			return
		}
	}
}

// filterReader reads the values of a form.
type filterReader struct {
	filters
	query url.Values
	now   time.Time
}

func newFilterReader(path string, query url.Values) *filterReader {
	return &filterReader{filters: filters{Path: path}, query: query, now: time.Now()}
}

func (r *filterReader) add(f field, problem string) string {
	f.Problem = problem
	r.Fields = append(r.Fields, f)
	if problem != "" {
		return ""
	}
	return f.Value
}

// text reads a value, for which some are offered.
func (r *filterReader) text(name, label, hint string, choices ...string) string {
	f := field{Name: name, Label: label, Value: strings.TrimSpace(r.query.Get(name)), Hint: hint, Choices: choices}
	if f.Value != "" && !slices.Contains(choices, f.Value) {
		f.Meant = capital(strings.TrimPrefix(config.Suggest(f.Value, choices), "; "))
	}
	return r.add(f, noText(f.Value))
}

// noText says why a value is nothing to look for; empty for what is.
func noText(value string) string {
	switch {
	case utf8.RuneCountInString(value) > maxText:
		return fmt.Sprintf("This is longer than %d characters.", maxText)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return "This has characters that are no text."
	default:
		return ""
	}
}

// oneOf reads one of a few values.
func (r *filterReader) oneOf(name, label string, choices []string) string {
	f := field{Name: name, Label: label, Value: r.query.Get(name), Choices: choices, Closed: true}
	if f.Value != "" && !slices.Contains(choices, f.Value) {
		return r.add(f, "Want one of "+strings.Join(choices, ", ")+".")
	}
	return r.add(f, "")
}

// time reads a time, or how long ago it was.
func (r *filterReader) time(name, label string) time.Time {
	f := field{Name: name, Label: label, Value: strings.TrimSpace(r.query.Get(name)), Hint: "2h, 7d, 2026-11-28 14:00"}
	if f.Value == "" {
		r.add(f, "")
		return time.Time{}
	}
	t, ok := admin.ReadTime(f.Value, r.now, time.UTC)
	if !ok {
		r.add(f, "Want how long ago, such as 90m, 2h or 7d, or a time such as 2026-11-28 14:00.")
		return time.Time{}
	}
	f.Time = t.UTC().Truncate(time.Millisecond)
	r.add(f, "")
	return f.Time
}

// span reads between which times.
func (r *filterReader) span() (since, until time.Time) {
	since, until = r.time("since", "Since"), r.time("until", "Until")
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		r.blame("until", "This is no later than since.")
	}
	return since, until
}

// eventType reads a type.
func (r *filterReader) eventType() sdk.Type {
	value := r.text("type", "Type", "media.imported", names(sdk.Types())...)
	if strings.Contains(value, "*") {
		r.blame("type", "Want one type as a whole, such as media.imported.")
	}
	return sdk.Type(value)
}

// fields reads PATH=VALUE, each of which has an input, and one that is empty.
func (r *filterReader) fields() (found []string) {
	values := slices.DeleteFunc(slices.Clone(r.query["field"]), func(v string) bool { return strings.TrimSpace(v) == "" })
	for i, value := range values {
		f := field{Name: "field", Label: "Field", Value: strings.TrimSpace(value)}
		problem := noText(f.Value)
		switch path, _, ok := strings.Cut(f.Value, "="); {
		case i == maxFields:
			r.add(f, fmt.Sprintf("Want at most %d fields.", maxFields))
			return found
		case problem == "" && (!ok || path == ""):
			problem = "Want PATH=VALUE, such as media.title=Dune."
		}
		found = append(found, r.add(f, problem))
	}
	r.Fields = append(r.Fields, field{Name: "field", Label: "Field", Hint: "media.title=Dune"})
	return found
}

// readEventFilter reads which events a query asks for.
func (u *UI) readEventFilter(query url.Values) (admin.EventFilter, filters) {
	r := newFilterReader("/events", query)
	f := admin.EventFilter{
		Text:        r.text("q", "Text", "in title, summary, body"),
		Source:      r.text("source", "Source", "", u.senders()...),
		Type:        r.eventType(),
		State:       event.State(r.oneOf("state", "State", names(event.States()))),
		Fields:      r.fields(),
		Correlation: r.text("correlation_key", "Correlation key", "download:…"),
	}
	f.Since, f.Until = r.span()
	return f, r.filters
}

// eventValues is a filter as it is in a query, with the times that were meant.
func eventValues(f admin.EventFilter) url.Values {
	q := values("q", f.Text, "source", f.Source, "type", string(f.Type), "state", string(f.State), "correlation_key", f.Correlation,
		"since", stamp(f.Since), "until", stamp(f.Until))
	if len(f.Fields) > 0 {
		q["field"] = f.Fields
	}
	return q
}

// readDeliveryFilter reads which deliveries a query asks for.
func (u *UI) readDeliveryFilter(path string, query url.Values, states []event.DeliveryState) (admin.DeliveryFilter, filters) {
	r := newFilterReader(path, query)
	f := admin.DeliveryFilter{
		Text:   r.text("q", "Text", "in reason, title"),
		Target: r.text("target", "Target", "", u.targets()...),
	}
	if len(states) > 1 {
		f.State = event.DeliveryState(r.oneOf("state", "State", names(states)))
	} else {
		f.State = states[0]
	}
	f.Source = r.text("source", "Source", "", u.senders()...)
	f.Type = r.eventType()
	f.Route = r.text("route", "Route", "", routeNames(u.Service.Settings.Config())...)
	f.Event = r.text("event", "Event id", "0197a2c4-5b1e")
	f.Since, f.Until = r.span()
	return f, r.filters
}

// deliveryValues is a filter as it is in a query, with the times that were meant.
func deliveryValues(f admin.DeliveryFilter) url.Values {
	return values("q", f.Text, "target", f.Target, "state", string(f.State), "source", f.Source, "type", string(f.Type), "route", f.Route,
		"event", f.Event, "since", stamp(f.Since), "until", stamp(f.Until))
}

// stamp is a time that is read as the same.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// values makes a query of names and values in turn, less those that are empty.
func values(list ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(list); i += 2 {
		if list[i+1] != "" {
			q.Set(list[i], list[i+1])
		}
	}
	return q
}

// address is a path with a query, less the base path.
func address(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// with is a query with one more value; an empty one takes it out.
func with(query url.Values, name, value string) url.Values {
	more := url.Values{}
	maps.Copy(more, query)
	if value == "" {
		more.Del(name)
	} else {
		more.Set(name, value)
	}
	return more
}

// sources are those of the configuration.
func (u *UI) sources() []string { return slices.Sorted(maps.Keys(u.Service.Settings.Config().Sources)) }

// senders are the sources of the configuration, and the built-in one.
func (u *UI) senders() []string { return append(u.sources(), sdk.SourceHookarr) }

// targets are those of the configuration.
func (u *UI) targets() []string { return slices.Sorted(maps.Keys(u.Service.Settings.Config().Targets)) }

func routeNames(c *config.Config) []string {
	names := make([]string, len(c.Routes))
	for i, r := range c.Routes {
		names[i] = r.Name
	}
	return names
}

// names are those of states or types.
func names[S ~string](list []S) []string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = string(s)
	}
	return all
}
