package auth

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/config"
)

// minPart is the length from which on a secret is looked for inside of other text. The
// letters of a shorter one are everywhere.
const minPart = 8

// secretKey is what the keys of secrets in a plugin's settings have in them.
var secretKey = regexp.MustCompile(`(?i)key|secret|token|password`)

// words are a source's secrets in the spellings in which a sender or a proxy may repeat
// them. Behind a pointer, which a Gate is printed with, they are not.
type words struct{ all []string }

func secretsOf(c config.Source) *words {
	w := new(words)
	for _, a := range c.Auth {
		switch {
		case a.HMAC != nil:
			for _, s := range a.HMAC.Secrets {
				w.add(s.Reveal())
			}
		case a.Basic != nil:
			w.add(a.Basic.Password.Reveal())
			w.add(base64.StdEncoding.EncodeToString([]byte(a.Basic.Username + ":" + a.Basic.Password.Reveal())))
		case a.Header != nil:
			w.add(a.Header.Value.Reveal())
		case a.Token != nil:
			w.add(a.Token.Value.Reveal())
		}
	}
	w.addSettings(c.Config, false)
	slices.Sort(w.all)
	w.all = slices.Compact(w.all)
	return w
}

func (w *words) add(secret string) {
	if secret != "" {
		w.all = append(w.all, secret, url.QueryEscape(secret), url.PathEscape(secret))
	}
}

func (w *words) addSettings(v any, secret bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			w.addSettings(value, secret || secretKey.MatchString(key))
		}
	case []any:
		for _, item := range v {
			w.addSettings(item, secret)
		}
	case string:
		if secret {
			w.add(v)
		}
	}
}

// in reports whether text is a secret or has one in it.
func (w *words) in(text string) bool {
	plain, err := url.QueryUnescape(text)
	return w.within(text) || err == nil && plain != text && w.within(plain)
}

func (w *words) within(text string) bool {
	return slices.ContainsFunc(w.all, func(secret string) bool {
		return text == secret || len(secret) >= minPart && strings.Contains(text, secret)
	})
}
