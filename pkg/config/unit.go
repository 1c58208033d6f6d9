package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span that is written with units: 500ms, 5s, 1h30m, 7d.
type Duration time.Duration

// Size is a number of bytes that is written with its unit: 512KiB, 8MiB, 2GiB.
type Size int64

// unit is one unit of a Duration or a Size.
type unit struct {
	name string
	n    int64
}

var (
	durationUnits = []unit{{"d", int64(24 * time.Hour)}, {"h", int64(time.Hour)}, {"m", int64(time.Minute)}, {"s", int64(time.Second)}, {"ms", int64(time.Millisecond)}}
	sizeUnits     = []unit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}
)

var (
	errDuration = errors.New("must be a duration with its unit: d, h, m, s or ms")
	errSize     = errors.New("must be a size with its unit: B, KiB, MiB, GiB or TiB")
	errTooLarge = errors.New("is too large")
)

// ParseDuration reads whole numbers with units, the larger unit first.
func ParseDuration(s string) (Duration, error) {
	n, err := parseUnits(s, durationUnits)
	if errors.Is(err, errSyntax) {
		return 0, errDuration
	}
	return Duration(n), err
}

// ParseSize reads one whole number with its unit.
func ParseSize(s string) (Size, error) {
	n, err := parseUnits(s, sizeUnits)
	if errors.Is(err, errSyntax) {
		return 0, errSize
	}
	return Size(n), err
}

// errSyntax: no number with a unit.
var errSyntax = errors.New("syntax")

// parseUnits reads numbers with units in falling order and adds them up.
func parseUnits(s string, units []unit) (int64, error) {
	if s == "" {
		return 0, errSyntax
	}
	total := int64(0)
	for s != "" {
		digits := 0
		for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
			digits++
		}
		end := digits
		for end < len(s) && (s[end] < '0' || s[end] > '9') {
			end++
		}
		at := indexUnit(units, s[digits:end])
		if digits == 0 || at < 0 {
			return 0, errSyntax
		}
		n, err := strconv.ParseInt(s[:digits], 10, 64)
		if err != nil || n > (math.MaxInt64-total)/units[at].n {
			return 0, errTooLarge
		}
		total += n * units[at].n
		units = units[at+1:]
		s = s[end:]
	}
	return total, nil
}

func indexUnit(units []unit, name string) int {
	for i := range units {
		if units[i].name == name {
			return i
		}
	}
	return -1
}

// String writes d with the units that it takes, so that ParseDuration returns d again.
func (d Duration) String() string { return formatUnits(int64(d), durationUnits, "0s") }

// String writes s with one unit, the largest that divides it.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && int64(s)%u.n == 0 {
			return strconv.FormatInt(int64(s)/u.n, 10) + u.name
		}
	}
	return "0B"
}

func formatUnits(n int64, units []unit, zero string) string {
	var b strings.Builder
	for _, u := range units {
		if n >= u.n {
			fmt.Fprintf(&b, "%d%s", n/u.n, u.name)
			n %= u.n
		}
	}
	if b.Len() == 0 {
		return zero
	}
	return b.String()
}

// MarshalText writes d as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalText writes s as String does.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
