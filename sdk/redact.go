package sdk

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

const (
	// minSecret is the shortest secret that is replaced, in bytes. A shorter one
	// guards nothing, and its letters are everywhere.
	minSecret = 4
	// minURLPart is the shortest part of a secret URL that is replaced by itself.
	minURLPart = 12
	// minEncoded is the shortest secret that is replaced in base64 and in hexadecimal.
	minEncoded = 8
	// maxMessage and maxExcerpt bound what goes to the host, in bytes.
	maxMessage = 1 << 10
	maxExcerpt = 4 << 10
	// maxState bounds a receipt's state, in bytes.
	maxState = 4 << 10
)

// redactor replaces an instance's secrets in whatever leaves it. The zero value
// knows none.
type redactor struct {
	replacer *strings.Replacer
	// longest is the length of the longest spelling of a secret, in bytes.
	longest int
	// parts are the secrets, and what the URLs among them are made of, however short.
	parts map[string]bool
}

// newRedactor returns a redactor of every Secret in config, which may hold them at
// any depth.
func newRedactor(config any) redactor {
	var words []string
	parts := map[string]bool{}
	seen := map[uintptr]bool{}
	collectSecrets(reflect.ValueOf(config), seen, func(secret string) {
		words = append(words, forms(secret)...)
		for _, part := range append(urlParts(secret), secret) {
			parts[part] = part != ""
		}
	})
	if len(words) == 0 {
		return redactor{parts: parts}
	}
	// A secret that has another in it is replaced as a whole.
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(words))
	for _, w := range words {
		pairs = append(pairs, w, redacted)
	}
	return redactor{replacer: strings.NewReplacer(pairs...), longest: len(words[0]), parts: parts}
}

func (r redactor) text(s string) string {
	if r.replacer != nil {
		s = r.replacer.Replace(s)
	}
	if strings.Contains(s, "://") {
		s = userInURL.ReplaceAllString(s, "://"+redacted+"@")
	}
	return s
}

// userInURL matches the user and the password in a URL that is no secret of the
// configuration, such as smb://user:password@nas in what a media server tells of its
// folders.
var userInURL = regexp.MustCompile(`://[^\s/@:"'<>?#]*:[^\s/@"'<>?#]*@`)

// line returns s redacted, on one line, at most maxMessage bytes.
func (r redactor) line(s string) string {
	return cut(strings.Join(strings.Fields(r.text(s)), " "), maxMessage)
}

// excerpt returns s redacted, at most maxExcerpt bytes. The cut comes last, so that
// it leaves no half of a secret.
func (r redactor) excerpt(s string) string { return cut(r.text(s), maxExcerpt) }

// cut returns at most limit bytes of s, in whole characters and valid UTF-8, which
// is all that protobuf takes.
func cut(s string, limit int) string { return Cut(s, limit, Bytes) }

// redactingWriter redacts a log. Each Write is one record.
type redactingWriter struct {
	io.Writer
	redactor interface{ text(s string) string }
}

func (w redactingWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.Writer, w.redactor.text(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// forms returns the spellings in which a secret could turn up: itself, escaped for
// JSON or a URL, encoded, and of a URL the parts that are secret by themselves, since an
// endpoint often echoes the path.
func forms(secret string) []string {
	if len(secret) < minSecret {
		return nil
	}
	words := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	if quoted, err := json.Marshal(secret); err == nil {
		words = append(words, string(quoted[1:len(quoted)-1]))
	}
	// Of a header's value an endpoint repeats the credential without its scheme: Bearer TOKEN.
	if _, credential, ok := strings.Cut(secret, " "); ok && len(credential) >= minURLPart && !strings.Contains(credential, " ") {
		words = append(words, credential)
	}
	for _, part := range urlParts(secret) {
		if len(part) >= minURLPart {
			words = append(words, part)
		}
	}
	words = append(words, encodings(secret)...)
	slices.Sort(words)
	return slices.Compact(words)
}

// encodings returns what shows of a secret where it is part of a text in hexadecimal or in
// base64, such as the user and password of a header. In base64 the characters depend on
// where in three bytes the secret begins; its neighbours decide the first and the last.
func encodings(secret string) []string {
	if len(secret) < minEncoded {
		return nil
	}
	lower := hex.EncodeToString([]byte(secret))
	words := []string{lower, strings.ToUpper(lower)}
	for shift := range 3 {
		text := append(make([]byte, shift), secret...)
		first, end := (shift*8+5)/6, len(text)*8/6
		words = append(words, base64.RawStdEncoding.EncodeToString(text)[first:end], base64.RawURLEncoding.EncodeToString(text)[first:end])
	}
	return words
}

// urlParts returns the parts that a URL is made of, or nothing for what is none. Those of
// Apprise and the like have their tokens anywhere, in the place of the host too:
// tgram://TOKEN/CHAT.
func urlParts(secret string) []string {
	if scheme, rest, ok := strings.Cut(secret, "://"); ok && scheme != "http" && scheme != "https" {
		return strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune("/:@?&=#", r) })
	}
	u, err := url.Parse(secret)
	if err != nil || u.Host == "" {
		return nil
	}
	parts := append(strings.Split(u.Path, "/"), u.Path, u.EscapedPath(), u.RequestURI())
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	if password, ok := u.User.Password(); ok {
		parts = append(parts, password)
	}
	return parts
}

// collectSecrets yields every Secret that v holds, in unexported fields too.
func collectSecrets(v reflect.Value, seen map[uintptr]bool, yield func(string)) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[Secret]() {
			yield(v.String())
		}
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] {
			return
		}
		seen[v.Pointer()] = true
		collectSecrets(v.Elem(), seen, yield)
	case reflect.Interface:
		if !v.IsNil() {
			collectSecrets(v.Elem(), seen, yield)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			collectSecrets(field, seen, yield)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			collectSecrets(v.Index(i), seen, yield)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			collectSecrets(it.Key(), seen, yield)
			collectSecrets(it.Value(), seen, yield)
		}
	default:
	}
}
