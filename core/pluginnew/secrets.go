package pluginnew

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/tidwall/gjson"
)

// redactedValue is in the place of a credential.
const redactedValue = "[redacted]"

// secretForms are those that the services document: JSON Web Tokens, GitHub, GitLab, Slack, AWS,
// Stripe and OpenAI keys, Standard Webhooks, headers, and PEM.
var secretForms = regexp.MustCompile(`^(eyJ[\w-]+\.[\w-]+\.|gh[opsru]_\w{20}|github_pat_\w{20}|glpat-[\w-]{20}|xox[a-z]-\w|AKIA[0-9A-Z]{16}$|` +
	`sk[-_]\w{16}|whsec_\S{16}|(?i:bearer|basic) \S{8})|-----BEGIN [A-Z ]*PRIVATE KEY`)

// redact returns a payload without values that look like credentials, and their paths.
func redact(data []byte) (clean []byte, paths []string) {
	type span struct{ from, to int }
	var spans []span
	seen := map[string]bool{}
	var walk func(path string, secret bool, v gjson.Result)
	walk = func(path string, secret bool, v gjson.Result) {
		if v.IsObject() || v.IsArray() {
			inArray := v.IsArray()
			v.ForEach(func(key, item gjson.Result) bool {
				if inArray {
					walk(path+"[]", secret, item)
				} else {
					walk(join(path, key.String()), secret || secretKey(key.String()), item)
				}
				return true
			})
			return
		}
		if v.Type == gjson.String && v.Str != "" && (secret || secretText(v.Str)) || v.Type == gjson.Number && secret {
			spans = append(spans, span{v.Index, v.Index + len(v.Raw)})
			if !seen[path] {
				seen[path], paths = true, append(paths, path)
			}
		}
	}
	walk("", false, gjson.ParseBytes(data))
	var b bytes.Buffer
	at := 0
	for _, s := range spans {
		b.Write(data[at:s.from])
		b.WriteString(`"` + redactedValue + `"`)
		at = s.to
	}
	b.Write(data[at:])
	return b.Bytes(), paths
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// secretKey reports whether a key is of a credential: by its words, for an author is not
// an auth.
func secretKey(key string) bool {
	words := words(key)
	for i, w := range words {
		switch w {
		case "secret", "secrets", "token", "tokens", "password", "passwd", "passphrase", "pass", "pwd", "auth", "authorization",
			"cookie", "cookies", "credential", "credentials", "apikey", "apikeys", "bearer", "jwt", "signature", "session", "otp":
			return true
		case "key", "keys":
			if i > 0 && slices.Contains([]string{"api", "access", "private", "secret", "encryption", "auth", "signing", "license", "webhook"}, words[i-1]) {
				return true
			}
		}
	}
	return false
}

// words are those of a key in any notation, lower case: apiKey, API_KEY and api-key have
// two.
func words(key string) []string {
	var split strings.Builder
	runes := []rune(key)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			split.WriteRune(' ')
			continue
		case i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			split.WriteRune(' ')
		}
		split.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(split.String())
}

// secretText reports whether a value is a credential by its form, whatever its key is.
func secretText(text string) bool {
	if secretForms.MatchString(text) {
		return true
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return false
	}
	if _, ok := u.User.Password(); ok {
		return true
	}
	for key := range u.Query() {
		if secretKey(key) {
			return true
		}
	}
	// The paths of these are all that keeps others out.
	return strings.HasSuffix(u.Hostname(), "hooks.slack.com") || strings.HasPrefix(u.Path, "/api/webhooks/") || strings.HasPrefix(u.Path, "/bot")
}

// textOf is a scalar as the text type of a source reads it.
func textOf(v gjson.Result) string {
	var word string
	if v.Type == gjson.String && json.Unmarshal([]byte(v.Raw), &word) == nil {
		return word
	}
	if v.Type == gjson.Number {
		return v.Raw
	}
	return ""
}
