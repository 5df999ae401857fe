package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

//go:embed page.html.tmpl
var pageSource string

//go:embed page.css
var pageStyle string

// page is what the template is given.
type page struct {
	Style template.CSS
	// Bare leaves out the switches and the index.
	Bare    bool
	Targets []target
	Looks   []message.Look
	// Index leads from each event type to the cases that have an event of it.
	Index    []indexed
	Sections []section
}

type indexed struct {
	Title string
	Cases []sample
}

type section struct {
	Title string
	Cases []sample
}

// sample is an event or a story, and the messages that tell of it.
type sample struct {
	Name, Title string
	Types       []sdk.Type
	Events      int
	Messages    []drawn
}

// drawn is a message of a target in a look.
type drawn struct {
	Target, Look string
	Nodes        []node
}

// samples are what the golden files of targets are of.
func samples() []section {
	events := section{Title: "One event"}
	extremes := section{Title: "Extreme events"}
	stories := section{Title: "Several events"}
	for _, c := range eventtest.Events() {
		s := sampleOf(c.Name, c.Event)
		if strings.HasPrefix(c.Name, "extreme_") {
			extremes.Cases = append(extremes.Cases, s)
		} else {
			events.Cases = append(events.Cases, s)
		}
	}
	for _, s := range eventtest.Stories() {
		stories.Cases = append(stories.Cases, sampleOf("story_"+s.Name, s.Events...))
	}
	return []section{stories, events, extremes}
}

func sampleOf(name string, events ...sdk.Event) sample {
	title := strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(name, "story_"), "extreme_"), "_", " ")
	s := sample{Name: name, Title: strings.ToUpper(title[:1]) + title[1:], Events: len(events)}
	for _, e := range events {
		if !slices.Contains(s.Types, e.Type) {
			s.Types = append(s.Types, e.Type)
		}
	}
	return s
}

// newPage draws cases from the golden files in the directory of the plugins: those of the
// names, or all without any.
func newPage(plugins string, targets []target, names ...string) (page, error) {
	p := page{Style: template.CSS(pageStyle), Targets: targets, Looks: message.Looks()} //nolint:gosec // the style sheet is embedded
	for _, s := range samples() {
		s.Cases = slices.DeleteFunc(s.Cases, func(c sample) bool { return len(names) > 0 && !slices.Contains(names, c.Name) })
		for i := range s.Cases {
			if err := s.Cases[i].drawAll(plugins, targets); err != nil {
				return page{}, err
			}
		}
		if len(s.Cases) > 0 {
			p.Sections = append(p.Sections, s)
		}
	}
	p.Index = indexOf(p.Sections)
	return p, nil
}

func (s *sample) drawAll(plugins string, targets []target) error {
	for _, t := range targets {
		for _, look := range message.Looks() {
			nodes, err := t.message(plugins, s.Name, look)
			if err != nil {
				return err
			}
			if nodes != nil {
				s.Messages = append(s.Messages, drawn{t.Name, string(look), nodes})
			}
		}
	}
	return nil
}

// indexOf has the types in the order of the SDK, then those of Hookarr's own events, then
// one entry for cases without a type that is any.
func indexOf(sections []section) []indexed {
	types := sdk.Types()
	var all, rest []sample
	for _, s := range sections {
		all = append(all, s.Cases...)
	}
	for _, c := range all {
		typed := false
		for _, t := range c.Types {
			known := slices.Contains(types, t)
			if !known && strings.HasPrefix(string(t), sdk.SourceHookarr+".") {
				types, known = append(types, t), true
			}
			typed = typed || known
		}
		if !typed {
			rest = append(rest, c)
		}
	}
	var index []indexed
	for _, t := range types {
		of := slices.DeleteFunc(slices.Clone(all), func(c sample) bool { return !slices.Contains(c.Types, t) })
		index = append(index, indexed{string(t), of})
	}
	index = append(index, indexed{"none of these", rest})
	return slices.DeleteFunc(index, func(i indexed) bool { return len(i.Cases) == 0 })
}

func (p page) write(w io.Writer) error {
	t, err := template.New("page").Parse(pageSource)
	if err != nil {
		return fmt.Errorf("read the template of the page: %w", err)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}
