package admin_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
)

func TestLocal(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"/":                                 "/",
		"/events":                           "/events",
		"/events/?q=a%20b&type=x":           "/events/?q=a%20b&type=x",
		"/events?next=//evil.example":       "/events?next=//evil.example",
		"/sources/a%2Fb":                    "/sources/a%2Fb",
		"/events#part":                      "/events",
		"":                                  "",
		"events":                            "",
		"//evil.example":                    "",
		"///evil.example":                   "",
		"/\\evil.example":                   "",
		"\\\\evil.example":                  "",
		"/events\\..\\x":                    "",
		"https://evil.example":              "",
		"https:/evil.example":               "",
		"javascript:alert(1)":               "",
		"/\t/evil.example":                  "",
		"\t//evil.example":                  "",
		"/\n/evil.example":                  "",
		"/events\r\nSet-Cookie: a=b":        "",
		"/%0d%0aSet-Cookie:%20a=b":          "/%0d%0aSet-Cookie:%20a=b", // stays encoded
		"/./":                               "",
		"/.//evil.example":                  "",
		"/../x":                             "",
		"/%2e%2e/x":                         "",
		"/a//b":                             "",
		"/%2f%2fevil.example":               "",
		"/%zz":                              "",
		"/\u202eevent":                      "",
		"/" + strings.Repeat("a", 2000):     "",
		"/?" + strings.Repeat("%41", 1<<10): "",
	} {
		require.Equal(t, cmp.Or(want, "other"), admin.Local(to, "other"), "%q", to)
	}
}

// FuzzLocal: wherever a browser is sent, it stays on the server.
func FuzzLocal(f *testing.F) {
	for _, to := range []string{"/", "//evil.example", `/\evil.example`, "/a?b=c#d", "/%2f/evil.example", "/..;/x", "/\x00", "/é"} {
		f.Add(to)
	}
	f.Fuzz(func(t *testing.T, to string) {
		local := admin.Local(to, "")
		if local == "" {
			return
		}
		require.Equal(t, local, admin.Local(local, ""))
		for _, base := range []string{"", "/hookarr"} {
			w := httptest.NewRecorder()
			http.Redirect(w, httptest.NewRequest(http.MethodGet, "/login", nil), base+local, http.StatusSeeOther)
			at := w.Header().Get("Location")
			require.False(t, strings.ContainsFunc(at, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }), "%q", at)
			page, err := url.Parse("https://home.example/login")
			require.NoError(t, err)
			u, err := page.Parse(at)
			require.NoError(t, err, "%q", at)
			require.Equal(t, "https://home.example", u.Scheme+"://"+u.Host, "%q", at)
			require.True(t, strings.HasPrefix(u.Path, base+"/"), "%q", at)
		}
	})
}
