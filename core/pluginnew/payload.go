package pluginnew

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"github.com/tidwall/gjson"

	"github.com/hookarr/hookarr/core/shell"
)

// maxPayload bounds a body that a source begins from, in bytes. The largest that
// applications send are 3.5 MB, and one like them tells no more than a short one.
const maxPayload = 1 << 20

// maxNesting bounds how deep a body nests. Those of applications nest less than 10 levels.
const maxNesting = 100

// Payload is the body of a webhook: a JSON object.
type Payload struct{ data []byte }

// OpenPayload reads a body from a file.
func OpenPayload(name string) (*Payload, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable(err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("is a directory: give a file that has the body of one webhook")
	}
	return ReadPayload(name, f)
}

// ReadPayload reads a body, which commands know as file. The error says what was there in
// the place of a JSON object, and what mends it; it reads well after the name of the file.
func ReadPayload(file string, r io.Reader) (*Payload, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPayload+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if len(data) > maxPayload {
		return nil, fmt.Errorf("has more than %s: give a shorter body of the same kind", humanize.IBytes(maxPayload))
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := notObject(shell.Command(file), data); err != nil {
		return nil, err
	}
	return &Payload{data: data}, nil
}

func unreadable(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}

// notObject says what data is, if it is no JSON object with keys. The file is as a shell
// takes it.
func notObject(file string, data []byte) error {
	text := strings.TrimSpace(string(data))
	switch {
	case text == "":
		return errors.New("is empty: save the body of a webhook in it")
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return fmt.Errorf("is UTF-16, and JSON is UTF-8: iconv -f UTF-16 -t UTF-8 %s > utf8.json", file)
	case !utf8.ValidString(text):
		return fmt.Errorf("is not UTF-8 from byte %d on, as JSON has to be: save the body as it was sent", invalidAt(data))
	case !json.Valid(data):
		return notJSON(file, text)
	}
	switch root := gjson.Parse(text); {
	case root.IsArray():
		return fmt.Errorf("has an array, and a source makes one event of a request: give one of its objects: jq '.[0]' %s > one.json", file)
	case !root.IsObject():
		return fmt.Errorf("has a %s and no object with keys: give the whole body of a webhook", strings.ToLower(root.Type.String()))
	case len(root.Map()) == 0:
		return errors.New("has an object without keys: give a body that says something")
	case nesting(data) > maxNesting:
		return fmt.Errorf("nests %d levels, and no webhook more than %d: give a body that an application sent", nesting(data), maxNesting)
	}
	return nil
}

// nesting is how many levels of objects and arrays a JSON value has.
func nesting(data []byte) int {
	level, most := 0, 0
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		if err != nil {
			return most
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			level++
			most = max(most, level)
		case json.Delim('}'), json.Delim(']'):
			level--
		}
	}
}

// invalidAt returns where the first byte is that is no UTF-8.
func invalidAt(data []byte) int {
	at := 0
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			break
		}
		at, data = at+size, data[size:]
	}
	return at
}

// notJSON says what a text is that is no JSON.
func notJSON(file, text string) error {
	const save = ": save the body alone, which is what it sends"
	switch {
	case strings.HasPrefix(text, "curl "):
		return errors.New("has a curl command: save what follows its -d or --data, without the quotes of the shell")
	case regexp.MustCompile(`^[A-Z]+ \S+ HTTP/`).MatchString(text):
		return fmt.Errorf("has a whole request: save what follows the empty line: sed '1,/^\\r*$/d' %s > only-body.json", file)
	case strings.HasPrefix(text, "--") && strings.Contains(text, "Content-Disposition:"):
		return errors.New("has a form with parts, and a source that is begun from a body needs JSON" + save + " in one part")
	case strings.HasPrefix(text, "<"):
		return errors.New("has XML or HTML, and a source that is begun from a body needs JSON: begin without --from, and decode it in decode.go")
	case isForm(text):
		return errors.New("has a form, and a source that is begun from a body needs JSON: save the field that holds JSON, decoded; else begin without --from")
	}
	return fmt.Errorf("is no JSON: %w", where(text))
}

// isForm reports whether a text is the body of an HTML form.
func isForm(text string) bool {
	if strings.ContainsAny(text, "\n{ ") {
		return false
	}
	fields, err := url.ParseQuery(text)
	return err == nil && strings.Contains(text, "=") && len(fields) > 0
}

// where says what keeps a text from being JSON, and in which line.
func where(text string) error {
	d := json.NewDecoder(strings.NewReader(text))
	var first json.RawMessage
	err := d.Decode(&first)
	syntax, isSyntax := errors.AsType[*json.SyntaxError](err)
	switch {
	case err == nil:
		return errors.New("more follows the first value: save one body in a file")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it ends in the middle: save the whole body")
	case isSyntax:
		line := 1 + strings.Count(text[:min(int(syntax.Offset), len(text))], "\n")
		return fmt.Errorf("line %d: %s", line, strings.TrimPrefix(syntax.Error(), "json: "))
	default:
		return err
	}
}
