package arr

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// maxLine is the most characters in a title or in a part of a summary.
const maxLine = 300

// OneLine makes s fit for one line: without line breaks, control characters and
// characters that turn the direction of the text around them, and not too long.
func OneLine(s string) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = n > 0
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			continue
		case n >= maxLine:
			return b.String() + "…"
		}
		if space {
			b.WriteByte(' ')
			space = false
			n++
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// Words spells out a name in camel case: IndexerStatusCheck is "indexer status
// check". Capitals in a row stay: PTPSettings is "PTP settings".
func Words(s string) string {
	runes := []rune(OneLine(s))
	var b strings.Builder
	for i, r := range runes {
		nextLower := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(r) {
			if i > 0 && (nextLower || !unicode.IsUpper(runes[i-1])) && runes[i-1] != ' ' {
				b.WriteByte(' ')
			}
			if nextLower {
				r = unicode.ToLower(r)
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Capital is s with a capital first letter.
func Capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// Bytes is a size for people, or empty for none.
func Bytes(n int64) string {
	if n <= 0 {
		return ""
	}
	return humanize.IBytes(uint64(n))
}

// Join is the parts that are not empty, separated.
func Join(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), separator)
}

// Phrase is a space, a preposition and s, to go on in a sentence, or empty without s.
func Phrase(preposition, s string) string {
	if s == "" {
		return ""
	}
	return " " + preposition + " " + s
}

// Parenthesis is a space and the parts in parentheses, or empty without parts.
func Parenthesis(parts ...string) string {
	s := Join(", ", parts...)
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// Date is the date of s as YYYY-MM-DD, or empty when s does not begin with one. It is
// empty for 9999-12-31 too, by which Radarr says that it knows none.
func Date(s string) string {
	t, err := time.Parse(time.DateOnly, s[:min(len(s), len(time.DateOnly))])
	if err != nil || t.Year() == 9999 {
		return ""
	}
	return t.Format(time.DateOnly)
}

// Moment is a time as events have it, in whole seconds, or empty when s is none. It is
// empty for the year 1 too, by which the applications say that they know none.
func Moment(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() <= 1 {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Path is where a file is. The folder with the relative path is sure; the full path
// that versions before 2024 send of a new file is often the download's.
func Path(folder, relative, full string) string {
	if folder == "" || relative == "" {
		return full
	}
	separators := separatorsOf(folder)
	separator := "/"
	if strings.Contains(folder, `\`) && separators != "/" {
		separator = `\`
	}
	return strings.TrimRight(folder, separators) + separator + strings.TrimLeft(relative, separators)
}

// Base is the last element of a path of Windows or Unix.
func Base(path string) string {
	separators := separatorsOf(path)
	path = strings.TrimRight(path, separators)
	return path[strings.LastIndexAny(path, separators)+1:]
}

// FolderOf is the name of the folder in which the first of several files is, or empty.
func FolderOf(lists ...List[File]) string {
	for _, files := range lists {
		if len(files) > 0 {
			path := files[0].Path
			separators := separatorsOf(path)
			return OneLine(Base(strings.TrimRight(path[:max(0, strings.LastIndexAny(path, separators))], separators)))
		}
	}
	return ""
}

// separatorsOf knows that a backslash is a letter like any other on Unix.
func separatorsOf(path string) string {
	if strings.HasPrefix(path, "/") {
		return "/"
	}
	return `/\`
}

// Fingerprint is a key of a kind of event and the parts that tell one from the next.
// It is empty when all parts are, because repetitions cannot be told then.
func Fingerprint(kind string, parts ...string) string {
	if strings.Join(parts, "") == "" {
		return ""
	}
	h := sha256.New()
	for _, s := range append([]string{kind}, parts...) {
		// Lengths keep ("a", "bc") and ("ab", "c") apart.
		h.Write([]byte(strconv.Itoa(len(s)) + ":" + s))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// maxKey is the longest correlation key that is left readable.
const maxKey = 200

// Key is a correlation key: its parts with colons. It is empty when the last part
// is, because it would tie together what does not belong together.
func Key(parts ...string) string {
	if parts[len(parts)-1] == "" {
		return ""
	}
	key := strings.Join(parts, ":")
	if len(key) > maxKey || strings.ContainsFunc(key, unicode.IsControl) {
		return parts[0] + ":" + Fingerprint(key, key)
	}
	return key
}
