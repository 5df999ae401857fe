package template

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// ByType holds what is configured for types of events. Keys are event types or patterns as
// in routes, such as media.*; * is for all of them.
type ByType[P any] map[string]P

// For returns what is configured for a delivery, and its key. The event decides that says how
// things stand, and of the keys that match its type the most specific one.
func (b ByType[P]) For(events []sdk.Event) (parts P, key string, ok bool) {
	if len(events) == 0 {
		return parts, "", false
	}
	typ := string(events[message.Lead(events)].Type)
	best := -1
	for _, pattern := range slices.Sorted(maps.Keys(b)) {
		if n := literals(pattern); n > best && matches(pattern, typ) {
			parts, key, ok, best = b[pattern], pattern, true, n
		}
		if pattern == typ {
			return b[pattern], pattern, true
		}
	}
	return parts, key, ok
}

// Problems returns one for every key that is no pattern. Where is the key of the whole.
func (b ByType[P]) Problems(where string) error {
	var problems []error
	for _, pattern := range slices.Sorted(maps.Keys(b)) {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			problems = append(problems, sdk.Problem(where+"."+pattern, `is no event type and no pattern; write one such as media.imported, "media.*" or "*"`))
		}
	}
	return errors.Join(problems...)
}

// Warn tells the operator of keys that match no type of this version.
func (b ByType[P]) Warn(env sdk.Env, where string) {
	for _, pattern := range slices.Sorted(maps.Keys(b)) {
		known := slices.ContainsFunc(sdk.Types(), func(t sdk.Type) bool { return matches(pattern, string(t)) })
		if !known {
			env.Warn(where+"."+pattern, "matches no event type; there are "+typeList())
		}
	}
}

func typeList() string {
	all := make([]string, 0, len(sdk.Types()))
	for _, t := range sdk.Types() {
		all = append(all, string(t))
	}
	return strings.Join(all, ", ")
}

// matches reports whether a type matches a pattern, whose * stands for one segment, or alone
// for all.
func matches(pattern, typ string) bool {
	if pattern == "*" {
		return true
	}
	ok, err := path.Match(strings.ReplaceAll(pattern, ".", "/"), strings.ReplaceAll(typ, ".", "/"))
	return ok && err == nil
}

// literals counts the characters of a pattern that stand for themselves.
func literals(pattern string) int {
	return len(pattern) - strings.Count(pattern, "*") - strings.Count(pattern, "?")
}
