package template

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// print and println join values as fmt does not: with nothing between them, and with spaces.
func (r *run) print(values ...any) (string, error) { return r.joined("", values) }

func (r *run) println(values ...any) (string, error) {
	s, err := r.joined(" ", values)
	return s + "\n", err
}

func (r *run) joined(between string, values []any) (string, error) {
	texts, err := r.texts(values)
	if err != nil {
		return "", err
	}
	return r.bound(strings.Join(texts, between))
}

// printf is fmt.Sprintf with bounds that are known before it begins: fmt builds the whole
// before it writes any.
func (r *run) printf(format any, values ...any) (string, error) {
	f, err := r.text(format)
	if err != nil {
		return "", err
	}
	n, err := verbs(f)
	if err != nil {
		return "", err
	}
	longest := 64 // of a number
	args := make([]any, len(values))
	for i, v := range values {
		switch v.(type) {
		case bool, int, int64, float64, absent, absentDecimal:
			args[i] = v
			continue
		}
		s, err := r.text(v)
		if err != nil {
			return "", err
		}
		args[i], longest = s, max(longest, len(s))
	}
	// A character is at most \U0010ffff.
	const most, widestCharacter = 1 << 20, 10
	if n*(widestCharacter*longest+maxWidth) > most {
		return "", errText
	}
	return r.bound(fmt.Sprintf(f, args...))
}

// maxWidth is the most that a verb of printf may be wide, in characters.
const maxWidth = 999

// verbs counts the verbs of a format, which must have no great widths.
func verbs(format string) (int, error) {
	all := regexp.MustCompile(`%[-+# 0-9.*\[\]]*`).FindAllString(format, -1)
	wide := regexp.MustCompile(`[1-9]\d{3}|\*`)
	if slices.ContainsFunc(all, wide.MatchString) {
		return 0, fmt.Errorf("printf takes no * and no width above %d", maxWidth)
	}
	if strings.HasSuffix(format, "%") && !strings.HasSuffix(format, "%%") {
		return 0, errors.New("printf's format ends with a % that has no verb")
	}
	return len(all), nil
}

// shown shortens a text that an error repeats.
func shown(s string) string { return sdk.Cut(s, 40, sdk.Runes) }
