package docs

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Step is what is typed at once, and what is shown of its answer.
type Step struct {
	Line   int
	Text   string
	Output string
}

// IsShell reports whether the block is to be typed into a shell.
func (b Block) IsShell() bool { return b.Language == "sh" || b.Language == "console" }

// Steps returns what a shell block has somebody type. In a console block, lines after a
// command that begins with "$ " are its output; without any such command, and in a sh
// block, all of it is typed.
func (b Block) Steps() ([]Step, error) {
	lines := strings.SplitAfter(b.Text, "\n")
	if b.Language != "console" || !slices.ContainsFunc(lines, isPrompt) {
		_, err := parse(b.Text)
		return []Step{{Line: b.Line, Text: b.Text}}, err
	}
	var steps []Step
	open := false // the last command goes on in the next line
	var wrong error
	for i, line := range lines {
		switch {
		case open && !isPrompt(line):
			steps[len(steps)-1].Text += line
		case wrong != nil:
			return nil, fmt.Errorf("line %d: %w", steps[len(steps)-1].Line, wrong)
		case isPrompt(line):
			steps = append(steps, Step{Line: b.Line + i, Text: line[2:]})
		case len(steps) == 0 && strings.TrimSpace(line) != "":
			return nil, fmt.Errorf("line %d: output before the first command", b.Line+i)
		case len(steps) > 0:
			steps[len(steps)-1].Output += line
			continue
		default:
			continue
		}
		_, err := parse(steps[len(steps)-1].Text)
		open, wrong = err != nil || strings.HasSuffix(line, "\\\n"), err
	}
	if wrong != nil {
		return nil, fmt.Errorf("line %d: %w", steps[len(steps)-1].Line, wrong)
	}
	return steps, nil
}

func isPrompt(line string) bool { return strings.HasPrefix(line, "$ ") }

func parse(script string) (*syntax.File, error) {
	f, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil {
		return nil, fmt.Errorf("no shell command: %w", err)
	}
	return f, nil
}

// Calls returns the programs that a script starts, each with its arguments and without what
// precedes it, such as sudo. What the shell fills in, such as $HOME, stays as it is written.
func Calls(script string) ([][]string, error) {
	f, err := parse(script)
	if err != nil {
		return nil, err
	}
	var calls [][]string
	syntax.Walk(f, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		args := make([]string, len(call.Args))
		for i, word := range call.Args {
			args[i] = value(script, word)
		}
		calls = append(calls, innermost(args))
		return true
	})
	return calls, nil
}

// value is a word without its quotes.
func value(script string, word *syntax.Word) string {
	var all strings.Builder
	var add func(parts []syntax.WordPart)
	add = func(parts []syntax.WordPart) {
		for _, part := range parts {
			switch part := part.(type) {
			case *syntax.Lit:
				all.WriteString(strings.ReplaceAll(part.Value, `\`, ""))
			case *syntax.SglQuoted:
				all.WriteString(part.Value)
			case *syntax.DblQuoted:
				add(part.Parts)
			default:
				all.WriteString(script[part.Pos().Offset():part.End().Offset()])
			}
		}
	}
	add(word.Parts)
	return all.String()
}

// wrappers are programs that start another, with their flags that take a value.
var wrappers = map[string][]string{
	"sudo":    {"-u", "-g"},
	"env":     {"-u"},
	"exec":    nil,
	"nohup":   nil,
	"time":    nil,
	"runuser": {"-u"},
	"exec-in": {"-u", "-e", "-w", "--user", "--env"},
	"watch":   {"-n"},
	"xargs":   {"-n", "-L"},
}

// innermost is the program that is started in the end, within a container too.
func innermost(args []string) []string {
	name, rest := path.Base(args[0]), args[1:]
	inContainer := false
	if slices.Contains([]string{"docker", "podman", "docker-compose"}, name) {
		if len(rest) > 0 && rest[0] == "compose" {
			rest = rest[1:]
		}
		if len(rest) == 0 || rest[0] != "exec" {
			return args
		}
		name, rest, inContainer = "exec-in", rest[1:], true
	}
	values, ok := wrappers[name]
	if !ok {
		return args
	}
	for len(rest) > 0 && (strings.HasPrefix(rest[0], "-") || name == "env" && strings.Contains(rest[0], "=")) {
		if slices.Contains(values, rest[0]) && len(rest) > 1 {
			rest = rest[1:]
		}
		rest = rest[1:]
	}
	if inContainer && len(rest) > 0 {
		rest = rest[1:] // its name
	}
	if len(rest) == 0 {
		return args
	}
	return innermost(rest)
}

// Hookarr returns the arguments of a call of Hookarr, wherever it is installed.
func Hookarr(call []string) (args []string, ok bool) {
	if path.Base(call[0]) != "hookarr" {
		return nil, false
	}
	return call[1:], true
}
