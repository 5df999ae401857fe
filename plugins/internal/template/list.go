package template

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// listFunctions are those that work on lists.
func (r *run) listFunctions() map[string]any {
	return map[string]any{
		"join":     r.join,     // join ", " LIST
		"first":    end(first), // the first of a list
		"last":     end(last),
		"limit":    r.limit, // limit 5 LIST: at most the first five
		"index":    r.index, // index LIST 0, or index OBJECT "name"; nothing where it has none
		"len":      r.length,
		"pluck":    r.pluck,    // pluck "quality" LIST: that field of each; lists of lists become one
		"distinct": r.distinct, // without what came before
		"sum":      r.sum,      // sum LIST of numbers
	}
}

var errNoList = errors.New("this needs a list, such as .event.files")

// listOf returns a value's list. What is empty is an empty one.
func listOf(v any) (list, error) {
	switch v := v.(type) {
	case list:
		return v, nil
	case nil:
		return nil, nil
	default:
		if empty(v) {
			return nil, nil
		}
		return nil, errNoList
	}
}

// empty reports whether a value prints as nothing.
func empty(v any) bool {
	switch v := v.(type) {
	case object:
		return len(v) == 0
	case list:
		return len(v) == 0
	default:
		return text(v) == ""
	}
}

func (r *run) join(between, v any) (string, error) {
	l, err := listOf(v)
	if err != nil {
		return "", err
	}
	separator, err := r.text(between)
	if err != nil {
		return "", err
	}
	texts, err := r.texts(l)
	if err != nil {
		return "", err
	}
	if len(separator)*len(l) > maxOutput {
		return "", errText
	}
	return r.bound(strings.Join(texts, separator))
}

func first(l list) any { return l[0] }
func last(l list) any  { return l[len(l)-1] }

func end(of func(list) any) func(any) (any, error) {
	return func(v any) (any, error) {
		l, err := listOf(v)
		if err != nil || len(l) == 0 {
			return "", err
		}
		return of(l), nil
	}
}

func (r *run) limit(most, v any) (list, error) {
	n, err := whole(most)
	if err != nil {
		return nil, err
	}
	l, err := listOf(v)
	if err != nil {
		return nil, err
	}
	return l[:min(max(n, 0), int64(len(l)))], nil
}

func (r *run) index(v any, keys ...any) (any, error) {
	for _, key := range keys {
		switch of := v.(type) {
		case object:
			name, err := r.text(key)
			if err != nil {
				return nil, err
			}
			v = of[name]
		case list:
			i, err := whole(key)
			switch {
			case err != nil:
				return nil, err
			case i < 0:
				return nil, fmt.Errorf("index %d: the first is 0", i)
			case i >= int64(len(of)):
				v = nil
			default:
				v = of[i]
			}
		default:
			if !empty(v) {
				return nil, errors.New("index needs a list or an object")
			}
			v = nil
		}
	}
	if v == nil {
		return "", nil
	}
	return v, nil
}

func (r *run) length(v any) (int, error) {
	switch v := v.(type) {
	case list:
		return len(v), nil
	case object:
		return len(v), nil
	default:
		s, err := r.text(v)
		return utf8.RuneCountInString(s), err
	}
}

func (r *run) pluck(name, v any) (list, error) {
	l, err := listOf(v)
	if err != nil {
		return nil, err
	}
	field, err := r.text(name)
	if err != nil {
		return nil, err
	}
	all := list{}
	for _, item := range l {
		o, ok := item.(object)
		if !ok {
			return nil, errors.New("pluck needs a list of what has fields, such as .event.files")
		}
		some, ok := o[field].(list)
		if member := o[field]; !ok && member != nil {
			some = list{member}
		}
		if _, err := r.step(1 + len(some)); err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func (r *run) distinct(v any) (list, error) {
	l, err := listOf(v)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	all := list{}
	for _, item := range l {
		s, err := r.text(item)
		if err != nil {
			return nil, err
		}
		if !seen[s] {
			seen[s] = true
			all = append(all, item)
		}
	}
	return all, nil
}

func (r *run) sum(v any) (int64, error) {
	l, err := listOf(v)
	if err != nil {
		return 0, err
	}
	if _, err := r.step(len(l)); err != nil {
		return 0, err
	}
	var total int64
	for _, item := range l {
		n, err := whole(item)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// episodes names episodes by their ranges.
func (r *run) episodes(v any) (string, error) {
	if o, ok := v.(object); ok {
		v = list{o}
	}
	l, err := listOf(v)
	if err != nil {
		return "", err
	}
	var all list
	for _, item := range l {
		some := list{item}
		if o, ok := item.(object); ok && o["type"] != nil { // an event
			some, _ = o["episodes"].(list)
		}
		if _, err := r.step(1 + len(some)); err != nil {
			return "", err
		}
		all = append(all, some...)
	}
	return r.text(ranges(all))
}

// place is an episode that has a number.
type place struct{ season, number int }

// ranges are S02E01–E12, S03E01, 2026-04-23.
func ranges(episodes list) list {
	var places []place
	var others []string
	for _, v := range episodes {
		o, _ := v.(object)
		season, ok := o["season"].(int)
		number, numbered := o["number"].(int)
		code := text(o["code"])
		if ok && numbered && (code == "" || strings.HasPrefix(code, "S")) {
			places = append(places, place{season, number})
		} else if code = strings.TrimSpace(cmp.Or(code, text(o["air_date"]), text(o["title"]))); code != "" {
			others = append(others, code)
		}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.season, b.season), cmp.Compare(a.number, b.number)) })
	places = slices.Compact(places)
	var parts list
	for i := 0; i < len(places); {
		j := i + 1
		for j < len(places) && places[j] == (place{places[i].season, places[j-1].number + 1}) {
			j++
		}
		part := fmt.Sprintf("S%02dE%02d", places[i].season, places[i].number)
		if j > i+1 {
			part += fmt.Sprintf("–E%02d", places[j-1].number)
		}
		parts = append(parts, part)
		i = j
	}
	slices.Sort(others)
	for _, code := range slices.Compact(others) {
		parts = append(parts, code)
	}
	return parts
}
