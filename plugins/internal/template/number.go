package template

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

var errNoNumber = errors.New("this needs a whole number, such as .count")

// whole returns the whole number that a value is, or is the text of. What is empty is 0.
func whole(v any) (int64, error) {
	switch n := reflect.ValueOf(v); {
	case !n.IsValid():
		return 0, nil
	case n.CanInt():
		return n.Int(), nil
	case n.CanFloat() && math.Abs(n.Float()) < math.MaxInt64:
		return int64(n.Float()), nil
	}
	if empty(v) {
		return 0, nil
	}
	const longest = 64 // bytes, with spaces around it
	if room(v, longest) < 0 {
		return 0, errNoNumber
	}
	s := strings.TrimSpace(text(v))
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil && s != "" {
		return 0, fmt.Errorf("%q is no whole number", shown(s))
	}
	return n, nil
}

func add(a, b any) (int64, error) {
	x, err := whole(a)
	if err != nil {
		return 0, err
	}
	y, err := whole(b)
	return x + y, err
}

func subtract(a, b any) (int64, error) {
	x, err := whole(a)
	if err != nil {
		return 0, err
	}
	y, err := whole(b)
	return x - y, err
}

// size is nothing for a size that is not known.
func size(v any) (string, error) {
	n, err := whole(v)
	if err != nil || n <= 0 {
		return "", err
	}
	return humanize.IBytes(uint64(n)), nil
}

// duration writes the two largest units of seconds.
func duration(v any) (string, error) {
	seconds, err := whole(v)
	if err != nil || seconds < 0 {
		return "", err
	}
	var parts []string
	for _, unit := range []struct {
		name    string
		seconds int64
	}{{"d", 86_400}, {"h", 3_600}, {"m", 60}, {"s", 1}} {
		if n := seconds / unit.seconds; n > 0 && len(parts) < 2 {
			parts = append(parts, strconv.FormatInt(n, 10)+unit.name)
		} else if len(parts) > 0 {
			break
		}
		seconds %= unit.seconds
	}
	if len(parts) == 0 {
		return "0s", nil
	}
	return strings.Join(parts, " "), nil
}

// elapsed returns the seconds between two times, or nothing where one is not known.
func (r *run) elapsed(from, to any) (any, error) {
	var at [2]time.Time
	for i, v := range []any{from, to} {
		s, err := r.text(v)
		if s == "" {
			return absent(0), err
		}
		if at[i], err = time.Parse(time.RFC3339, s); err != nil {
			return nil, fmt.Errorf("%q is no time such as 2006-01-02T15:04:05Z", shown(s))
		}
	}
	return int64(at[1].Sub(at[0]).Seconds()), nil
}
