package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes, written with a unit: 64MiB.
type Size int64

// The units of a Size.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

// String returns the size in the largest unit that gives a whole number.
func (s Size) String() string {
	switch {
	case s != 0 && s%GiB == 0:
		return fmt.Sprintf("%dGiB", s/GiB)
	case s != 0 && s%MiB == 0:
		return fmt.Sprintf("%dMiB", s/MiB)
	default:
		return fmt.Sprintf("%dKiB", s/KiB)
	}
}

var errSize = errors.New("want a size with a unit, KiB, MiB or GiB, such as 64MiB")

func parseSize(raw any, text string) (Size, error) {
	if raw == 0 || text == "0" { // the environment has texts alone
		return 0, nil
	}
	for unit, size := range map[string]Size{"KiB": KiB, "MiB": MiB, "GiB": GiB} {
		number, ok := strings.CutSuffix(text, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/int64(size) {
			return 0, errSize
		}
		return Size(n) * size, nil
	}
	return 0, errSize
}
