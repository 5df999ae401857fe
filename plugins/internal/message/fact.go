package message

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/hookarr/hookarr/sdk"
)

func releaseOf(s story) sdk.Release {
	if s.Release == nil {
		return sdk.Release{}
	}
	return *s.Release
}

func downloadOf(s story) sdk.Download {
	if s.Download == nil {
		return sdk.Download{}
	}
	return *s.Download
}

func newSize(s story) int64 {
	return cmp.Or(total(s.Files), releaseOf(s).SizeBytes, downloadOf(s).SizeBytes)
}

// change is "before → after", or the one that is known.
func change(from, to string) string {
	from, to = line(from), line(to)
	switch {
	case from == "" || from == to:
		return to
	case to == "":
		return from
	default:
		return from + " → " + to
	}
}

// sizeChange is change of sizes, with a unit that both have named once.
func sizeChange(from, to int64) string {
	before, after := size(from), size(to)
	number, unit, _ := strings.Cut(before, " ")
	if before != after && after != "" && unit != "" && strings.HasSuffix(after, " "+unit) {
		before = number
	}
	return change(before, after)
}

// known is empty for the applications' word for a quality or a language that they could
// not tell.
func known(s string) string {
	if s = line(s); strings.EqualFold(s, "Unknown") {
		return ""
	}
	return s
}

func qualities(files []sdk.File) string {
	all := make([]string, 0, len(files))
	for _, f := range files {
		all = append(all, known(f.Quality))
	}
	return names(all)
}

func languages(s story) []string {
	var all []string
	for _, f := range s.Files {
		all = append(all, f.Languages...)
	}
	if len(all) == 0 {
		all = slices.Clone(releaseOf(s).Languages)
	}
	for i, l := range all {
		all[i] = known(l)
	}
	return all
}

// common is the value that all files share, or empty.
func common(files []sdk.File, of func(sdk.File) string) string {
	if len(files) == 0 {
		return ""
	}
	first := of(files[0])
	for _, f := range files[1:] {
		if of(f) != first {
			return ""
		}
	}
	return first
}

// names joins distinct values and counts those that are too many to read.
func names(all []string) string {
	distinct := set[string]{key: func(s string) string { return s }}
	for _, s := range all {
		if s = line(s); s != "" {
			distinct.add([]string{s})
		}
	}
	seen := distinct.all()
	if extra := len(seen) - namesMax; extra > 0 {
		seen = append(seen[:namesMax], "+"+strconv.Itoa(extra)+" more")
	}
	return strings.Join(seen, ", ")
}

// total is the size of files. One that is less than nothing is not known.
func total(files []sdk.File) int64 {
	var n int64
	for _, f := range files {
		n += max(f.SizeBytes, 0)
	}
	return max(n, 0)
}

func size(bytes int64) string {
	if bytes <= 0 {
		return ""
	}
	text := humanize.IBytes(uint64(bytes))
	if strings.HasPrefix(text, "1024 ") { // a GiB less a few bytes, as of files that make one up
		text = humanize.IBytes(uint64(bytes + bytes/1024))
	}
	return text
}

// lasting is a duration in its two largest units: "2 h 5 min".
func lasting(d time.Duration) string {
	const day = 24 * time.Hour
	if d <= 0 {
		return ""
	}
	parts := func(large time.Duration, name string, small time.Duration, smallName string) string {
		s := fmt.Sprintf("%d %s", d/large, name)
		if rest := d % large / small; rest > 0 {
			s += fmt.Sprintf(" %d %s", rest, smallName)
		}
		return s
	}
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < day:
		return parts(time.Hour, "h", time.Minute, "min")
	default:
		return parts(day, "d", time.Hour, "h")
	}
}

func video(i *sdk.MediaInfo) string {
	if i == nil {
		return ""
	}
	resolution := ""
	if i.Width > 0 && i.Height > 0 {
		resolution = fmt.Sprintf("%d×%d", i.Width, i.Height)
	}
	return strings.Join([]string{i.VideoCodec, resolution, i.DynamicRange}, " ")
}

func audio(i *sdk.MediaInfo) string {
	if i == nil {
		return ""
	}
	parts := []string{i.AudioCodec}
	if i.AudioChannels > 0 {
		parts = append(parts, strconv.FormatFloat(i.AudioChannels, 'g', 3, 64))
	}
	if tongues := names(i.AudioLanguages); tongues != "" {
		parts = append(parts, "("+tongues+")")
	}
	return strings.Join(parts, " ")
}

func subtitles(i *sdk.MediaInfo) string {
	if i == nil {
		return ""
	}
	return names(i.Subtitles)
}

// base is the last element of a path of Windows or Unix.
func base(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }
