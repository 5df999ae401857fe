package template

import (
	"errors"
	"fmt"
	"maps"
)

// run is one execution.
type run struct {
	data   *Data
	escape func(string) string
	// steps are what is left.
	steps int
	depth int
}

var (
	errSteps = fmt.Errorf("the template takes more than %d steps: it loops too often, or over too much text", maxSteps)
	errDepth = fmt.Errorf("templates call each other more than %d deep", maxDepth)
	errText  = errors.New("a text is longer than 64 KiB")
)

// internals are the functions that rewritten templates call.
func (r *run) internals() map[string]any {
	return map[string]any{
		stepFunction:  r.step,
		enterFunction: r.enter,
		leaveFunction: func() string { r.depth--; return "" },
		fieldFunction: field,
		printFunction: r.printed,
	}
}

// step takes steps. What it returns prints as nothing.
func (r *run) step(n int) (string, error) {
	if r.steps -= n; r.steps < 0 {
		return "", errSteps
	}
	return "", nil
}

// enter begins a template. Recursion has a bound of its own, as it takes memory.
func (r *run) enter(n int) (string, error) {
	if r.depth++; r.depth > maxDepth {
		return "", errDepth
	}
	return r.step(n)
}

// field returns what names lead to from a value, or what is empty in its stead.
func field(of any, k kind, names ...string) (any, error) {
	for _, name := range names {
		switch v := of.(type) {
		case object:
			member, ok := v[name]
			if !ok {
				return k.zero(), nil
			}
			of = member
		case list:
			return nil, fmt.Errorf("%s is asked of a list", name)
		default:
			return k.zero(), nil
		}
	}
	return of, nil
}

// printed returns what an action prints.
func (r *run) printed(v any) (string, error) {
	s, err := r.text(v)
	if err != nil {
		return "", err
	}
	if _, ok := v.(raw); ok || r.escape == nil {
		return s, nil
	}
	return r.bound(r.escape(s))
}

// text returns what a value prints as, and takes the steps that it costs. What is longer
// than a text may be is not written.
func (r *run) text(v any) (string, error) {
	if room(v, maxOutput) < 0 {
		return "", errText
	}
	return r.bound(text(v))
}

// room returns what a value's texts leave of a number of bytes. It ends where nothing is left.
func room(v any, left int) int {
	switch v := v.(type) {
	case string:
		left -= len(v)
	case raw:
		left -= len(v)
	case object:
		for name, member := range v {
			if left = room(member, left-len(name)); left < 0 {
				break
			}
		}
	case list:
		for _, item := range v {
			if left = room(item, left-1); left < 0 {
				break
			}
		}
	}
	return left
}

func (r *run) bound(s string) (string, error) {
	if _, err := r.step(1 + len(s)/textPerStep); err != nil {
		return "", err
	}
	if len(s) > maxOutput {
		return "", errText
	}
	return s, nil
}

// texts is text of several values, which are bounded in sum.
func (r *run) texts(values []any) ([]string, error) {
	all := make([]string, 0, len(values))
	total := 0
	for _, v := range values {
		s, err := r.text(v)
		if err != nil {
			return nil, err
		}
		if total += len(s); total > maxOutput {
			return nil, errText
		}
		all = append(all, s)
	}
	return all, nil
}

// of makes a function of values out of one of text.
func (r *run) of(f func(string) string) func(any) (string, error) {
	return func(v any) (string, error) {
		s, err := r.text(v)
		if err != nil {
			return "", err
		}
		return r.bound(f(s))
	}
}

// rawOf is of for functions whose result is not to be escaped once more.
func (r *run) rawOf(f func(string) string) func(any) (raw, error) {
	g := r.of(f)
	return func(v any) (raw, error) {
		s, err := g(v)
		return raw(s), err
	}
}

// merged is a map of all functions.
func merged(groups ...map[string]any) map[string]any {
	all := map[string]any{}
	for _, g := range groups {
		maps.Copy(all, g)
	}
	return all
}
