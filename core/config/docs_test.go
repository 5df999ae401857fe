package config

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/docs"
)

// documentedKeys are all keys with their defaults, in the order of the documentation. Names
// and lists stand for what is in them: sources.NAME, routes[].
func documentedKeys() [][2]string {
	var all [][2]string
	var walk func(key string, v reflect.Value)
	walk = func(key string, v reflect.Value) {
		if v.Kind() == reflect.Pointer && !isSection(v.Type().Elem()) {
			all = append(all, [2]string{key, ""}) // what is not given is something else than 0
			return
		}
		if v.Kind() == reflect.Pointer {
			v = reflect.New(v.Type().Elem()).Elem()
			setDefaults(v)
		}
		below := func(key string, t reflect.Type) {
			item := reflect.New(t).Elem()
			setDefaults(item)
			walk(key, item)
		}
		switch t := v.Type(); {
		case t == settingsType || t == reflect.TypeFor[None]():
			all = append(all, [2]string{key, ""})
		case t.Kind() == reflect.Map:
			below(key+".NAME", t.Elem())
		case t.Kind() == reflect.Slice && isSection(t.Elem()):
			below(key+"[]", t.Elem())
		case isSection(t):
			for _, f := range fields(t) {
				if f.open {
					below(join(key, "KIND-NAME"), f.typ.Elem())
					continue
				}
				walk(join(key, f.name), v.Field(f.index))
			}
		default:
			all = append(all, [2]string{key, shownDefault(v)})
		}
	}
	var c Config
	setDefaults(reflect.ValueOf(&c).Elem())
	walk("", reflect.ValueOf(c))
	return all
}

// shownDefault is a default as somebody would write it; what is empty has none.
func shownDefault(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		if value == 0 {
			return "" // of some keys, others decide
		}
		if value%(24*time.Hour) == 0 && value > 0 {
			return strconv.Itoa(int(value/(24*time.Hour))) + "d"
		}
		return regexp.MustCompile(`(\D)0s$|(\D)0m0s$`).ReplaceAllString(value.String(), "$1$2")
	case Size:
		if value == 0 {
			return ""
		}
		return fmt.Sprintf("%dMiB", value/MiB)
	}
	switch {
	case v.Kind() == reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = fmt.Sprint(v.Index(i).Interface())
		}
		return strings.Join(items, ", ")
	case v.Type() == secretType:
		return v.String()
	case v.IsZero() && v.Kind() != reflect.Bool:
		return ""
	}
	return fmt.Sprint(v.Interface())
}

// TestEveryKeyIsDocumented compares the tables of the reference with the keys and their
// defaults, but for empty ones.
func TestEveryKeyIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	rows := map[string]string{}
	var order []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z][\\w.\\[\\]-]*|[a-z]\\S*KIND-NAME\\S*)` \\| .* \\| (.*?) ?\\|$").FindAllStringSubmatch(string(page), -1) {
		require.NotContains(t, rows, row[1], "%s is documented twice", row[1])
		rows[row[1]] = row[2]
		order = append(order, row[1])
	}
	var keys []string
	for _, key := range documentedKeys() {
		keys = append(keys, key[0])
		shown, ok := rows[key[0]]
		if !ok {
			t.Errorf("docs/configuration.md does not have %s (default %q)", key[0], key[1])
			continue
		}
		if key[1] != "" && !strings.HasPrefix(shown, "`"+key[1]+"`") {
			t.Errorf("docs/configuration.md: the default of %s is %q, not %s", key[0], key[1], shown)
		}
	}
	require.Greater(t, len(keys), 100)
	for _, key := range order {
		require.Contains(t, keys, key, "docs/configuration.md has a key that there is not")
	}
}

// others are variables that are no keys: of commands, and the plugins' cookie.
var others = []string{"HOOKARR_TOKEN", "HOOKARR_PLUGIN", "HOOKARR_MOVE_TO"}

// TestDocumentedVariablesSetSomething is of every variable that any page names.
func TestDocumentedVariablesSetSomething(t *testing.T) {
	t.Parallel()
	site, err := docs.Load(os.DirFS("../.."))
	require.NoError(t, err)
	found := 0
	for name := range site.Pages {
		content, err := os.ReadFile("../../" + name)
		require.NoError(t, err)
		for _, variable := range regexp.MustCompile(`\bHOOKARR_[A-Z0-9_]*[A-Z0-9]\b`).FindAllString(string(content), -1) {
			found++
			if _, ok := envKey(variable); !ok && !slices.Contains(others, variable) {
				t.Errorf("%s: %s sets nothing", name, variable)
			}
		}
	}
	require.Greater(t, found, 10)
}
