package connect

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/hookarr/hookarr/core/config"
)

// Setup is what a person enters in an application by hand, without secrets.
type Setup struct {
	URL string
	// Ways are those of which the application needs one.
	Ways []Way
	// Warning says why the application cannot reach the URL; empty for nothing.
	Warning string
	// Local is whether only this machine reaches the URL.
	Local bool
}

// Way is one way for an application to identify itself.
type Way struct {
	// Scheme is hmac, basic, header, token or none.
	Scheme string
	// Name is the user name, or the name of the header.
	Name string
	// URL replaces that of the setup, with TOKEN in the place of the secret.
	URL string
	// Secret is zero where there is none.
	Secret Secret
}

// Secret says where a secret is kept.
type Secret struct {
	// Key is that of the configuration: the secret's, or its twin KEY_file.
	Key    string
	Origin config.Origin
}

// InFile reports whether the key names a file that holds the secret.
func (s Secret) InFile() bool { return strings.HasSuffix(s.Key, "_file") }

// placeholder stands for a token in a URL.
const placeholder = "TOKEN"

// SetupOf returns what the application of a configured source is to be told.
func SetupOf(c *config.Config, name string) (Setup, error) {
	u, err := base(c, name)
	if err != nil {
		return Setup{}, err
	}
	source := c.Sources[name]
	s := Setup{URL: u.String(), Local: IsLoopback(u.String())}
	appURL, _ := source.Config["base_url"].(string)
	s.Warning = WarnLoopback(s.URL, appURL)
	for i, a := range source.Auth {
		key := fmt.Sprintf("sources.%s.auth[%d].", name, i)
		secret := func(of string) Secret {
			o := c.Origin(key + of)
			return Secret{Key: cmp.Or(o.Key, key+of), Origin: o}
		}
		switch {
		case a.HMAC != nil:
			s.Ways = append(s.Ways, Way{Scheme: "hmac", Name: hmacHeader(a.HMAC), Secret: secret("hmac.secrets")})
		case a.Basic != nil:
			s.Ways = append(s.Ways, Way{Scheme: "basic", Name: a.Basic.Username, Secret: secret("basic.password")})
		case a.Header != nil:
			s.Ways = append(s.Ways, Way{Scheme: "header", Name: a.Header.Name, Secret: secret("header.value")})
		case a.Token != nil:
			s.Ways = append(s.Ways, Way{Scheme: "token", URL: withToken(u, a.Token.Query, placeholder).String(), Secret: secret("token.value")})
		case a.None != nil:
			s.Ways = append(s.Ways, Way{Scheme: "none"})
		}
	}
	return s, nil
}

// hmacHeader is the header of the signature, or the preset that says all of it.
func hmacHeader(h *config.HMAC) string {
	if h.Preset != "" {
		return h.Preset
	}
	return h.Header
}
