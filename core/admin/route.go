package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/excerpt"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
)

// Route is a route as JSON.
type Route struct {
	Name  string   `json:"name"`
	From  []string `json:"from,omitempty" doc:"Patterns of sources; absent is every source."`
	Types []string `json:"types,omitempty" doc:"Patterns of event types; absent is all but test and unknown."`
	When  string   `json:"when,omitempty" doc:"A condition over the event."`
	To    []string `json:"to"`
	// Group and Digest say in words how its events are gathered.
	Group  string `json:"group,omitempty" doc:"How its events are grouped, in words; absent is as the targets have it."`
	Digest string `json:"digest,omitempty" doc:"When its digest goes out, in words; absent without one."`
}

// ListRoutes returns the routes in use, in order.
func (s *Service) ListRoutes() []Route {
	routes := []Route{}
	for _, r := range s.Settings.Config().Routes {
		routes = append(routes, Route{
			Name: r.Name, From: r.From, Types: r.Types, When: r.When, To: r.To, Group: groupInWords(r.Group), Digest: digestInWords(r.Digest),
		})
	}
	return routes
}

// groupInWords is empty for what a route leaves to its targets.
func groupInWords(g *config.Group) string {
	if g == nil {
		return ""
	}
	if g.By == config.GroupNone {
		return "off"
	}
	var words []string
	if g.By != "" {
		words = append(words, "by "+g.By)
	}
	if g.Wait > 0 {
		words = append(words, "wait "+g.Wait.String())
	}
	if g.MaxWait > 0 {
		words = append(words, "at most "+g.MaxWait.String())
	}
	if g.Max > 0 {
		words = append(words, fmt.Sprintf("up to %d events", g.Max))
	}
	return strings.Join(words, ", ")
}

func digestInWords(d *config.Digest) string {
	if d == nil {
		return ""
	}
	words := d.Every
	if d.On != "" {
		words += " on " + d.On
	}
	words += " at " + d.At
	if d.Zone != "" {
		words += " (" + d.Zone + ")"
	}
	return words
}

// Subject is the event that a question is about: exactly one of a stored one, a sample of
// a type, and a request that a source is to decode.
type Subject struct {
	Event  string   `json:"event,omitempty" doc:"The id of a stored event, or its first digits."`
	Sample sdk.Type `json:"sample,omitempty" doc:"A made-up event of this type, such as media.imported."`
	// Source is the one of a sample or a body.
	Source  string      `json:"source,omitempty" doc:"The source that a sample or a body comes from."`
	Body    string      `json:"body,omitempty" doc:"The body of a request, which the plugin of source decodes."`
	Headers http.Header `json:"headers,omitempty" doc:"The headers of that request, where its plugin needs some."`
}

// Routing is where an event goes.
type Routing struct {
	Source string   `json:"source"`
	Type   sdk.Type `json:"type,omitempty"`
	Title  string   `json:"title,omitempty"`
	// Decode says why there is nothing to route.
	Decode  *Step           `json:"decode,omitempty" doc:"What the decoder made of the body."`
	Routes  []Verdict       `json:"routes" nullable:"false" doc:"What each route says, in order."`
	Targets []string        `json:"targets" nullable:"false" doc:"Where it goes."`
	Event   json.RawMessage `json:"event,omitempty" doc:"The normalised event."`
}

// TestRoutes says where an event would go, and sends it nowhere.
func (s *Service) TestRoutes(ctx context.Context, subject Subject) (Routing, error) {
	r := Routing{Routes: []Verdict{}, Targets: []string{}}
	source, normalized, step, err := s.resolve(ctx, subject)
	r.Source, r.Event, r.Decode = source, normalized, step
	if err != nil || len(normalized) == 0 {
		return r, err
	}
	var e sdk.Event
	if err := json.Unmarshal(normalized, &e); err != nil {
		return r, fmt.Errorf("read event: %w", err)
	}
	r.Type, r.Title = e.Type, e.Title
	r.Routes = viewVerdicts(s.Settings.Routes().Explain(source, &e, normalized))
	for _, v := range r.Routes {
		r.Targets = append(r.Targets, v.To...)
	}
	return r, nil
}

// resolve returns the normalised event of a subject, and what its decoder said of a body.
func (s *Service) resolve(ctx context.Context, subject Subject) (source string, normalized []byte, step *Step, err error) {
	given := 0
	for _, g := range []string{subject.Event, string(subject.Sample), subject.Body} {
		if g != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return "", nil, nil, invalid("give exactly one of event, sample and body")
	case subject.Event != "":
		return s.stored(ctx, subject.Event)
	case subject.Sample != "":
		source := subject.Source
		if source == "" {
			source = firstSource(s.Settings.Config(), subject.Sample)
		} else if err := s.known(source, sdk.SourceHookarr); err != nil {
			return source, nil, nil, err
		}
		e, err := sample(subject.Sample, source)
		if err != nil {
			return source, nil, nil, err
		}
		s.ofApplication(&e)
		if normalized, err = json.Marshal(e); err != nil {
			return source, nil, nil, fmt.Errorf("write sample: %w", err)
		}
		return source, normalized, nil, nil
	default:
		return s.decode(ctx, subject)
	}
}

func (s *Service) stored(ctx context.Context, text string) (source string, normalized []byte, step *Step, err error) {
	id, err := s.FindEventID(ctx, text)
	if err != nil {
		return "", nil, nil, err
	}
	e, _, err := s.Store.FindEvent(ctx, id)
	if err != nil {
		return "", nil, nil, missing(err, "event", id)
	}
	made := decoded(e)
	return e.Source, e.Normalized, &made, nil
}

func (s *Service) decode(ctx context.Context, subject Subject) (source string, normalized []byte, step *Step, err error) {
	if subject.Source == "" {
		return "", nil, nil, invalid("body needs the source that it is for; configured are: %s", joined(sourceNames(s.Settings.Config())))
	}
	if err := s.known(subject.Source); err != nil {
		return "", nil, nil, err
	}
	if s.Decoder == nil {
		return "", nil, nil, errNoServer
	}
	d, err := s.Decoder.Decode(ctx, subject.Source, sdk.Request{
		ID: event.NewID().String(), Method: http.MethodPost, Header: subject.Headers,
		Body: bytes.TrimSpace([]byte(subject.Body)), ReceivedAt: received(),
	})
	switch {
	case errors.Is(err, pluginhost.ErrUnavailable):
		return "", nil, nil, NewProblem(http.StatusServiceUnavailable, err.Error())
	case err != nil:
		return subject.Source, nil, &Step{Detail: err.Error()}, nil //nolint:nilerr // that the plugin fails is the answer
	case d.Event == nil && d.Invalid != "":
		return subject.Source, nil, &Step{Detail: "not understood: " + d.Invalid}, nil
	case d.Event == nil:
		return subject.Source, nil, &Step{OK: true, Detail: "skipped: " + d.Skip}, nil
	}
	normalized = d.JSON
	if normalized == nil {
		if normalized, err = json.Marshal(d.Event); err != nil {
			return "", nil, nil, fmt.Errorf("write event: %w", err)
		}
	}
	return subject.Source, normalized, &Step{OK: true, Detail: fmt.Sprintf("%s, %s", d.Event.Type, d.Event.Title)}, nil
}

// known refuses a source that is neither configured nor one of those built in.
func (s *Service) known(source string, builtIn ...string) error {
	names := sourceNames(s.Settings.Config())
	if slices.Contains(names, source) || slices.Contains(builtIn, source) {
		return nil
	}
	return invalid("there is no source %q%s", excerpt.Line(source, maxName), meant(source, names))
}

// maxName is in bytes, of what is repeated of a name that is not known.
const maxName = 40

// ofApplication gives a sample the application of its source, which its plugin is called
// after.
func (s *Service) ofApplication(e *sdk.Event) {
	if source, ok := s.Settings.Config().Sources[e.Source]; ok {
		e.App = source.Plugin
	} else if e.Source == sdk.SourceHookarr {
		e.App, e.Origin = sdk.SourceHookarr, sdk.OriginHookarr
	}
}

// firstSource is where a sample comes from unless it is said.
func firstSource(c *config.Config, typ sdk.Type) string {
	if strings.HasPrefix(string(typ), sdk.SourceHookarr+".") {
		return sdk.SourceHookarr
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		return name
	}
	return "sample"
}

func targetNames(c *config.Config) []string { return slices.Sorted(maps.Keys(c.Targets)) }

func sourceNames(c *config.Config) []string { return slices.Sorted(maps.Keys(c.Sources)) }

func joined(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
