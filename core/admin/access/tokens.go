package access

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
)

// Tokens are those of a configuration.
type Tokens struct{ list []token }

// token is a configured token by its hash, so that what is compared has one length.
type token struct {
	sum       [sha256.Size]byte
	principal admin.Principal
}

// NewTokens returns the tokens of a configuration.
func NewTokens(list []config.AdminToken) *Tokens {
	t := new(Tokens)
	for _, c := range list {
		t.list = append(t.list, token{
			sum:       sha256.Sum256([]byte(c.Token.Reveal())),
			principal: admin.Principal{Name: c.Name, Via: admin.ViaToken, Role: c.Role},
		})
	}
	return t
}

// Find returns whose token is given.
func (t *Tokens) Find(given string) (p admin.Principal, ok bool) {
	if given == "" {
		return p, false
	}
	sum := sha256.Sum256([]byte(given))
	for i := range t.list {
		// Every token is compared, so that the time tells none.
		if subtle.ConstantTimeCompare(sum[:], t.list[i].sum[:]) == 1 {
			p, ok = t.list[i].principal, true
		}
	}
	return p, ok
}
