package config_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

func TestLoadAdmin(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(secret, []byte("0123456789abcdef\n"), 0o600))
	c, err := load(t, `
admin:
  listen: 127.0.0.1:9000
  socket: /run/hookarr/hookarr.sock
  tokens:
    - {name: dashboard, role: view, token: "${DASHBOARD_TOKEN}"}
    - {name: ci, role: operate, token_file: `+secret+`}
  forward_auth: {header: Remote-User, groups_header: Remote-Groups, operate_groups: [admins], from: [10.0.0.2]}
  base_path: /hookarr
  external_url: https://home.example/hookarr
  hosts: [nas.lan, "::1"]
`, "DASHBOARD_TOKEN=fedcba9876543210")
	require.NoError(t, err)
	require.Equal(t, config.Admin{
		Listen: "127.0.0.1:9000",
		Socket: "/run/hookarr/hookarr.sock",
		Tokens: []config.AdminToken{
			{Name: "dashboard", Role: config.RoleView, Token: "fedcba9876543210"},
			{Name: "ci", Role: config.RoleOperate, Token: "0123456789abcdef"},
		},
		ForwardAuth: &config.ForwardAuth{
			Header: "Remote-User", Role: config.RoleView, GroupsHeader: "Remote-Groups", OperateGroups: []string{"admins"},
			From: []netip.Prefix{netip.MustParsePrefix("10.0.0.2/32")},
		},
		BasePath:    "/hookarr",
		ExternalURL: "https://home.example/hookarr",
		Hosts:       []string{"nas.lan", "::1"},
	}, c.Admin)
	require.Equal(t, "/run/hookarr/hookarr.sock", c.AdminSocket())
	redacted, err := c.Redacted(nil)
	require.NoError(t, err)
	require.NotContains(t, string(redacted), "fedcba9876543210")
	require.NotContains(t, string(redacted), "0123456789abcdef")
	require.Contains(t, string(redacted), "name: dashboard")
}

func TestLoadAdminNamesEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := load(t, `
admin:
  listen: 9000
  tokens:
    - {name: ci, role: root, token: short}
    - {name: ci, role: operate}
  forward_auth: {header: "Remote User", role: admin, groups_header: "Remote Groups", operate_groups: []}
  base_path: /hookarr/
  external_url: hookarr.example
  hosts: ["http://nas", "nas:9000", "*"]
`)
	failed, ok := errors.AsType[*config.Error](err)
	require.True(t, ok)
	golden(t, "testdata/admin_problems.txt", withoutFile(messages(failed.Problems), failed.Problems[0].File))
	require.NotContains(t, err.Error(), "short")

	_, err = load(t, `{admin: {listen: "127.0.0.1:0", forward_auth: {header: Remote-User, from: [0.0.0.0/0], operate_groups: [""]}, base_path: /a/../b}}`)
	failed, ok = errors.AsType[*config.Error](err)
	require.True(t, ok)
	golden(t, "testdata/admin_problems_more.txt", withoutFile(messages(failed.Problems), failed.Problems[0].File))
}

// TestSharedListener: the same address is one listener.
func TestSharedListener(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		listen, admin string
		shared        bool
	}{
		{listen: "127.0.0.1:8484", admin: "127.0.0.1:8484", shared: true},
		{listen: ":8484", admin: ":8484", shared: true},
		{listen: "127.0.0.1:8484", admin: "127.0.0.1:8485"},
		{listen: "127.0.0.1:8484", admin: "127.0.0.2:8484"},
		{listen: "127.0.0.1:0", admin: "127.0.0.1:0"},
		{listen: "127.0.0.1:8484"},
	} {
		c, err := load(t, fmt.Sprintf("{listen: %q, admin: {listen: %q}}", tt.listen, tt.admin))
		require.NoError(t, err)
		require.Equal(t, tt.shared, c.SharesListener(), "%+v", tt)
	}
	for base, shared := range map[string]bool{"/hooks": true, "/hooks-desk": true, "/hookarr": false} {
		_, err := load(t, fmt.Sprintf("{listen: ':8484', admin: {listen: ':8484', base_path: %s}}", base))
		if !shared {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "admin.base_path: begins as the paths of webhooks do")
		_, err = load(t, fmt.Sprintf("{listen: ':8484', admin: {listen: ':8485', base_path: %s}}", base))
		require.NoError(t, err)
	}
}

func withoutFile(text, file string) string { return strings.ReplaceAll(text, file, "hookarr.yaml") }

func TestLoadAdminFromTheEnvironment(t *testing.T) {
	t.Parallel()
	c, err := load(t, "", "HOOKARR_ADMIN_SOCKET=/run/h.sock", "HOOKARR_ADMIN_BASE_PATH=/h", "HOOKARR_ADMIN_HOSTS=nas.lan,nas", "HOOKARR_ADMIN_QUEUE_UI=true",
		"HOOKARR_ADMIN_EXTERNAL_URL=https://h.example", "HOOKARR_ADMIN_FORWARD_AUTH_HEADER=Remote-User", "HOOKARR_ADMIN_FORWARD_AUTH_FROM=10.0.0.2",
		"HOOKARR_ADMIN_OIDC_ISSUER=https://auth.example", "HOOKARR_ADMIN_OIDC_CLIENT_ID=hookarr", "HOOKARR_ADMIN_OIDC_CLIENT_SECRET=secret",
		"HOOKARR_ADMIN_OIDC_SCOPES=openid", "HOOKARR_ADMIN_OIDC_ALLOW_GROUPS=family,friends", "HOOKARR_ADMIN_OIDC_OPERATE_EMAILS=ann@example.org")
	require.NoError(t, err)
	require.Equal(t, config.Admin{
		Socket: "/run/h.sock", BasePath: "/h", Hosts: []string{"nas.lan", "nas"}, ExternalURL: "https://h.example", QueueUI: true,
		ForwardAuth: &config.ForwardAuth{Header: "Remote-User", Role: config.RoleView, From: []netip.Prefix{netip.MustParsePrefix("10.0.0.2/32")}},
		OIDC: &config.OIDC{
			Issuer: "https://auth.example", ClientID: "hookarr", ClientSecret: "secret", Scopes: []string{"openid"},
			UsernameClaim: "preferred_username", GroupsClaim: "groups",
			Allow: config.People{Groups: []string{"family", "friends"}}, Operate: config.People{Emails: []string{"ann@example.org"}},
		},
	}, c.Admin)
}

func TestLoadAdminWarnsOfTokensWithoutAListener(t *testing.T) {
	t.Parallel()
	c, err := load(t, `{admin: {tokens: [{name: ci, role: view, token: 0123456789abcdef}]}}`)
	require.NoError(t, err)
	require.Contains(t, messages(c.Warnings), "admin: without admin.listen the API is on the socket alone")
	c, err = load(t, `{admin: {queue_ui: true}}`)
	require.NoError(t, err)
	require.Contains(t, messages(c.Warnings), "admin.queue_ui: without admin.listen there are no pages")
}

func TestLoadOIDC(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("client-secret-1234\n"), 0o600))
	c, err := load(t, `
admin:
  listen: 127.0.0.1:9000
  oidc:
    issuer: https://auth.example
    client_id: hookarr
    client_secret_file: `+secret+`
    allow: {groups: [family]}
    operate: {emails: [ann@example.org], subjects: ["17"]}
`)
	require.NoError(t, err)
	require.Equal(t, &config.OIDC{
		Issuer: "https://auth.example", ClientID: "hookarr", ClientSecret: "client-secret-1234",
		Scopes: []string{"openid", "profile", "email"}, UsernameClaim: "preferred_username", GroupsClaim: "groups",
		Allow: config.People{Groups: []string{"family"}}, Operate: config.People{Subjects: []string{"17"}, Emails: []string{"ann@example.org"}},
	}, c.Admin.OIDC)
	redacted, err := c.Redacted(nil)
	require.NoError(t, err)
	require.NotContains(t, string(redacted), "client-secret-1234")
	require.Contains(t, string(redacted), "client_id: hookarr")
}

func TestLoadOIDCNamesEveryProblem(t *testing.T) {
	t.Parallel()
	var oidcProblems []string
	for _, oidc := range []string{
		`{}`,
		`{issuer: "auth.example", client_id: " ", client_secret: do-not-tell, scopes: [profile], username_claim: "", groups_claim: " ", allow: {}}`,
		`{issuer: "https://auth.example?x=1", client_id: h, allow: {groups: [""], emails: ["ann", "*@example.org"]}, operate: {subjects: ["*"]}}`,
	} {
		_, err := load(t, `{admin: {listen: "127.0.0.1:0", oidc: `+oidc+`}}`)
		failed, ok := errors.AsType[*config.Error](err)
		require.True(t, ok)
		require.NotContains(t, err.Error(), "do-not-tell")
		oidcProblems = append(oidcProblems, withoutFile(messages(failed.Problems), failed.Problems[0].File))
	}
	golden(t, "testdata/oidc_problems.txt", strings.Join(oidcProblems, "\n"))
}

func TestLoadWarnsOfAnIssuerInClear(t *testing.T) {
	t.Parallel()
	for issuer, warns := range map[string]bool{"http://auth.lan": true, "http://127.0.0.1:9091": false, "http://localhost": false, "https://auth.lan": false} {
		c, err := load(t, `{admin: {listen: "127.0.0.1:0", oidc: {issuer: "`+issuer+`", client_id: h, allow: {groups: [g]}}}}`)
		require.NoError(t, err, issuer)
		require.Equal(t, warns, strings.Contains(messages(c.Warnings), "admin.oidc.issuer: what tells who signs in crosses the network in clear"), issuer)
	}
}

// TestForwardAuthNeedsItsProxy: without from, anybody could say who has signed in.
func TestForwardAuthNeedsItsProxy(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"", ", from: []", ", from: [0.0.0.0/0]", `, from: ["::/0"]`} {
		_, err := load(t, `{admin: {listen: "127.0.0.1:0", forward_auth: {header: Remote-User`+from+`}}}`)
		require.ErrorContains(t, err, "admin.forward_auth.from", from)
	}
}

func TestAdminSocket(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "")
	socket := func(url string) string {
		c, err := load(t, `database: {url: "`+url+`"}`)
		require.NoError(t, err)
		rel, err := filepath.Rel(filepath.Dir(c.File), c.AdminSocket())
		if err != nil {
			return c.AdminSocket()
		}
		return rel
	}
	require.Equal(t, "data/hookarr.sock", socket("sqlite://data/hookarr.db"))
	require.Equal(t, "hookarr.sock", socket("postgres://db/hookarr"))
	c, err := load(t, `database: {url: "sqlite:///var/lib/hookarr/hookarr.db?_pragma=x"}`)
	require.NoError(t, err)
	require.Equal(t, "/var/lib/hookarr/hookarr.sock", c.AdminSocket())
	c, err = load(t, `admin: {socket: run/h.sock}`)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(filepath.Dir(c.File), "run/h.sock"), c.AdminSocket())
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/1000")
	c, err = load(t, `database: {url: "postgres://db/hookarr"}`)
	require.NoError(t, err)
	require.Equal(t, "/run/user/1000/hookarr.sock", c.AdminSocket())
}
