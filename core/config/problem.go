package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a configuration.
type Problem struct {
	// File is the configuration file, or the variable ($HOOKARR_LISTEN) or flag
	// (--listen) that set the key.
	File string `json:"file"`
	// Line is 0 when it is not known.
	Line int `json:"line,omitempty"`
	// Key is dotted: targets.ops.retry.max_age. Empty is the whole file.
	Key string `json:"key,omitempty"`
	// Message says what is wrong and what to write instead.
	Message string `json:"message"`
}

// String returns the problem as one line, beginning with its place.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	b.WriteString(": " + p.Message)
	return b.String()
}

// Covers reports whether what is wrong at a key may be a consequence of the problem:
// it is the same key, holds it or is a part of it. A secret's twin counts as the
// secret.
func (p Problem) Covers(key string) bool {
	own := strings.ReplaceAll(strings.TrimSuffix(p.Key, fileSuffix), fileSuffix+"[", "[")
	return within(key, own) || within(own, key)
}

// within reports whether key is outer or inside of it.
func within(key, outer string) bool {
	rest, ok := strings.CutPrefix(key, outer)
	return ok && (rest == "" || outer == "" || rest[0] == '.' || rest[0] == '[')
}

// Error is everything that is wrong with a configuration.
type Error struct {
	Problems []Problem
	// Partial is what could be decoded, for finding what else is wrong and for
	// nothing else. It is nil when the file could not be read.
	Partial *Config
	// Err is why the file could not be read at all, or nil.
	Err error
}

// Error returns one line per problem.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns why the file could not be read at all, or nil.
func (e *Error) Unwrap() error { return e.Err }

// Problem places what somebody else found wrong with a key of the configuration.
func (c *Config) Problem(key, message string) Problem { return c.origin.problem(key, message) }

// sortProblems orders by place.
func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key))
	})
}

// layer orders what may set a key.
type layer int

const (
	fromFile layer = iota
	fromEnvironment
	fromFlags
)

// origin knows where keys were set.
type origin struct {
	file  string
	lines map[string]int
	// names are those of the variables and flags that set a key.
	names map[string]string
}

// problem places a key at itself or, when it was not given, at what is around it.
func (o *origin) problem(key, message string) Problem {
	p := Problem{File: o.file, Key: key, Message: message}
	for k := key; k != ""; k = parent(k) {
		if name, ok := o.names[k]; ok {
			p.File = name
			return p
		}
		if line, ok := o.lines[k]; ok {
			p.Line = line
			return p
		}
	}
	return p
}

// layerOf returns the layer that set a key, or the list that it is an entry of.
func (o *origin) layerOf(key string) layer {
	for k := key; k != ""; k = parent(k) {
		switch name := o.names[k]; {
		case strings.HasPrefix(name, "$"):
			return fromEnvironment
		case name != "":
			return fromFlags
		}
	}
	return fromFile
}

// parent returns the key around a key: routes[0] for routes[0].to.
func parent(key string) string {
	i := strings.LastIndexAny(key, ".[")
	return key[:max(i, 0)]
}

// join returns the key of a child.
func join(key, child string) string {
	if key == "" {
		return child
	}
	return key + "." + child
}

// asProblems returns what err holds when it is an [*Error].
func asProblems(err error) []Problem {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Problems
	}
	return nil
}
