package arr

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hookarr/hookarr/sdk"
)

// maxBody is more than any Arr sends: a season of a thousand files is 3.5 MB.
const maxBody = 32 << 20

// Unmarshal decodes a body into a payload. Fields of an unexpected type keep their
// zero value. The error says what is wrong with the body and is marked as invalid.
func Unmarshal(body []byte, payload any) error {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\uFEFF")))
	switch {
	case len(body) == 0:
		return sdk.Invalid(errors.New("the body is empty"))
	case len(body) > maxBody:
		return sdk.Invalid(fmt.Errorf("the body has %d bytes, more than %d", len(body), maxBody))
	}
	err := json.Unmarshal(bounded(body), payload)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		if syntax.Offset >= int64(len(body)) && strings.Contains(syntax.Error(), "unexpected end") {
			return sdk.Invalid(fmt.Errorf("the body is cut off after %d bytes", len(body)))
		}
		return sdk.Invalid(fmt.Errorf("the body is not JSON: %w at byte %d", err, syntax.Offset))
	}
	if body[0] != '{' {
		return sdk.Invalid(errors.New("the body is JSON but not an object"))
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !ok {
		return sdk.Invalid(fmt.Errorf("decode the body: %w", err))
	}
	return nil
}

// Name is a string that some versions wrap in an object: a quality is
// "Bluray-1080p", {"name": "Bluray-1080p"} or {"quality": {"name": "Bluray-1080p"}},
// a language {"id": 1, "name": "English"}.
type Name string

// UnmarshalJSON never fails: what is no name is empty.
func (n *Name) UnmarshalJSON(b []byte) error {
	*n = ""
	switch b[0] {
	case '"':
		*n = Name(text(b))
	case '{':
		// Not recursive: objects in objects would be scanned once for every level. A
		// field of another type stays empty.
		var o struct {
			Name    string
			Quality struct{ Name string }
		}
		_ = json.Unmarshal(b, &o)
		*n = Name(cmp.Or(o.Name, o.Quality.Name))
	}
	return nil
}

// Names is a list of names that some versions send as one string with commas.
type Names []string

// UnmarshalJSON never fails: what is no name is left out.
func (n *Names) UnmarshalJSON(b []byte) error {
	*n = nil
	switch b[0] {
	case '"':
		for s := range strings.SplitSeq(text(b), ",") {
			n.add(s)
		}
	case '[':
		var all []Name
		_ = json.Unmarshal(b, &all)
		for _, s := range all {
			n.add(string(s))
		}
	}
	return nil
}

// add drops "0", which is how a set of no flags prints.
func (n *Names) add(s string) {
	if s = strings.TrimSpace(s); s != "" && s != "0" && len(*n) < maxList {
		*n = append(*n, s)
	}
}

// ID is an id that is a number or a string. It is empty for zero, which means that
// there is none.
type ID string

// UnmarshalJSON never fails: what is no id is empty.
func (id *ID) UnmarshalJSON(b []byte) error {
	*id = ""
	switch c := b[0]; {
	case c == '"':
		*id = ID(strings.TrimSpace(text(b)))
	case c >= '1' && c <= '9':
		*id = ID(b)
	}
	if *id == "0" {
		*id = ""
	}
	return nil
}

// Printed is a number as it is printed, a string or a number: 0 is one.
type Printed string

// UnmarshalJSON never fails: what is neither is empty.
func (p *Printed) UnmarshalJSON(b []byte) error {
	*p = ""
	switch c := b[0]; {
	case c == '"':
		*p = Printed(strings.TrimSpace(text(b)))
	case c == '-' || c >= '0' && c <= '9':
		*p = Printed(b)
	}
	return nil
}

// Number is a number that may be written as a string.
type Number float64

// UnmarshalJSON never fails: what is no finite number is zero.
func (n *Number) UnmarshalJSON(b []byte) error {
	s := string(b)
	if b[0] == '"' {
		s = strings.TrimSpace(text(b))
	}
	*n = 0
	if f, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		*n = Number(f)
	}
	return nil
}

// Int is the number without its fraction, or zero when no float64 holds it exactly.
func (n Number) Int() int64 {
	const exact = 1 << 53
	if n > exact || n < -exact {
		return 0
	}
	return int64(n)
}

// Size is the number as a size in bytes, which is never negative.
func (n Number) Size() int64 { return max(n.Int(), 0) }

// Bool is a boolean that may be written as a string.
type Bool bool

// UnmarshalJSON never fails: what is not true is false.
func (t *Bool) UnmarshalJSON(b []byte) error {
	*t = Bool(strings.EqualFold(strings.Trim(string(b), `"`), "true"))
	return nil
}

// List is an array. What comes after its first ten thousand values is dropped when a
// body is decoded: no application sends so many.
type List[T any] []T

// Present is a field of which only the presence matters.
type Present bool

// UnmarshalJSON never fails.
func (p *Present) UnmarshalJSON(b []byte) error {
	*p = b[0] != 'n'
	return nil
}

// text is the value of a JSON string.
func text(b []byte) string {
	if inner := b[1 : len(b)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	if json.Unmarshal(b, &s) != nil {
		return ""
	}
	return s
}
