package route

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// Condition is a part of a route that an event has to meet.
type Condition string

// The conditions, in the order in which they are looked at.
const (
	ConditionFrom  Condition = "from"
	ConditionTypes Condition = "types"
	ConditionWhen  Condition = "when"
)

// Verdict is what a route says of an event.
type Verdict struct {
	Route string
	// Failed is the first condition that the event does not meet, and Reason says why;
	// both are empty for a match.
	Failed Condition
	Reason string
	// To are the targets that the event goes to by this route, and Earlier those of its
	// targets that an earlier route, or this one, has named already. Both are empty
	// without a match.
	To, Earlier []string
}

// Matches reports whether the route takes the event.
func (v Verdict) Matches() bool { return v.Failed == "" }

// Explain says of each route, in order, what it makes of an event, as Match does.
func (t *Table) Explain(source string, e *sdk.Event, normalized []byte) []Verdict {
	verdicts := make([]Verdict, 0, len(t.routes))
	facts := facts{env: t.env, normalized: normalized}
	var taken []string
	for _, r := range t.routes {
		v := Verdict{Route: r.Name}
		v.Failed, v.Reason = r.judge(source, string(e.Type), &facts)
		if v.Matches() {
			for _, target := range r.To {
				if slices.Contains(taken, target) {
					v.Earlier = append(v.Earlier, target)
					continue
				}
				taken, v.To = append(taken, target), append(v.To, target)
			}
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// judge returns the first condition that fails, and why.
func (r *route) judge(source, typ string, f *facts) (Condition, string) {
	if !matchesSource(r.From, source) {
		return ConditionFrom, fmt.Sprintf("source %s is not among from: %s", source, strings.Join(r.From, ", "))
	}
	if !matchesType(r.Types, typ) {
		return ConditionTypes, missedType(r.Types, typ)
	}
	if r.when == nil {
		return "", ""
	}
	switch holds, err := r.when.evaluate(f); {
	case err != nil:
		return ConditionWhen, fmt.Sprintf("%s: cannot be answered for this event: %s", r.When, err)
	case !holds:
		return ConditionWhen, r.When + ": is false"
	default:
		return "", ""
	}
}

// missedType says why patterns do not match a type. What is matched by name alone
// surprises: "*" looks as if it were everything.
func missedType(globs []string, typ string) string {
	listed := strings.Join(globs, ", ")
	if listed == "" {
		listed = "every type"
	}
	switch {
	case byName(typ):
		return fmt.Sprintf("type %s has to be named, and types is %s", typ, listed)
	case strings.HasPrefix(typ, sdk.SourceHookarr+"."):
		return fmt.Sprintf("type %s needs a pattern that begins with %s., and types is %s", typ, sdk.SourceHookarr, listed)
	default:
		return fmt.Sprintf("type %s is not among types: %s", typ, listed)
	}
}
