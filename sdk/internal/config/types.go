package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// checkTypes refuses what the fields of a struct must not be, before anything is made
// of them: the reflector follows a type that holds itself without end. The types that
// hold t are in outer.
func checkTypes(t reflect.Type, outer ...reflect.Type) error {
	var errs []error
	outer = append(slices.Clone(outer), t)
	for f := range t.Fields() {
		key, embedded := keyOf(f)
		if key == "" && embedded == nil {
			continue
		}
		held, endless := heldBy(f.Type)
		var err error
		switch {
		case held == reflect.TypeFor[time.Duration]():
			err = errors.New("a time.Duration is configured in nanoseconds: use sdk.Duration, which takes 30s")
		case endless, slices.Contains(outer, held):
			err = fmt.Errorf("the type %s holds itself, and a configuration ends somewhere", held)
		case held.Kind() == reflect.Struct && !describesItself(held):
			errs = append(errs, checkTypes(held, outer...))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("field %s: %w", fieldName(t, f), err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return checkKeys(t)
}

// heldBy returns the type at the end of pointers, lists and maps, or one without end.
func heldBy(t reflect.Type) (held reflect.Type, endless bool) {
	for seen := []reflect.Type{}; ; t = t.Elem() {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		default:
			return t, false
		}
		if slices.Contains(seen, t) {
			return t, true
		}
		seen = append(seen, t)
	}
}

// checkKeys refuses a key of two fields, of which encoding/json fills one or none. A
// field may hide one of its own name in an embedded struct.
func checkKeys(t reflect.Type) error {
	type place struct {
		field reflect.StructField
		depth int
	}
	first := map[string]place{}
	var errs []error
	var walk func(t reflect.Type, depth int)
	walk = func(t reflect.Type, depth int) {
		for f := range t.Fields() {
			key, embedded := keyOf(f)
			if embedded != nil {
				walk(embedded, depth+1)
			}
			if key == "" {
				continue
			}
			other, twice := first[key]
			if !twice {
				first[key] = place{f, depth}
			} else if other.depth == depth || other.field.Name != f.Name {
				errs = append(errs, fmt.Errorf("field %s: the key %s is that of field %s too", fieldName(t, f), key, other.field.Name))
			}
		}
	}
	walk(t, 0)
	return errors.Join(errs...)
}

// keyOf returns the key of a field, or the struct whose fields are taken for those of
// the one that embeds it.
func keyOf(f reflect.StructField) (key string, embedded reflect.Type) {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case f.Tag.Get("json") == "-":
		return "", nil
	case f.Anonymous && name == "":
		t := f.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() == reflect.Struct {
			return "", t
		}
	}
	switch {
	case !f.IsExported():
		return "", nil
	case name == "":
		return f.Name, nil
	default:
		return name, nil
	}
}

// fieldName names a field for its author.
func fieldName(t reflect.Type, f reflect.StructField) string {
	if t.Name() == "" {
		return f.Name
	}
	return t.String() + "." + f.Name
}
