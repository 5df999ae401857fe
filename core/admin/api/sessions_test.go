package api_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
)

// signedIn stores a session and returns its id.
func (r *rig) signedIn(t *testing.T, who, via, role string) string {
	t.Helper()
	_, id := store.NewSecret()
	require.NoError(t, r.Store.AddSession(t.Context(), &store.Session{ID: id, Who: who, Via: via, Role: role, Agent: "Browser/1", Proof: []byte{1}}, store.SecretID{}))
	return hex.EncodeToString(id[:])
}

func (r *rig) listed(t *testing.T) (list []admin.Session) {
	t.Helper()
	status, _, said := r.call(t, http.MethodGet, "/sessions", operateToken, "")
	require.Equal(t, http.StatusOK, status, said)
	var items struct{ Items []admin.Session }
	require.NoError(t, json.Unmarshal([]byte(said), &items))
	return items.Items
}

func TestSessions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Empty(t, r.listed(t))
	first := r.signedIn(t, "dashboard", admin.ViaToken, config.RoleView)
	second := r.signedIn(t, "root", admin.ViaLink, config.RoleOperate)
	for _, gone := range [][3]string{{"gone", admin.ViaToken, config.RoleView}, {"dashboard", admin.ViaToken, config.RoleOperate}, {"ann", admin.ViaOIDC, config.RoleView}} {
		r.signedIn(t, gone[0], gone[1], gone[2]) // the configuration lets none of them in
	}
	list := r.listed(t)
	require.Len(t, list, 2)
	require.ElementsMatch(t, []string{first, second}, []string{list[0].ID, list[1].ID})
	require.False(t, list[0].Own)

	status, _, said := r.call(t, http.MethodPost, "/sessions/"+strings.ToUpper(first[:8])+"/revoke", operateToken, "")
	require.Equal(t, http.StatusOK, status, said)
	require.Contains(t, said, `"who":"dashboard"`)
	status, _, _ = r.call(t, http.MethodPost, "/sessions/"+first+"/revoke", operateToken, "")
	require.Equal(t, http.StatusNotFound, status)
	status, _, said = r.call(t, http.MethodGet, "/actions?limit=1", operateToken, "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, said, `"what":"revoke"`)
	require.Contains(t, said, `"reason":"session of dashboard by token"`)
	require.Contains(t, r.Logged(), "what=revoke who=ci via=token")

	// Who asks with a session keeps it.
	own := admin.Principal{Name: "root", Via: admin.ViaLink, Role: config.RoleOperate, Session: second}
	revoked, err := r.Service.RevokeSessions(t.Context(), own)
	require.NoError(t, err)
	require.Equal(t, 3, revoked.Revoked)
	left, err := r.Service.ListSessions(t.Context(), own)
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.True(t, left[0].Own)
	status, _, said = r.call(t, http.MethodPost, "/sessions/revoke", operateToken, "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "{\"revoked\":1}\n", said)
	require.Empty(t, r.listed(t))
}

// TestAmbiguousSessions: none is ended that was not meant.
func TestAmbiguousSessions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range byte(2) {
		id := store.SecretID{0xab, 0xcd, 31: i}
		require.NoError(t, r.Store.AddSession(t.Context(), &store.Session{ID: id, Who: "root", Via: admin.ViaLink, Role: config.RoleView, Proof: []byte{1}}, store.SecretID{}))
	}
	status, _, said := r.call(t, http.MethodPost, "/sessions/abcd/revoke", operateToken, "")
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, said, "the id fits 2 sessions: give more digits")
	require.Len(t, r.listed(t), 2)
}

func TestLinks(t *testing.T) {
	t.Parallel()
	socket := admin.Principal{Name: "root", Via: admin.ViaSocket, Role: config.RoleOperate}
	for _, tt := range []struct {
		admin config.Admin
		at    string
		want  string
	}{
		{config.Admin{Listen: "127.0.0.1:8485"}, "", "http://127.0.0.1:8485/login#"},
		{config.Admin{Listen: "127.0.0.1:0", BasePath: "/hookarr"}, "127.0.0.1:40001", "http://127.0.0.1:40001/hookarr/login#"},
		{config.Admin{Listen: ":8485"}, "", "http://localhost:8485/login#"},
		{config.Admin{Listen: ":8485", Hosts: []string{"nas.lan"}}, "[::]:8485", "http://nas.lan:8485/login#"},
		{config.Admin{Listen: "0.0.0.0:8485", Hosts: []string{"::1"}}, "", "http://[::1]:8485/login#"},
		{config.Admin{Listen: "[::1]:8485"}, "", "http://[::1]:8485/login#"},
		{config.Admin{Listen: "127.0.0.1:8485", ExternalURL: "https://home.example"}, "", "https://home.example/login#"},
		{config.Admin{Listen: "127.0.0.1:8485", ExternalURL: "https://home.example/", BasePath: "/hookarr"}, "", "https://home.example/hookarr/login#"},
		{config.Admin{Listen: "127.0.0.1:8485", ExternalURL: "https://home.example:8443/hookarr/", BasePath: "/hookarr"}, "", "https://home.example:8443/hookarr/login#"},
	} {
		r := newRig(t)
		r.Config.Admin = tt.admin
		if tt.at != "" {
			r.Service.Listens = func() string { return tt.at }
		}
		l, err := r.Service.MakeLink(t.Context(), socket)
		require.NoError(t, err)
		address, secret, _ := strings.Cut(l.URL, "#")
		require.Equal(t, tt.want, address+"#")
		id, ok := store.IDOf(secret)
		require.True(t, ok)
		who, err := r.Store.FindLink(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, "root", who)
		require.NotContains(t, r.Logged(), secret)
		require.Contains(t, r.Logged(), "what=link who=root via=socket")
	}
	shared := newRig(t)
	shared.Config.Listen, shared.Config.TLS = ":8485", config.TLS{CertFile: "cert.pem", KeyFile: "key.pem"}
	for listen, want := range map[string]string{":8485": "https://localhost:8485/login#", "127.0.0.1:8486": "http://127.0.0.1:8486/login#"} {
		shared.Config.Admin.Listen = listen
		l, err := shared.Service.MakeLink(t.Context(), socket)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(l.URL, want), l.URL)
	}
	r := newRig(t)
	for _, via := range []string{admin.ViaToken, admin.ViaProxy, admin.ViaLink, admin.ViaOIDC, "database"} {
		_, err := r.Service.MakeLink(t.Context(), admin.Principal{Name: "root", Via: via, Role: config.RoleOperate})
		require.EqualError(t, err, "a link is made on the server itself: run hookarr open there", via)
	}
	r.Config.Admin.Listen = ""
	_, err := r.Service.MakeLink(t.Context(), socket)
	require.ErrorContains(t, err, "admin.listen is not set: set it, such as to 127.0.0.1:8485")
}
