package signin

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/oidc"
)

// FuzzKept: what a browser has kept of a sign-in leads to no other server.
func FuzzKept(f *testing.F) {
	f.Add(kept{oidc.Login{State: "S", Nonce: "N", Verifier: "V"}, "/events?q=x"}.String())
	f.Add("1.S.N.V.Ly9ldmlsLmV4YW1wbGU")
	f.Add("....")
	f.Add("1.S.N.V.%%")
	f.Fuzz(func(t *testing.T, value string) {
		k, ok := readKept(value)
		if !ok {
			require.Zero(t, k)
			return
		}
		require.Equal(t, k.next, admin.Local(k.next, ""))
		require.NotEmpty(t, k.State)
		require.NotEmpty(t, k.Nonce)
		require.NotEmpty(t, k.Verifier)
		again, ok := readKept(k.String())
		require.True(t, ok)
		require.Equal(t, k, again)
	})
}

func TestKeptFitsIntoACookie(t *testing.T) {
	t.Parallel()
	next := "/" + strings.Repeat("a", 1999)
	require.Equal(t, next, admin.Local(next, ""))
	c := http.Cookie{Name: loginPrefix + "ABCDEFGHIJKL", Value: kept{oidc.Login{State: strings.Repeat("S", 26), Nonce: strings.Repeat("N", 26), Verifier: strings.Repeat("V", 43)}, next}.String()}
	require.NotEmpty(t, c.String())
	require.Less(t, len(c.String()), 4096, "browsers keep no longer ones")
}
