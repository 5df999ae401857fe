package config

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// notText finds the first line that no YAML can have. UTF-16, which begins with a
// byte order mark, is left to the YAML library.
func notText(raw []byte) (line int, message string) {
	if bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) {
		return 0, ""
	}
	for text := range bytes.Lines(raw) {
		line++
		if !utf8.Valid(text) {
			return line, "not text in UTF-8: save the file in this encoding"
		}
		if bytes.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) {
			return line, "not text: remove the control characters"
		}
	}
	return 0, ""
}

var (
	// lineOf finds the line in what the YAML library says.
	lineOf        = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// explain turns the errors of the YAML library into problems.
func (p *parser) explain(err error, raw []byte) error {
	messages := []string{err.Error()}
	if many, ok := errors.AsType[*yaml.TypeError](err); ok {
		messages = many.Errors
	}
	problems := make([]Problem, 0, len(messages))
	lines := strings.Split(string(raw), "\n")
	for _, message := range messages {
		line := 0
		if m := lineOf.FindStringSubmatch(message); m != nil {
			line, _ = strconv.Atoi(m[1])
			message = message[len(m[0]):]
		} else if m := unknownAnchor.FindStringSubmatch(message); m != nil {
			line = 1 + strings.Count(string(raw[:max(bytes.Index(raw, []byte("*"+m[1])), 0)]), "\n")
			message = "unknown anchor" // the name may be a secret that was meant literally
		}
		message = strings.TrimPrefix(message, "yaml: ")
		// Of the first line, the library tells the message alone.
		advice := advise(message, lines[min(max(line-1, 0), len(lines)-1)])
		if advice != "" {
			line = max(line, 1)
			message += "; " + advice
		}
		problems = append(problems, Problem{File: p.origin.file, Line: line, Message: "not YAML: " + message})
	}
	return &Error{Problems: problems}
}

// advise says what is mostly behind a message of the YAML library. The line that it
// names may be the one in which it began to read what it could not end.
func advise(message, line string) string {
	said := func(part string) bool { return strings.Contains(message, part) }
	switch {
	case strings.HasPrefix(strings.TrimLeft(line, " "), "\t"), said("violates indentation"):
		return "indent with spaces, not with tabs"
	case said("cannot start any token"):
		return "put text that begins with @, % or ` in quotes"
	case said("unknown anchor"), said("alphabetic or numeric character"):
		return `put text that begins with * or & in quotes, such as "*"`
	case said("unknown escape character"):
		return "put text with backslashes in single quotes"
	case said("expected comment or line break"):
		return "put text that begins with | or > in quotes"
	case said("block sequence entries"):
		return "begin a list in the line below its key, and put text that begins with - in quotes"
	case said("did not find expected ',' or"), said("expected node content"):
		return "here or in the next line, close the bracket, or put text that has one of {}[], in quotes"
	case said("mapping values are not"), said("did not find expected key"), said("did not find expected '-'"), said("could not find expected ':'"):
		return "here or near by, indent the keys of a section alike, write KEY: VALUE, and put text that has a colon in quotes"
	case said("unexpected end of stream"):
		return "close the quote that was opened here or above"
	default:
		return ""
	}
}
