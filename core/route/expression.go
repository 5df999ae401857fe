package route

import "reflect"

// Expression is a condition over events that is no part of a route. Its methods may be
// called concurrently.
type Expression struct {
	when *condition
	env  reflect.Type
}

// Compile reads a condition in the language of a route's when. The error says in which
// column it is wrong.
func Compile(text string) (*Expression, error) {
	x := &Expression{env: environment()}
	var err error
	if x.when, err = compile(text, x.env); err != nil {
		return nil, err
	}
	return x, nil
}

// Holds reports whether an event, as JSON by the published schema, meets the condition. What
// speaks of a part that the event does not have is not met. The error is that it took more
// than its budget.
func (x *Expression) Holds(normalized []byte) (bool, error) {
	return x.when.holds(&facts{env: x.env, normalized: normalized})
}
