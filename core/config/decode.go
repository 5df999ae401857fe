package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// decoder walks the merged settings and the struct side by side, so that everything
// wrong is found in one pass and has its place.
type decoder struct {
	origin  *origin
	environ map[string]string
	// given are the keys that were set, used the variables that ${} named.
	given, used, hidden map[string]bool
	// read are the files of secrets.
	read               []string
	problems, warnings []Problem
	// literal is the first key whose secret the file itself holds.
	literal string
}

func (d *decoder) problem(key, format string, args ...any) {
	d.problems = append(d.problems, d.origin.problem(key, fmt.Sprintf(format, args...)))
}

func (d *decoder) warn(key, format string, args ...any) {
	d.warnings = append(d.warnings, d.origin.problem(key, fmt.Sprintf(format, args...)))
}

// decode sets to from raw. A key without a value leaves the default; a section
// without one is there.
func (d *decoder) decode(key string, raw any, to reflect.Value) {
	if key != "" {
		d.given[key] = true
	}
	if to.Kind() == reflect.Pointer {
		if raw == nil && !isSection(to.Type().Elem()) {
			return
		}
		to.Set(reflect.New(to.Type().Elem()))
		to = to.Elem()
		setDefaults(to)
	}
	switch {
	case raw == nil:
	case to.Type() == groupType && (raw == "off" || raw == false || raw == "false"):
		to.FieldByName("By").SetString(GroupNone)
	case isSection(to.Type()):
		d.section(key, raw, to)
	case to.Type() == settingsType:
		d.settings(key, raw, to)
	case to.Kind() == reflect.Map:
		d.names(key, raw, to)
	case to.Kind() == reflect.Slice:
		d.list(key, raw, to)
	default:
		d.scalar(key, raw, to)
	}
}

func setDefaults(v reflect.Value) {
	if s, ok := reflect.TypeAssert[defaulter](v.Addr()); ok {
		s.setDefaults()
	}
}

func (d *decoder) section(key string, raw any, to reflect.Value) {
	values, ok := raw.(map[string]any)
	if !ok {
		d.problem(key, "want keys and values here: %s", strings.Join(keysOf(to.Type()), ", "))
		return
	}
	known := fields(to.Type())
	for _, name := range slices.Sorted(maps.Keys(values)) {
		child := join(key, name)
		if i := slices.IndexFunc(known, func(f field) bool { return f.takes(name) }); i >= 0 {
			if value := to.Field(known[i].index); known[i].open {
				d.entry(key, name, values[name], value)
			} else {
				d.decode(child, values[name], value)
			}
			continue
		}
		i := slices.IndexFunc(known, func(f field) bool { return f.name+fileSuffix == name && isSecret(f.typ) })
		if i < 0 {
			d.unknown(child, name, keysOf(to.Type()))
			continue
		}
		d.twin(child, values[name], join(key, known[i].name), to.Field(known[i].index))
	}
}

func (d *decoder) unknown(key, name string, known []string) {
	suggestion := Suggest(name, known)
	beforeColon, _, _ := strings.Cut(name, ":")
	switch {
	case suggestion != "":
		d.problem(key, "unknown key%s", suggestion)
	case slices.Contains(known, beforeColon):
		d.problem(key, "unknown key: write a space after the colon, %s: …", beforeColon)
	case len(known) == 0:
		d.problem(key, "unknown key: nothing can be set here")
	case key == name:
		d.problem(key, "unknown key: indent it if it belongs to the section above; known here: %s", strings.Join(known, ", "))
	default:
		d.problem(key, "unknown key; known here: %s", strings.Join(known, ", "))
	}
}

// keysOf returns what may be written in a section.
func keysOf(t reflect.Type) []string {
	var names []string
	for _, f := range fields(t) {
		names = append(names, f.name)
		if isSecret(f.typ) {
			names = append(names, f.name+fileSuffix)
		}
	}
	return names
}

// names decodes a map of named sections.
func (d *decoder) names(key string, raw any, to reflect.Value) {
	values, ok := raw.(map[string]any)
	if !ok {
		d.problem(key, "want names with a section each, such as %s: {my-name: {plugin: …}}", key)
		return
	}
	to.Set(reflect.MakeMap(to.Type()))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		d.entry(key, name, values[name], to)
	}
}

// entry decodes one section of a map.
func (d *decoder) entry(key, name string, raw any, to reflect.Value) {
	if to.IsNil() {
		to.Set(reflect.MakeMap(to.Type()))
	}
	item := reflect.New(to.Type().Elem()).Elem()
	setDefaults(item)
	d.decode(join(key, name), raw, item)
	to.SetMapIndex(reflect.ValueOf(name), item)
}

func (d *decoder) list(key string, raw any, to reflect.Value) {
	var items []any
	switch raw := raw.(type) {
	case []any:
		items = raw
	case string:
		if isSection(to.Type().Elem()) {
			d.problem(key, "want a list: put it in brackets")
			return
		}
		if d.origin.layerOf(key) == fromFile {
			items = []any{raw}
			break
		}
		for part := range strings.SplitSeq(raw, ",") {
			if part = strings.TrimSpace(part); part != "" {
				items = append(items, part)
			}
		}
	default:
		d.problem(key, "want a list: put it in brackets")
		return
	}
	list := reflect.MakeSlice(to.Type(), len(items), len(items))
	for i, item := range items {
		d.decode(fmt.Sprintf("%s[%d]", key, i), item, list.Index(i))
	}
	to.Set(list)
}

// scalar never repeats a value in a problem: it may be a secret in the wrong place.
func (d *decoder) scalar(key string, raw any, to reflect.Value) {
	text, isText := raw.(string)
	if to.Type() == secretType && (key != "database.url" || hasPassword(text)) {
		d.noteLiteral(key, text)
	}
	if isText {
		text = d.expand(key, text)
	}
	switch to.Interface().(type) {
	case time.Duration:
		if duration, err := parseDuration(raw, text); err != nil {
			d.problem(key, "%s", err)
		} else {
			to.SetInt(int64(duration))
		}
		return
	case Size:
		if size, err := parseSize(raw, text); err != nil {
			d.problem(key, "%s", err)
		} else {
			to.SetInt(int64(size))
		}
		return
	case netip.Prefix:
		if prefix, err := parsePrefix(text); err != nil {
			d.problem(key, "want an address or a network such as 192.168.0.0/16 or fd00::/8")
		} else {
			to.Set(reflect.ValueOf(prefix))
		}
		return
	}
	switch to.Kind() {
	case reflect.String:
		if !isText {
			d.problem(key, "want text: put it in quotes")
			return
		}
		to.SetString(text)
	case reflect.Bool:
		b, ok := raw.(bool)
		if isText {
			b, ok = text == "true", text == "true" || text == "false"
		}
		if !ok {
			d.problem(key, "want true or false")
			return
		}
		to.SetBool(b)
	case reflect.Int:
		n, ok := raw.(int)
		if isText {
			parsed, err := strconv.Atoi(text)
			n, ok = parsed, err == nil
		}
		if !ok {
			d.problem(key, "want a whole number")
			return
		}
		to.SetInt(int64(n))
	case reflect.Float64:
		number, ok := asFloat(raw)
		if isText {
			parsed, err := strconv.ParseFloat(text, 64)
			number, ok = parsed, err == nil
		}
		if !ok || math.IsNaN(number) || math.IsInf(number, 0) {
			d.problem(key, "want a number")
			return
		}
		to.SetFloat(number)
	default:
		d.problem(key, "cannot be set")
	}
}

func asFloat(raw any) (float64, bool) {
	switch n := raw.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	default:
		return 0, false
	}
}

// errDuration says what a duration looks like.
var errDuration = errors.New("want a duration with a unit, such as 500ms, 30s, 5m, 12h, 7d, 2w or 1d12h")

func parseDuration(raw any, text string) (time.Duration, error) {
	if raw == 0 {
		return 0, nil
	}
	duration, err := sdk.ParseDuration(text)
	if err != nil {
		return 0, errDuration
	}
	return duration, nil
}

// parsePrefix reads a network, or an address as the network of one.
func parsePrefix(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		prefix, err := netip.ParsePrefix(text)
		return prefix.Masked(), err
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return addr.Prefix(addr.BitLen())
}
