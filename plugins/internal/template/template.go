// Package template is what operators write to say something in their own words: Go's
// text/template over the events of a delivery, with bounds. A template sees
//
//	.event    the event, or that of a group which says how things stand: the last that is
//	          no mere rename or the like
//	.events   all events of the delivery, oldest first
//	.count    how many there are
//	.message  what the built-in message says: headline, emoji, color, title, url,
//	          summary, text, list, fields, links, image, footer
//
// Fields have the names of the published JSON form of events, as in the conditions of
// routes: {{.event.media.title}}. A part that is absent is empty and no error, however deep;
// a name that no event has is refused when the template is read. A list prints as its
// values with commas between them, an object as JSON, a time as RFC 3339 in UTC.
//
// Of Go's own functions there are and, or, not, eq, ne, lt, le, gt, ge, index, len, print,
// printf and println. The others are listed in functions.go.
package template

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/hookarr/hookarr/sdk"
)

// Bounds of a template. A step is a part of the template that is executed, such as an
// action or a function; one that works on text takes a step more for every textPerStep
// bytes.
const (
	maxSource   = 16 << 10 // bytes
	maxOutput   = 64 << 10 // bytes, of the output and of every text on the way
	maxSteps    = 100_000
	maxDepth    = 20 // of templates within templates
	textPerStep = 64
)

// Template is a template that was read without a problem. It may be executed
// concurrently. As a field of a configuration it is read from a string; the zero value is
// an empty template.
type Template struct {
	source string
	trees  map[string]*parse.Tree
}

// mainName is what the parser calls the outermost template in its errors.
const mainName = "main"

// Parse reads a template. An error begins with the name and says where the template is
// wrong and in which way: "title: line 1, column 9: there is no function "uper"".
func Parse(name, text string) (*Template, error) {
	t := &Template{}
	if err := t.UnmarshalText([]byte(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// UnmarshalText reads the template from a configuration. Errors are those of [Parse]
// without a name.
func (t *Template) UnmarshalText(text []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the template cannot be read: %v", r)
		}
	}()
	if len(text) > maxSource {
		return fmt.Errorf("the template has %d bytes; at most %d are taken", len(text), maxSource)
	}
	source := string(text)
	trees, err := parseTrees(source)
	if err != nil {
		return explainParse(source, err)
	}
	if err := check(source, trees); err != nil {
		return err
	}
	rewrite(trees)
	*t = Template{source: source, trees: trees}
	return nil
}

// Empty reports whether there is no template, or one of nothing.
func (t *Template) Empty() bool { return t == nil || t.source == "" }

// MarshalText returns the source.
func (t *Template) MarshalText() ([]byte, error) { return []byte(t.source), nil }

func parseTrees(source string) (map[string]*parse.Tree, error) {
	known := (&run{}).functions()
	for _, name := range builtins() {
		known[name] = true
	}
	return parse.Parse(mainName, source, "", "", known)
}

// builtins are the functions of text/template that stay as they are. The others are left
// out, or replaced by ones that are bounded.
func builtins() []string {
	return []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge"}
}

// Execute renders the template for the events of a delivery, oldest first. An error says
// where and why it failed.
func (t *Template) Execute(events []sdk.Event) (string, error) {
	return t.Render(NewData(events...), nil)
}

// Render is Execute for data that several templates share. Escape, which may be nil, is
// called for what actions print, as a service's markup needs it, and neither for the
// template's own text nor for the result of raw and of the functions that escape.
func (t *Template) Render(data *Data, escape func(string) string) (out string, err error) {
	if t == nil || len(t.trees) == 0 {
		return "", nil
	}
	defer func() {
		if r := recover(); r != nil {
			out, err = "", fmt.Errorf("the template failed: %v", r)
		}
	}()
	r := &run{data: data, escape: escape, steps: maxSteps}
	root := template.New(mainName).Funcs(r.functions()).Funcs(r.internals())
	for name, tree := range t.trees {
		if _, err := root.AddParseTree(name, tree); err != nil {
			return "", fmt.Errorf("prepare the template: %w", err)
		}
	}
	var b bounded
	if err := root.Execute(&b, data.root); err != nil {
		return "", explainExecution(t.source, err)
	}
	return b.String(), nil
}

// Say is Render for a text that must not be empty, without the spaces around it.
func (t *Template) Say(data *Data, escape func(string) string) (string, error) {
	said, err := t.Render(data, escape)
	if said = strings.TrimSpace(said); err == nil && said == "" {
		err = errSilent
	}
	return said, err
}

var errSilent = errors.New("it says nothing")

var errOutput = errors.New("the output is longer than 64 KiB")

// bounded is the output.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, errOutput
	}
	return b.Builder.Write(p)
}
