package signature

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// maxSignatures bounds the work that one request can ask for: a rotation has two
	// or three.
	maxSignatures = 16
	// maxID is in bytes; an id is kept as a key.
	maxID = 255
	// maxTimestampDigits reaches the year 33658.
	maxTimestampDigits = 12
)

// parsed is what the headers say, not verified yet.
type parsed struct {
	signatures [][]byte
	id         string
	timestamp  string
	time       time.Time
}

func (s *Signer) parse(h http.Header) (parsed, error) {
	var p parsed
	var err error
	values := h.Values(s.scheme.Header)
	if len(values) == 0 {
		return p, fmt.Errorf("%w: no header %s", ErrMissing, s.scheme.Header)
	}
	if p.signatures, err = s.parseSignatures(strings.Join(values, " ")); err != nil {
		return p, err
	}
	if s.scheme.TimestampHeader != "" {
		if p.timestamp, err = only(h, s.scheme.TimestampHeader); err != nil {
			return p, err
		}
		if p.time, err = parseTimestamp(p.timestamp); err != nil {
			return p, fmt.Errorf("header %s: %w", s.scheme.TimestampHeader, err)
		}
	}
	if s.scheme.IDHeader != "" {
		if p.id, err = only(h, s.scheme.IDHeader); err != nil {
			return p, err
		}
		if !validID(p.id) {
			return p, fmt.Errorf("%w: header %s: want at most %d printable ASCII characters without full stops",
				ErrMalformed, s.scheme.IDHeader, maxID)
		}
	}
	return p, nil
}

// only returns the value of a header that must not be repeated: two values would
// leave open which one is signed.
func only(h http.Header, name string) (string, error) {
	switch values := h.Values(name); len(values) {
	case 0:
		return "", fmt.Errorf("%w: no header %s", ErrMissing, name)
	case 1:
		return values[0], nil
	default:
		return "", fmt.Errorf("%w: header %s is repeated", ErrMalformed, name)
	}
}

// parseSignatures reads a list separated by commas or spaces. Entries without the
// prefix, such as those of other versions, are passed over; the prefix may itself end
// in a comma, as in "v1,".
func (s *Signer) parseSignatures(list string) ([][]byte, error) {
	var signatures [][]byte
	for {
		list = strings.TrimLeft(list, ", \t")
		if list == "" {
			break
		}
		rest, ours := strings.CutPrefix(list, s.scheme.Prefix)
		entry := rest
		if end := strings.IndexAny(rest, ", \t"); end >= 0 {
			entry = rest[:end]
		}
		list = rest[len(entry):]
		if !ours {
			continue
		}
		signature, ok := s.decode(entry)
		if !ok {
			continue
		}
		if len(signatures) == maxSignatures {
			return nil, fmt.Errorf("%w: header %s: more than %d signatures", ErrMalformed, s.scheme.Header, maxSignatures)
		}
		signatures = append(signatures, signature)
	}
	if len(signatures) == 0 {
		return nil, fmt.Errorf("%w: header %s: no signature of the form %s%s", ErrMalformed, s.scheme.Header, s.scheme.Prefix, s.form())
	}
	return signatures, nil
}

func (s *Signer) form() string {
	if s.scheme.Encoding == Base64 {
		return "BASE64"
	}
	return "HEX"
}

// decode reads one signature of the algorithm's length.
func (s *Signer) decode(entry string) ([]byte, bool) {
	var signature []byte
	var err error
	if s.scheme.Encoding == Base64 {
		signature, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(entry, "="))
	} else {
		signature, err = hex.DecodeString(entry)
	}
	return signature, err == nil && len(signature) == s.size
}

func parseTimestamp(v string) (time.Time, error) {
	digits := v != "" && len(v) <= maxTimestampDigits && strings.Trim(v, "0123456789") == ""
	seconds, err := strconv.ParseInt(v, 10, 64)
	if !digits || err != nil {
		return time.Time{}, fmt.Errorf("%w: want a Unix time in seconds", ErrMalformed)
	}
	return time.Unix(seconds, 0), nil
}

// validID refuses full stops because they delimit what is signed: with them, parts of
// one message could be passed off as another.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' || c == '.' {
			return false
		}
	}
	return true
}
