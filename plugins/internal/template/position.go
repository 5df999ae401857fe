package template

import (
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"
)

// errorAt adds the place to an error, which is at a byte of the source.
func errorAt(source string, at int, err error) error {
	before := source[:min(max(at, 0), len(source))]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:])
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

// explainParse puts an error of the parser in plain words. The parser knows the line alone.
func explainParse(source string, err error) error {
	said := err.Error()
	message := said
	if m := regexp.MustCompile(`(?s)^template: ` + mainName + `:\d+: (.*)$`).FindStringSubmatch(said); m != nil {
		message = m[1]
	}
	if message == "unexpected EOF" {
		return errorAt(source, len(source), errors.New("it ends before the {{end}} of an if, range, with, define or block"))
	}
	at := endOfProblem(source, said)
	if word := strings.Trim(regexp.MustCompile(`"[^"]+"|{{\w+}}`).FindString(message), `"`); strings.HasSuffix(source[:at], word) {
		at -= len(word) // to where it begins
	}
	if m := regexp.MustCompile(`^function "(.*)" not defined$`).FindStringSubmatch(message); m != nil {
		message = fmt.Sprintf("there is no function %q", m[1])
	}
	if m := regexp.MustCompile(`^undefined variable "(.*)"$`).FindStringSubmatch(message); m != nil {
		message = "there is no variable " + m[1]
	}
	if strings.HasPrefix(message, "unclosed action") {
		message = "this {{ is not closed by }}"
		at = strings.LastIndex(source, "{{")
	}
	return errorAt(source, at, errors.New(message))
}

// endOfProblem returns where the parser comes upon an error: it reads ever shorter beginnings
// of the source, until one has another error. A beginning that ends within a word or a }} may
// have one of its own, so those shortly before are tried too.
func endOfProblem(source, said string) int {
	fails := func(n int) bool {
		_, err := parseTrees(source[:n])
		return err != nil && err.Error() == said
	}
	at := sort.Search(len(source), fails)
	for n := max(at-64, 0); n < at; n++ {
		if fails(n) {
			return n
		}
	}
	return at
}

// explainExecution puts an error of an execution in plain words.
func explainExecution(source string, err error) error {
	at := regexp.MustCompile(`(?s)^template: ` + mainName + `:(\d+):(\d+): executing .*?>: (.*)$`).FindStringSubmatch(err.Error())
	if at == nil {
		return plainError(err)
	}
	line, _ := strconv.Atoi(at[1])   // the expression took digits alone
	column, _ := strconv.Atoi(at[2]) // in bytes, from 0
	offset := 0
	for range line - 1 {
		offset += strings.IndexByte(source[offset:], '\n') + 1
	}
	if cause := innermost(err); cause != nil {
		return errorAt(source, offset+column, cause)
	}
	return errorAt(source, offset+column, errors.New(at[3]))
}

// innermost returns the error of a function that a template called, or nil.
func innermost(err error) error {
	if execution, ok := errors.AsType[template.ExecError](err); ok {
		err = execution.Err
	}
	cause := errors.Unwrap(err)
	for cause != nil && errors.Unwrap(cause) != nil {
		cause = errors.Unwrap(cause)
	}
	return cause
}

// plainError is an error without a place in the source, such as that of the output.
func plainError(err error) error {
	if errors.Is(err, errOutput) {
		return errOutput
	}
	return err
}
