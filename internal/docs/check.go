package docs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Problem is what is wrong on a page.
type Problem struct {
	Page    string
	Line    int
	Message string
}

// String returns it as PAGE:LINE: MESSAGE.
func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.Page, p.Line, p.Message) }

// languages are those that a block may have. What is no language is text.
var languages = []string{
	"caddy", "console", "css", "diff", "dockerfile", "go", "gotemplate", "html", "http", "ini", "js", "json", "jsonc", "makefile", "nginx",
	"promql", "proto", "sh", "sql", "text", "toml", "ts", "xml", "yaml",
}

// The kinds of markers, and of what a check marker says of a block.
const (
	MarkerCheck   = "check"
	MarkerExample = "example"
	MarkerFile    = "file"
	MarkerRun     = "run"
)

// checks are the values of a check marker, with what is at the top of such a file.
var checks = map[string][]string{
	"compose":    {"services"},
	"prometheus": {"scrape_configs", "rule_files", "groups"},
	"workflow":   {"jobs"},
}

// Foreign reports whether a YAML block is no configuration of Hookarr's.
func (b Block) Foreign() bool {
	_, check := b.Marker(MarkerCheck)
	_, file := b.Marker(MarkerFile)
	return check || file
}

// Links returns the links that lead nowhere.
func (s *Site) Links() []Problem {
	var problems []Problem
	for _, p := range s.sorted() {
		for _, l := range p.Links {
			if message := s.follow(p, l); message != "" {
				problems = append(problems, Problem{Page: p.Path, Line: l.Line, Message: message})
			}
		}
	}
	return problems
}

func (s *Site) follow(p *Page, l Link) (message string) {
	to, err := url.Parse(l.To)
	switch {
	case err != nil:
		return l.To + " is no link"
	case to.Scheme == "https" || to.Scheme == "mailto":
		return ""
	case to.Scheme != "" || to.Host != "":
		return l.To + " is no https"
	case strings.HasPrefix(to.Path, "/"):
		return l.To + " begins at the root of a machine"
	}
	file := p.Path
	if to.Path != "" {
		file = path.Join(path.Dir(p.Path), to.Path)
	}
	if !fs.ValidPath(file) {
		return l.To + " leads out of the project"
	}
	info, err := fs.Stat(s.files, file)
	switch target := s.Pages[file]; {
	case err != nil:
		return l.To + " leads nowhere"
	case l.Picture && info.IsDir():
		return l.To + " is no picture"
	case to.Fragment == "" || target == nil && path.Ext(file) != ".md":
		return ""
	case target == nil || !slices.Contains(target.Anchors, to.Fragment):
		return fmt.Sprintf("%s: no heading of %s is called so", l.To, file)
	}
	return ""
}

// Orphans returns the pages of a directory that no link leads to, from any of the pages
// that readers begin with.
func (s *Site) Orphans(dir string, begin ...string) []string {
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		p := s.Pages[name]
		if p == nil || seen[name] {
			return
		}
		seen[name] = true
		for _, l := range p.Links {
			if to, err := url.Parse(l.To); err == nil && to.Scheme == "" && to.Path != "" {
				next := path.Join(path.Dir(name), to.Path)
				visit(next)
				visit(path.Join(next, "README.md"))
			}
		}
	}
	for _, name := range begin {
		visit(name)
	}
	var orphans []string
	for _, p := range s.sorted() {
		if strings.HasPrefix(p.Path, dir+"/") && !seen[p.Path] {
			orphans = append(orphans, p.Path)
		}
	}
	return orphans
}

// CheckBlocks returns what is wrong with blocks of code as such: their language, their
// markers, and the syntax of what can be read here.
func (s *Site) CheckBlocks() []Problem {
	var problems []Problem
	for _, b := range s.Blocks(func(Block) bool { return true }) {
		if err := s.checkBlock(b); err != nil {
			problems = append(problems, Problem{Page: b.Page, Line: b.Line, Message: err.Error()})
		}
	}
	return problems
}

func (s *Site) checkBlock(b Block) error {
	for _, m := range b.Markers {
		if err := s.checkMarker(b, m); err != nil {
			return err
		}
	}
	switch b.Language {
	case "json":
		if !json.Valid([]byte(b.Text)) {
			return errors.New("no JSON")
		}
	case "yaml":
		return checkYAML(b)
	case "sh", "console":
		_, err := b.Steps()
		return err
	default:
		if !slices.Contains(languages, b.Language) {
			return fmt.Errorf("%q is no language of blocks here; there are %s", b.Language, strings.Join(languages, ", "))
		}
	}
	return nil
}

func (s *Site) checkMarker(b Block, m Marker) error {
	switch m.Kind {
	case MarkerExample:
		return nil
	case MarkerRun:
		if !b.IsShell() {
			return fmt.Errorf("what is %s cannot be run", b.Language)
		}
		return nil
	case MarkerFile:
		content, err := fs.ReadFile(s.files, m.Value)
		if err != nil {
			return fmt.Errorf("%s: there is no such file", m.Value)
		}
		if !strings.Contains("\n"+string(content), "\n"+b.Text) {
			return fmt.Errorf("%s has no such lines", m.Value)
		}
		return nil
	case MarkerCheck:
		of, ok := strings.CutPrefix(m.Value, "yaml of ")
		if b.Language != "yaml" || checks[m.Value] == nil && (!ok || of == "") {
			return fmt.Errorf("%q is no check of a %s block", m.Value, b.Language)
		}
		return nil
	default:
		return fmt.Errorf("a marker %q is unknown", m.Kind)
	}
}

func checkYAML(b Block) error {
	var top map[string]any
	if err := yaml.Unmarshal([]byte(b.Text), &top); err != nil {
		return fmt.Errorf("no YAML: %w", err)
	}
	kind, _ := b.Marker(MarkerCheck)
	want := checks[kind]
	if want != nil && !slices.ContainsFunc(want, func(key string) bool { return top[key] != nil }) {
		return fmt.Errorf("no %s: it has no %s", kind, strings.Join(want, ", nor "))
	}
	return nil
}

// pathPattern is of what code in a sentence calls by its path in the project.
var pathPattern = regexp.MustCompile(`^(?:cmd|core|docs|examples|internal|migrations|packaging|plugins|sdk)/[a-z0-9_./-]*$`)

// CheckNames returns what the pages call by its name and is not there: files of the project,
// and what make can make.
func (s *Site) CheckNames(made func(page, target string) bool) []Problem {
	var problems []Problem
	for _, p := range s.sorted() {
		add := func(line int, format string, args ...any) {
			problems = append(problems, Problem{Page: p.Path, Line: line, Message: fmt.Sprintf(format, args...)})
		}
		for _, span := range p.Spans {
			if pathPattern.MatchString(span.Text) {
				if _, err := fs.Stat(s.files, path.Clean(span.Text)); err != nil {
					add(span.Line, "%s is not in the project", span.Text)
				}
			}
		}
		for _, c := range p.Calls() {
			if path.Base(c.Args[0]) != "make" {
				continue
			}
			for _, target := range c.Args[1:] {
				if !strings.HasPrefix(target, "-") && !strings.Contains(target, "=") && !made(p.Path, target) {
					add(c.Line, "make makes no %s", target)
				}
			}
		}
	}
	return problems
}

// Call is a program that a page has somebody start.
type Call struct {
	Line int
	Args []string
	// InSentence is that it is a piece of code within a sentence, which may leave out what
	// the sentence says.
	InSentence bool
}

// Calls returns the programs that a page has somebody start. Blocks that are no shell's are
// left out; CheckBlocks says so.
func (p *Page) Calls() []Call {
	var all []Call
	for _, b := range p.Blocks {
		if !b.IsShell() {
			continue
		}
		steps, err := b.Steps()
		if err != nil {
			continue
		}
		for _, step := range steps {
			calls, err := Calls(step.Text)
			if err != nil {
				continue
			}
			for _, args := range calls {
				all = append(all, Call{Line: step.Line, Args: args})
			}
		}
	}
	for _, span := range p.Spans {
		first, _, _ := strings.Cut(span.Text, " ")
		if name := path.Base(first); name != "hookarr" && name != "make" || !strings.Contains(span.Text, " ") || strings.Contains(span.Text, ": ") {
			continue // the last is something that is said
		}
		calls, err := Calls(span.Text)
		if err != nil {
			continue // a pattern such as make X|Y is no command
		}
		for _, args := range calls {
			all = append(all, Call{Line: span.Line, Args: args, InSentence: true})
		}
	}
	return all
}
