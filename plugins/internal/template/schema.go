package template

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// kind is what a field is empty as.
type kind string

const (
	kindText   kind = "text"
	kindNumber kind = "number"
	// kindDecimal is apart: text/template compares whole numbers with whole ones alone.
	kindDecimal kind = "decimal"
	kindTruth   kind = "truth"
	kindList    kind = "list"
	kindObject  kind = "object"
)

// zero is what an absent field of a kind is.
func (k kind) zero() any {
	switch k {
	case kindNumber:
		return absent(0)
	case kindDecimal:
		return absentDecimal(0)
	case kindTruth:
		return false
	case kindList:
		return list{}
	case kindObject:
		return object{}
	default:
		return ""
	}
}

// kindOf returns the kind of the values of a type.
func kindOf(t reflect.Type) kind {
	switch t = plain(t); {
	case isObject(t), t.Kind() == reflect.Map:
		return kindObject
	case t.Kind() == reflect.Slice:
		return kindList
	case t.Kind() == reflect.Bool:
		return kindTruth
	case t.Kind() == reflect.String, t.Kind() == reflect.Struct:
		return kindText
	case t.Kind() == reflect.Float64:
		return kindDecimal
	default:
		return kindNumber
	}
}

// plain is a type without pointers.
func plain(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// isObject reports whether t has fields. A time has none: it is text.
func isObject(t reflect.Type) bool {
	return t != nil && t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]()
}

// member returns the type of the field of t that has a published name.
func member(t reflect.Type, name string) (reflect.Type, bool) {
	for f := range t.Fields() {
		if nameOf(f) == name {
			return plain(f.Type), true
		}
	}
	return nil, false
}

func nameOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// kindsByName returns the kind of every field by its name. Of names that are text in one
// place and a number in another, the number is taken: an absent one prints as nothing too.
func kindsByName() map[string]kind {
	kinds := map[string]kind{}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		switch {
		case t.Kind() == reflect.Slice, t.Kind() == reflect.Pointer:
			walk(t.Elem())
		case isObject(t):
			for f := range t.Fields() {
				if kinds[nameOf(f)] != kindNumber {
					kinds[nameOf(f)] = kindOf(f.Type)
				}
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[fields]())
	return kinds
}

// follow returns the type of the field of t that has a name. A nil type is not known, and
// leads to others that are not.
func follow(t reflect.Type, name string) (reflect.Type, error) {
	switch t = plain(t); {
	case t == nil:
		return nil, nil
	case isObject(t):
		next, ok := member(t, name)
		if !ok {
			return nil, noField(t, name)
		}
		return next, nil
	case t.Kind() == reflect.Map:
		return plain(t.Elem()), nil
	case t.Kind() == reflect.Slice:
		return nil, fmt.Errorf("%s is asked of a list; take one of it with {{range}}, first or index", name)
	default:
		return nil, fmt.Errorf("there is no field %q in a text or number", name)
	}
}

// noField explains what to write instead of a name that t does not have.
func noField(t reflect.Type, name string) error {
	root := reflect.TypeFor[fields]()
	if _, ok := member(root.Field(0).Type, name); ok && t == root {
		return fmt.Errorf("there is no field %q here; write .event.%s", name, name)
	}
	if _, ok := member(root, name); ok {
		return fmt.Errorf("there is no field %q here; write $.%s", name, name)
	}
	var known []string
	for f := range t.Fields() {
		known = append(known, nameOf(f))
	}
	return fmt.Errorf("there is no field %q here; there are %s", name, strings.Join(known, ", "))
}

// elementOf returns the type of a list's or map's values, or nil.
func elementOf(t reflect.Type) reflect.Type {
	if t = plain(t); t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Map) {
		return plain(t.Elem())
	}
	return nil
}
