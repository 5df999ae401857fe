package config

import (
	"fmt"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/hookarr/hookarr/sdk"
)

// shortSecret is in bytes: 128 bits are out of reach of guessing.
const shortSecret = 16

func (k checker) auth(key string, a Auth) {
	var given []string
	for name, set := range map[string]bool{
		"hmac": a.HMAC != nil, "basic": a.Basic != nil, "header": a.Header != nil, "token": a.Token != nil, "none": a.None != nil,
	} {
		if set {
			given = append(given, name)
		}
	}
	if len(given) != 1 {
		k.problem(key, "want exactly one of hmac, basic, header, token and none; write several ways in as several entries")
		return
	}
	key += "." + given[0]
	switch {
	case a.HMAC != nil:
		k.hmac(key, *a.HMAC)
	case a.Basic != nil:
		k.secret(key+".password", a.Basic.Password)
		if strings.Contains(a.Basic.Username, ":") {
			k.problem(key+".username", "a user name for basic auth has no colon")
		}
	case a.Header != nil:
		if !httpguts.ValidHeaderFieldName(a.Header.Name) {
			k.problem(key+".name", "want the name of a header, such as X-Api-Key")
		}
		k.secret(key+".value", a.Header.Value)
	case a.Token != nil:
		k.secret(key+".value", a.Token.Value)
	}
}

func (k checker) hmac(key string, h HMAC) {
	if len(h.Secrets) == 0 {
		k.problem(key+".secrets", "give at least one secret")
	}
	for i, s := range h.Secrets {
		k.secret(fmt.Sprintf("%s.secrets[%d]", key, i), s)
	}
	k.positive(key+".tolerance", h.Tolerance)
	spelled := []struct{ name, value string }{
		{"header", h.Header},
		{"algorithm", h.Algorithm},
		{"encoding", h.Encoding},
		{"prefix", h.Prefix},
		{"timestamp_header", h.TimestampHeader},
		{"id_header", h.IDHeader},
	}
	if h.Preset != "" {
		k.oneOf(key+".preset", h.Preset, "github", "standard-webhooks")
		for _, s := range spelled {
			if s.value != "" {
				k.problem(key+"."+s.name, "the preset stands for this: remove one of them")
			}
		}
		return
	}
	if h.Header == "" && h.Algorithm == "" && h.Encoding == "" {
		k.problem(key, "give preset: github or standard-webhooks, or spell out header, algorithm and encoding")
		return
	}
	k.oneOf(key+".algorithm", h.Algorithm, "sha256", "sha512", "sha1")
	k.oneOf(key+".encoding", h.Encoding, "hex", "base64")
	for _, header := range []struct{ name, value string }{spelled[0], spelled[4], spelled[5]} {
		if header.value == "" && header.name != "header" {
			continue
		}
		if !httpguts.ValidHeaderFieldName(header.value) {
			k.problem(key+"."+header.name, "want the name of a header, such as X-Signature")
		}
	}
}

func (k checker) secret(key string, s sdk.Secret) {
	switch n := len(s.Reveal()); {
	case n == 0:
		k.problem(key, "must not be empty")
	case n < shortSecret:
		k.warn(key, "is short enough to be guessed: use %d characters or more", shortSecret)
	}
}
