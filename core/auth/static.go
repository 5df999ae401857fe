package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk"
)

// equal compares hashes, so that the time taken tells neither where nor how long
// the secret is.
func equal(got, want string) bool {
	g, w := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return hmac.Equal(g[:], w[:])
}

// basic lets in a user with a password.
type basic struct {
	username string
	password sdk.Secret
}

func newBasic(c config.Basic) (*basic, []error) {
	var problems []error
	if c.Password == "" {
		problems = append(problems, errors.New(".basic.password: is empty"))
	}
	if strings.Contains(c.Username, ":") {
		problems = append(problems, errors.New(".basic.username: must not contain a colon"))
	}
	// The Arr apps send ISO-8859-1 where others send UTF-8.
	if !isASCII(c.Username) || !isASCII(c.Password.Reveal()) {
		problems = append(problems, errors.New(".basic: use ASCII characters: senders disagree on how others are sent"))
	}
	return &basic{username: c.Username, password: c.Password}, problems
}

func (m *basic) check(r *http.Request) *Error {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "basic") {
		return refuse(ReasonMissing, "no basic credentials")
	}
	username, password, ok := r.BasicAuth()
	if !ok || len(r.Header.Values("Authorization")) > 1 {
		return refuse(ReasonMalformed, "basic credentials malformed")
	}
	user, pass := equal(username, m.username), equal(password, m.password.Reveal())
	if !user || !pass {
		return refuse(ReasonMismatch, "basic credentials do not match")
	}
	// A browser that knows them sends them for any page.
	return checkOrigin(r)
}

func (m *basic) verify(r *http.Request, _ []byte, _ time.Time) (Identity, *Error) {
	return Identity{Scheme: "basic"}, m.check(r)
}

func (m *basic) sign(r *http.Request, _ []byte, _ string, _ time.Time) error {
	r.SetBasicAuth(m.username, m.password.Reveal())
	return nil
}

func (m *basic) takes() string { return "basic" }

func (m *basic) credentials() (headers, params []string) { return []string{"Authorization"}, nil }

// header lets in who knows a header's value.
type header struct {
	name  string
	value sdk.Secret
}

func newHeader(c config.HeaderAuth) (*header, []error) {
	var problems []error
	if err := checkHeaderName(c.Name); err != nil {
		problems = append(problems, fmt.Errorf(".header.name: %w", err))
	}
	value := c.Value.Reveal()
	if strings.TrimSpace(value) == "" {
		problems = append(problems, errors.New(".header.value: is empty"))
	} else if strings.TrimSpace(value) != value || !httpguts.ValidHeaderFieldValue(value) {
		problems = append(problems, errors.New(".header.value: no header can hold it: remove line breaks and the spaces around it"))
	}
	return &header{name: http.CanonicalHeaderKey(c.Name), value: c.Value}, problems
}

func (m *header) check(r *http.Request) *Error {
	switch values := r.Header.Values(m.name); {
	case len(values) == 0:
		return refuse(ReasonMissing, "no header %s", m.name)
	case len(values) > 1:
		return refuse(ReasonMalformed, "header %s is repeated", m.name)
	case !equal(values[0], m.value.Reveal()):
		return refuse(ReasonMismatch, "header %s does not match", m.name)
	default:
		return nil
	}
}

func (m *header) verify(r *http.Request, _ []byte, _ time.Time) (Identity, *Error) {
	return Identity{Scheme: "header"}, m.check(r)
}

func (m *header) sign(r *http.Request, _ []byte, _ string, _ time.Time) error {
	r.Header.Set(m.name, m.value.Reveal())
	return nil
}

func (m *header) takes() string { return "the header " + m.name }

func (m *header) credentials() (headers, params []string) { return []string{m.name}, nil }

// PathToken is the name of the request's path value, [http.Request.PathValue], that
// holds the token after the source's name.
const PathToken = "token"

// token lets in who knows a part of the URL: a query parameter, or the path element
// after the source's name.
type token struct {
	query string
	value sdk.Secret
}

func newToken(c config.Token) (*token, []error) {
	value := c.Value.Reveal()
	switch {
	case value == "":
		return nil, []error{errors.New(".token.value: is empty")}
	case c.Query == "" && (strings.Trim(value, unreserved) != "" || strings.Trim(value, ".") == ""):
		return nil, []error{errors.New(".token.value: use only letters, digits and -_.~ in a path, or set query")}
	default:
		return &token{query: c.Query, value: c.Value}, nil
	}
}

// unreserved are the characters that mean the same in every spelling of a path (RFC
// 3986, section 2.3).
const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

func (m *token) check(r *http.Request) *Error {
	where, got := m.where(), []string{r.PathValue(PathToken)}
	if m.query != "" {
		got = r.URL.Query()[m.query]
	}
	switch {
	case len(got) == 0 || got[0] == "":
		return refuse(ReasonMissing, "no token in the %s", where)
	case len(got) > 1:
		return refuse(ReasonMalformed, "token in the %s is repeated", where)
	case !equal(got[0], m.value.Reveal()):
		return refuse(ReasonMismatch, "token in the %s does not match", where)
	default:
		return nil
	}
}

func (m *token) where() string {
	if m.query != "" {
		return "query parameter " + m.query
	}
	return "path"
}

func (m *token) takes() string { return "a token in the " + m.where() }

func (m *token) verify(r *http.Request, _ []byte, _ time.Time) (Identity, *Error) {
	return Identity{Scheme: "token"}, m.check(r)
}

func (m *token) sign(r *http.Request, _ []byte, _ string, _ time.Time) error {
	if m.query == "" {
		r.URL = r.URL.JoinPath(m.value.Reveal())
		return nil
	}
	q := r.URL.Query()
	q.Set(m.query, m.value.Reveal())
	r.URL.RawQuery = q.Encode()
	return nil
}

func (m *token) credentials() (headers, params []string) {
	if m.query == "" {
		return nil, nil
	}
	return nil, []string{m.query}
}

// none lets everybody in who is not a browser that somebody else's page makes send.
type none struct{ hosts []string }

func (m none) check(r *http.Request) *Error {
	if err := checkOrigin(r); err != nil {
		return err
	}
	return checkHost(r, m.hosts)
}

func (m none) verify(r *http.Request, _ []byte, _ time.Time) (Identity, *Error) {
	return Identity{Scheme: "none"}, m.check(r)
}

func (none) sign(*http.Request, []byte, string, time.Time) error { return nil }

func (none) takes() string { return "everything" }

func (none) credentials() (headers, params []string) { return nil, nil }

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' || r < ' ' })
}

// checkHeaderName refuses what is no header name, and headers that an HTTP server
// keeps for itself.
func checkHeaderName(name string) error {
	if !httpguts.ValidHeaderFieldName(name) {
		return fmt.Errorf("%q is no name of a header", name)
	}
	if slices.Contains([]string{"Host", "Content-Length", "Transfer-Encoding", "Trailer", "Connection"}, http.CanonicalHeaderKey(name)) {
		return fmt.Errorf("%s cannot carry a credential: name another header", name)
	}
	return nil
}
