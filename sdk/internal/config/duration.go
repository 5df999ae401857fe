package config

import (
	"regexp"
	"strconv"
	"time"
)

// longUnits are numbers with the units that package time does not have.
var longUnits = regexp.MustCompile(`([0-9]+(?:\.[0-9]*)?)([dw])`)

// ParseDuration reads a duration with the units of package time, and d and w besides: a
// day is 24 hours, a week 7 days.
func ParseDuration(s string) (time.Duration, error) {
	return time.ParseDuration(longUnits.ReplaceAllStringFunc(s, func(part string) string {
		unit := len(part) - 1
		hours := 24.0
		if part[unit] == 'w' {
			hours *= 7
		}
		n, err := strconv.ParseFloat(part[:unit], 64)
		if err != nil {
			return part
		}
		return strconv.FormatFloat(n*hours, 'f', -1, 64) + "h"
	}))
}
